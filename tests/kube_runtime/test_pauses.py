import asyncio

import pytest

from kube_runtime.pauses import Pauses
from tests.fakes import virtual_time


def test_a_pause_is_over_after_its_time_or_when_it_is_ended_and_is_forgotten_then():
    async def live():
        pauses = Pauses()
        assert pauses.seconds_left("a") == 0.0
        pauses.begin("a", 5.0)
        pauses.begin("b", 60.0)
        await asyncio.sleep(2)
        assert pauses.seconds_left("a") == pytest.approx(3.0)
        await asyncio.sleep(2.995)  # a timer may fire a little early
        assert pauses.seconds_left("a") == 0.0
        assert ("a" in pauses, "b" in pauses) == (False, True)
        pauses.end("b")
        pauses.end("never begun")
        assert (pauses.seconds_left("b"), "b" in pauses) == (0.0, False)

    virtual_time.run(live())
