import asyncio

import pytest
import uvloop

from kube_runtime.work_queue import TURN_SECONDS, Lane, WorkQueue
from tests.fakes import virtual_time


def in_virtual_time(test):
    """Run an async test on the jumping clock."""

    def run():
        virtual_time.run(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


async def drain(queue, widest=Lane.PROGRESS):
    taken = []
    while len(queue):
        key, lane = await queue.get(widest)
        taken.append((key, lane))
        queue.done(key)
    return taken


@in_virtual_time
async def test_a_key_stands_in_the_queue_once():
    queue = WorkQueue()
    queue.add("a", Lane.START)
    queue.add("a", Lane.START)
    assert await drain(queue) == [("a", Lane.START)]


@in_virtual_time
async def test_finishing_outranks_starting_and_starting_mere_progress():
    queue = WorkQueue()
    for key, lane in (("p", Lane.PROGRESS), ("s", Lane.START), ("f", Lane.FINISH)):
        queue.add(key, lane)
    assert [key for key, _ in await drain(queue)] == ["f", "s", "p"]


@in_virtual_time
async def test_a_key_moves_to_a_more_pressing_lane_and_never_back():
    queue = WorkQueue()
    queue.add("a", Lane.PROGRESS)
    queue.add("a", Lane.FINISH)
    queue.add("a", Lane.PROGRESS)
    assert await drain(queue) == [("a", Lane.FINISH)]


@in_virtual_time
async def test_a_finisher_takes_nothing_else():
    queue = WorkQueue()
    queue.add("s", Lane.START)
    waiting = asyncio.ensure_future(queue.get(Lane.FINISH))
    await asyncio.sleep(1)
    assert not waiting.done()
    queue.add("f", Lane.FINISH)
    assert await waiting == ("f", Lane.FINISH)


@in_virtual_time
async def test_a_key_is_never_worked_on_by_two_and_comes_again_when_it_changed_meanwhile():
    queue = WorkQueue()
    queue.add("a", Lane.START)
    await queue.get(Lane.PROGRESS)
    queue.add("a", Lane.PROGRESS)
    queue.add("a", Lane.START)
    assert len(queue) == 0
    queue.done("a")
    assert await drain(queue) == [("a", Lane.START)]


@in_virtual_time
async def test_a_waiting_worker_wakes_for_a_key():
    queue = WorkQueue()
    workers = [asyncio.ensure_future(queue.get(Lane.PROGRESS)) for _ in range(3)]
    await asyncio.sleep(0)
    for key in "abc":
        queue.add(key, Lane.PROGRESS)
    assert sorted(key for key, _ in await asyncio.gather(*workers)) == ["a", "b", "c"]


@in_virtual_time
async def test_retries_wait_twice_as_long_each_time_up_to_a_minute_and_success_forgets():
    queue, loop, waits = WorkQueue(), asyncio.get_running_loop(), []
    for _ in range(12):
        queue.retry("a", Lane.START)
        before = loop.time()
        await queue.get(Lane.PROGRESS)
        queue.done("a")
        waits.append(round(loop.time() - before, 3))
    assert (waits[:4], waits[-1]) == ([0.25, 0.5, 1.0, 2.0], 60.0)
    queue.succeeded("a")
    queue.retry("a", Lane.START)
    before = loop.time()
    await queue.get(Lane.PROGRESS)
    assert loop.time() - before == pytest.approx(0.25)


@in_virtual_time
async def test_a_retry_is_not_before_the_server_wants_it():
    queue, loop = WorkQueue(), asyncio.get_running_loop()
    queue.retry("a", Lane.START, at_least_seconds=7)
    await queue.get(Lane.PROGRESS)
    assert loop.time() == pytest.approx(7)


@in_virtual_time
async def test_of_several_times_the_earliest_counts():
    queue, loop = WorkQueue(), asyncio.get_running_loop()
    for seconds in (9, 3, 6):
        queue.add_later("a", Lane.PROGRESS, seconds)
    await queue.get(Lane.PROGRESS)
    assert loop.time() == pytest.approx(3)
    queue.done("a")
    await asyncio.sleep(20)
    assert len(queue) == 0


@in_virtual_time
async def test_a_worker_that_is_gone_takes_no_key_with_it():
    queue = WorkQueue()
    gone = asyncio.ensure_future(queue.get(Lane.PROGRESS))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait({gone})
    queue.add("a", Lane.START)
    assert await queue.get(Lane.PROGRESS) == ("a", Lane.START)


@in_virtual_time
async def test_keys_that_take_turns_come_one_after_the_other():
    queue, times = WorkQueue(), []
    for key in "abc":
        queue.add_in_turn(key, Lane.PROGRESS, 2.0)
    for _ in "abc":
        key, _ = await queue.get(Lane.PROGRESS)
        times.append((key, asyncio.get_running_loop().time()))
        queue.done(key)
    first = times[0][1]
    after = [(key, round((at - first) / TURN_SECONDS)) for key, at in times]
    assert after == [("a", 0), ("b", 1), ("c", 2)]


@in_virtual_time
async def test_a_key_that_waits_for_its_turn_takes_no_second_one():
    queue = WorkQueue()
    for _ in range(100):
        queue.add_in_turn("a", Lane.PROGRESS, 2.0)
    queue.add_in_turn("b", Lane.PROGRESS, 2.0)
    await asyncio.sleep(2.0 + 2 * TURN_SECONDS)
    assert await drain(queue) == [("a", Lane.PROGRESS), ("b", Lane.PROGRESS)]


def test_a_time_that_has_all_but_come_may_be_asked_for_twice_on_the_real_loop():
    async def run():
        queue = WorkQueue()
        for _ in range(2):
            queue.add_later("a", Lane.FINISH, 0.0001)
        return await queue.get(Lane.FINISH)

    assert uvloop.run(run()) == ("a", Lane.FINISH)
