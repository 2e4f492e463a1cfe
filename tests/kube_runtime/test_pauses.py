import asyncio

import pytest

from kube_runtime.pauses import Pauses
from tests.fakes import virtual_time


def test_a_pause_is_over_after_its_time_or_when_it_is_ended():
    async def live():
        pauses = Pauses()
        assert pauses.seconds_left("a") == 0.0
        assert pauses.begin("a") == 5.0
        await asyncio.sleep(2)
        assert pauses.seconds_left("a") == pytest.approx(3.0)
        pauses.begin("b")
        await asyncio.sleep(2.995)  # a timer may fire a little early
        assert pauses.seconds_left("a") == 0.0
        assert ("a" in pauses, "b" in pauses) == (False, True)
        pauses.end("b")
        pauses.end("never begun")
        assert (pauses.seconds_left("b"), "b" in pauses) == (0.0, False)

    virtual_time.run(live())


def test_each_pause_of_a_key_is_twice_as_long_as_the_last_one_until_it_is_ended():
    async def live():
        pauses = Pauses()
        assert [pauses.begin("a") for _ in range(6)] == [5, 10, 20, 40, 60, 60]
        await asyncio.sleep(600)
        assert pauses.begin("b") == 5  # another key
        assert pauses.begin("a") == 60  # it was over, but what was refused did not succeed since
        pauses.end_if_over("a")
        assert "a" in pauses
        await asyncio.sleep(60)
        pauses.end_if_over("a")
        assert pauses.begin("a") == 5

    virtual_time.run(live())
