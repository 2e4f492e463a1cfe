import asyncio

from kube_runtime.events import MAX_WAITING, EventRecorder, event_object
from kube_runtime.kube import Kube, Response
from tests.fakes import virtual_time
from tests.fakes.cluster import FakeCluster
from tests.fakes.objects import EVENTS, key

INVOLVED = {
    "apiVersion": "example.com/v1",
    "kind": "Thing",
    "namespace": "default",
    "name": "thing",
    "uid": "u",
}


def event(message="it exited with code 1"):
    return event_object(INVOLVED, "Warning", "Failed", message, "tests", virtual_time.START)


def test_an_event_says_of_which_object_it_speaks():
    made = event()
    assert made["involvedObject"] == INVOLVED
    assert (made["type"], made["reason"]) == ("Warning", "Failed")


def test_the_same_event_has_the_same_name_and_another_has_another():
    name = event()["metadata"]["name"]
    assert name == event()["metadata"]["name"]
    assert name != event("another")["metadata"]["name"]


class Refuses:
    """A transport that counts and refuses."""

    def __init__(self):
        self.calls = 0

    async def send(self, request):
        self.calls += 1
        return Response(500)


def test_events_that_fail_are_dropped_and_too_many_are_not_kept():
    async def run():
        transport, dropped = Refuses(), []
        recorder = EventRecorder(
            Kube(transport), "tests", virtual_time.now, lambda: dropped.append(1)
        )
        for number in range(MAX_WAITING + 50):
            recorder.record(INVOLVED, "Warning", "Failed", str(number))
        task = asyncio.ensure_future(recorder.run())
        await asyncio.sleep(5)
        task.cancel()
        return transport.calls, len(dropped)

    assert virtual_time.run(run()) == (MAX_WAITING, MAX_WAITING + 50)


def test_a_repeated_event_is_counted_in_the_one_that_exists():
    async def run():
        cluster = FakeCluster()
        for _ in range(2):  # a second process does not know what the first one sent
            kube = Kube(cluster.client())
            recorder = EventRecorder(kube, "tests", virtual_time.now, lambda: None)
            task = asyncio.ensure_future(recorder.run())
            for _ in range(3):
                recorder.record(INVOLVED, "Warning", "Failed", "it exited with code 1")
                await asyncio.sleep(5)
            task.cancel()
        return cluster.store.all(EVENTS)

    (made,) = virtual_time.run(run())
    assert (made["count"], made["reason"]) == (4, "Failed")
    assert made["firstTimestamp"] < made["lastTimestamp"]


def test_an_event_that_the_api_server_has_deleted_by_its_age_is_created_again():
    async def run():
        cluster, dropped = FakeCluster(), []
        recorder = EventRecorder(
            Kube(cluster.client()), "tests", virtual_time.now, lambda: dropped.append(1)
        )
        task = asyncio.ensure_future(recorder.run())
        for number in range(4):
            if number == 2:
                cluster.store.remove(EVENTS, *key(cluster.store.all(EVENTS)[0]))
            recorder.record(INVOLVED, "Warning", "Failed", "it exited with code 1")
            await asyncio.sleep(5)
        task.cancel()
        return [made["count"] for made in cluster.store.all(EVENTS)], dropped

    assert virtual_time.run(run()) == ([2], [])
