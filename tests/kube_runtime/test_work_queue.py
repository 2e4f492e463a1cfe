import asyncio

import pytest
import uvloop

from kube_runtime.work_queue import WorkQueue
from tests.fakes import virtual_time

URGENT, NORMAL, IDLE = range(3)


def in_virtual_time(test):
    """Run an async test on the jumping clock."""

    def run():
        virtual_time.run(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


async def drain(queue, last_priority=IDLE):
    taken = []
    while len(queue):
        key, priority = await queue.get(last_priority)
        taken.append((key, priority))
        queue.done(key)
    return taken


@in_virtual_time
async def test_a_key_stands_in_the_queue_once():
    queue = WorkQueue()
    queue.add("a", NORMAL)
    queue.add("a", NORMAL)
    assert await drain(queue) == [("a", NORMAL)]


@in_virtual_time
async def test_the_most_urgent_key_comes_first():
    queue = WorkQueue()
    for key, priority in (("i", IDLE), ("n", NORMAL), ("u", URGENT)):
        queue.add(key, priority)
    assert [key for key, _ in await drain(queue)] == ["u", "n", "i"]


@in_virtual_time
async def test_a_key_becomes_more_urgent_and_never_less():
    queue = WorkQueue()
    for priority in (IDLE, URGENT, IDLE):
        queue.add("a", priority)
    assert await drain(queue) == [("a", URGENT)]


@in_virtual_time
async def test_a_worker_goes_down_to_its_last_priority():
    queue = WorkQueue()
    queue.add("n", NORMAL)
    waiting = asyncio.ensure_future(queue.get(URGENT))
    await asyncio.sleep(1)
    assert not waiting.done()
    queue.add("u", URGENT)
    assert await waiting == ("u", URGENT)


@in_virtual_time
async def test_groups_take_turns():
    queue = WorkQueue(group=lambda key: key[0])
    for key in ("a1", "a2", "a3", "b1", "b2", "c1"):
        queue.add(key, NORMAL)
    taken = [key for key, _ in await drain(queue)]
    assert taken == ["a1", "b1", "c1", "a2", "b2", "a3"]


@in_virtual_time
async def test_a_key_is_never_worked_on_by_two_and_comes_again_when_it_changed_meanwhile():
    queue = WorkQueue()
    queue.add("a", NORMAL)
    await queue.get(IDLE)
    queue.add("a", IDLE)
    queue.add("a", NORMAL)
    assert len(queue) == 0
    queue.done("a")
    assert await drain(queue) == [("a", NORMAL)]


@in_virtual_time
async def test_a_waiting_worker_wakes_for_a_key():
    queue = WorkQueue()
    workers = [asyncio.ensure_future(queue.get(IDLE)) for _ in range(3)]
    await asyncio.sleep(0)
    for key in "abc":
        queue.add(key, IDLE)
    assert sorted(key for key, _ in await asyncio.gather(*workers)) == ["a", "b", "c"]


@in_virtual_time
async def test_failures_wait_twice_as_long_each_time_up_to_a_minute_and_success_forgets():
    queue, loop, waits = WorkQueue(), asyncio.get_running_loop(), []
    for _ in range(12):
        queue.add_rate_limited("a", NORMAL)
        before = loop.time()
        await queue.get(IDLE)
        queue.done("a")
        waits.append(round(loop.time() - before, 3))
    assert (waits[:4], waits[-1]) == ([0.25, 0.5, 1.0, 2.0], 60.0)
    queue.forget("a")
    assert queue.add_rate_limited("a", NORMAL) == 0.25
    before = loop.time()
    await queue.get(IDLE)
    assert loop.time() - before == pytest.approx(0.25)


@in_virtual_time
async def test_nothing_brings_a_key_back_before_the_server_wants_it():
    queue, loop = WorkQueue(), asyncio.get_running_loop()
    queue.add_after("a", 1, NORMAL)
    queue.add_rate_limited("a", NORMAL, at_least=7)
    queue.add("a", URGENT)
    assert await queue.get(IDLE) == ("a", URGENT)
    assert loop.time() == pytest.approx(7)


@in_virtual_time
async def test_of_several_delays_the_earliest_counts_with_the_best_priority():
    queue, loop = WorkQueue(), asyncio.get_running_loop()
    for seconds, priority in ((9, IDLE), (3, IDLE), (6, URGENT)):
        queue.add_after("a", seconds, priority)
    assert await queue.get(IDLE) == ("a", URGENT)
    assert loop.time() == pytest.approx(3)
    queue.done("a")
    await asyncio.sleep(20)
    assert len(queue) == 0


@in_virtual_time
async def test_delays_of_many_keys_do_not_wait_for_each_other():
    queue, loop = WorkQueue(), asyncio.get_running_loop()
    for number in range(1000):
        queue.add_after(str(number), 2.0, IDLE)
    await asyncio.sleep(2.01)
    assert len(await drain(queue)) == 1000
    assert loop.time() < 2.1


@in_virtual_time
async def test_a_worker_that_is_gone_takes_no_key_with_it():
    queue = WorkQueue()
    gone = asyncio.ensure_future(queue.get(IDLE))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait({gone})
    queue.add("a", NORMAL)
    assert await queue.get(IDLE) == ("a", NORMAL)


def test_a_delay_of_almost_nothing_may_be_asked_for_twice_on_the_real_loop():
    async def run():
        queue = WorkQueue()
        for _ in range(2):
            queue.add_after("a", 0.0001, URGENT)
        return await queue.get(URGENT)

    assert uvloop.run(run()) == ("a", URGENT)
