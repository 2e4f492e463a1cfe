import asyncio

import pytest

from kube_runtime.kube import Kube, Response
from tests.fakes import virtual_time
from tests.tfjob_operator.builders import NOW, parsed
from tfjob_operator import status
from tfjob_operator.events import MAX_WAITING, Announcer, event_object, news

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
        pytest.param(status.SUCCEEDED, 1, id="an end is"),
        pytest.param(status.NAME_TAKEN, 1, id="an obstacle is"),
        pytest.param(status.CHIEF_RUNNING, 0, id="that all is as it should be is not"),
    ],
)
def test_what_a_person_would_look_for_is_announced(reason, count):
    told = status.with_conditions({}, {"Any": (True, reason, "…")}, NOW)
    assert len(news({}, told)) == count
    assert news(told, told) == []


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
        announcer = Announcer(Kube(transport), virtual_time.now)
        for number in range(MAX_WAITING + 50):
            announcer.announce(parsed(), {**FAILED, "message": str(number)})
        task = asyncio.ensure_future(announcer.run())
        await asyncio.sleep(5)
        task.cancel()
        return transport.calls

    assert virtual_time.run(run()) == MAX_WAITING
