import asyncio

import pytest
from msgspec import structs

from kube_runtime.kube import Kube, Response
from tests.fakes import virtual_time
from tests.fakes.cluster import FakeCluster
from tests.fakes.objects import EVENTS
from tests.tfjob_operator.builders import NOW, parsed
from tfjob_operator import conditions
from tfjob_operator.events import MAX_WAITING, EventRecorder, event_object, new_events
from tfjob_operator.metrics import Metrics

FAILED = {"reason": "ReplicaFailed", "message": "WORKER 0 exited with code 1"}


def test_an_event_says_of_which_object_it_speaks():
    made = event_object(parsed(), FAILED, NOW)
    assert (made["involvedObject"]["kind"], made["involvedObject"]["name"]) == ("TfJob", "mnist")
    assert (made["type"], made["reason"]) == ("Warning", "ReplicaFailed")


def test_the_same_event_has_the_same_name_and_another_has_another():
    name, again, other = (
        event_object(parsed(), event, NOW)["metadata"]["name"]
        for event in (FAILED, FAILED, {**FAILED, "message": "another"})
    )
    assert name == again
    assert name != other


@pytest.mark.parametrize(
    ("reason", "count"),
    [
        pytest.param(conditions.SUCCEEDED, 1, id="an end is"),
        pytest.param(conditions.NAME_TAKEN, 1, id="an obstacle is"),
        pytest.param(conditions.CHIEF_RUNNING, 0, id="that all is as it should be is not"),
    ],
)
def test_what_a_person_would_look_for_is_announced(reason, count):
    result = conditions.merge({}, {"Any": (True, reason, "…")}, NOW)
    assert len(new_events({}, result)) == count
    assert new_events(result, result) == []


class Refuses:
    """A transport that counts and refuses."""

    def __init__(self):
        self.calls = 0

    async def send(self, request):
        self.calls += 1
        return Response(500)


def test_events_that_fail_are_dropped_and_too_many_are_not_kept():
    async def run():
        transport = Refuses()
        counters = Metrics()
        recorder = EventRecorder(Kube(transport), virtual_time.now, counters.dropped_events)
        for number in range(MAX_WAITING + 50):
            recorder.record(parsed(), {**FAILED, "message": str(number)})
        task = asyncio.ensure_future(recorder.run())
        await asyncio.sleep(5)
        task.cancel()
        dropped = counters.registry.get_sample_value("tfjob_dropped_events_total")
        return transport.calls, dropped

    assert virtual_time.run(run()) == (MAX_WAITING, MAX_WAITING + 50)


def test_a_repeated_event_is_counted_in_the_one_that_exists():
    async def run():
        cluster = FakeCluster()
        for _ in range(2):  # a second process does not know what the first one sent
            recorder = EventRecorder(
                Kube(cluster.client()), virtual_time.now, Metrics().dropped_events
            )
            task = asyncio.ensure_future(recorder.run())
            for _ in range(3):
                recorder.record(structs.replace(parsed(), namespace="default"), FAILED)
                await asyncio.sleep(5)
            task.cancel()
        return cluster.store.all(EVENTS)

    (event,) = virtual_time.run(run())
    assert (event["count"], event["reason"]) == (4, "ReplicaFailed")
    assert event["firstTimestamp"] < event["lastTimestamp"]
