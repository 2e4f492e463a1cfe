import asyncio
import random

import pytest
import uvloop

from kube_runtime.work_queue import BURST_SECONDS, MAX_BURST_SECONDS, Share, WorkQueue
from tests.fakes import virtual_time

URGENT, NORMAL, IDLE = range(3)
ALL = Share(IDLE)


def in_virtual_time(test):
    """Run an async test on the jumping clock."""

    def run():
        virtual_time.run(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


async def drain(queue, share=ALL):
    taken = []
    while len(queue):
        key, priority = await queue.get(share)
        taken.append((key, priority))
        queue.done(key)
    return taken


async def tried(queue, share, seconds):
    """The key that a worker gets within a time, or None: the worker is gone again."""
    worker = asyncio.ensure_future(queue.get(share))
    await asyncio.sleep(seconds)
    await asyncio.sleep(0)
    if worker.done():
        return worker.result()[0]
    worker.cancel()
    await asyncio.wait({worker})
    return None


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
    waiting = asyncio.ensure_future(queue.get(Share(URGENT)))
    await asyncio.sleep(1)
    assert not waiting.done()
    queue.add("u", URGENT)
    assert await waiting == ("u", URGENT)


@in_virtual_time
async def test_a_worker_takes_nothing_more_urgent_than_its_first_priority():
    queue = WorkQueue()
    for key, priority in (("u", URGENT), ("n", NORMAL), ("i", IDLE)):
        queue.add(key, priority)
    assert await queue.get(Share(IDLE, highest=NORMAL)) == ("n", NORMAL)
    assert await queue.get(Share(IDLE, highest=IDLE)) == ("i", IDLE)


@in_virtual_time
async def test_one_key_of_priority_0_is_no_burst():
    queue, yielding = WorkQueue(), Share(NORMAL, yields=True)
    queue.add("u", URGENT)
    await queue.get(ALL)
    queue.add("n", NORMAL)
    assert await tried(queue, yielding, 0) == "n"
    queue.done("u")
    queue.add("m", NORMAL)
    assert await tried(queue, yielding, 0) == "m"


@in_virtual_time
async def test_who_yields_takes_only_keys_of_priority_0_in_a_burst():
    queue, yielding = WorkQueue(), Share(NORMAL, yields=True)
    for key, priority in (("u1", URGENT), ("u2", URGENT), ("n1", NORMAL), ("n2", NORMAL)):
        queue.add(key, priority)
    assert [await tried(queue, yielding, 0.01) for _ in range(3)] == ["u1", "u2", None]
    assert await tried(queue, ALL, 0) == "n1"
    queue.done("u1")
    assert await tried(queue, yielding, BURST_SECONDS / 2) is None
    queue.done("u2")
    assert await tried(queue, yielding, BURST_SECONDS / 2) is None
    queue.add("u3", URGENT)
    assert await tried(queue, yielding, 0.01) == "u3"
    assert await tried(queue, yielding, BURST_SECONDS * 0.8) is None
    assert await tried(queue, yielding, BURST_SECONDS) == "n2"


@in_virtual_time
async def test_a_burst_lasts_as_long_as_two_of_its_keys_are_worked_on():
    queue, yielding = WorkQueue(), Share(NORMAL, yields=True)
    for key, priority in (("u1", URGENT), ("u2", URGENT), ("n", NORMAL)):
        queue.add(key, priority)
    assert [(await queue.get(ALL))[0] for _ in range(2)] == ["u1", "u2"]
    assert await tried(queue, yielding, 60) is None
    queue.done("u1")
    assert await tried(queue, yielding, MAX_BURST_SECONDS + BURST_SECONDS) == "n"


@in_virtual_time
async def test_a_burst_outlasts_a_slow_key_by_twice_its_time():
    queue, yielding = WorkQueue(), Share(NORMAL, yields=True)
    took = BURST_SECONDS * 3
    for key, priority in (("u1", URGENT), ("u2", URGENT), ("n", NORMAL)):
        queue.add(key, priority)
    for key in [(await queue.get(ALL))[0] for _ in range(2)]:
        await asyncio.sleep(took / 2)
        queue.done(key)
    assert await tried(queue, yielding, took * 1.9) is None
    assert await tried(queue, yielding, took * 0.2) == "n"


@in_virtual_time
async def test_keys_that_failed_are_no_burst():
    queue, yielding = WorkQueue(), Share(NORMAL, yields=True)
    for key in ("u1", "u2"):
        queue.add_rate_limited(key, URGENT)
    assert [(await queue.get(ALL))[0] for _ in range(2)] == ["u1", "u2"]
    queue.add("n", NORMAL)
    assert await tried(queue, yielding, 0) == "n"


@in_virtual_time
async def test_who_yields_goes_on_after_the_burst_though_one_of_its_keys_takes_long():
    queue, yielding = WorkQueue(), Share(NORMAL, yields=True)
    for key in ("u1", "u2"):
        queue.add(key, URGENT)
        await queue.get(ALL)
    for key in "abc":
        queue.add(key, NORMAL)
    workers = [asyncio.ensure_future(queue.get(yielding)) for _ in range(5)]
    await asyncio.sleep(BURST_SECONDS * 0.3)
    assert not any(worker.done() for worker in workers)
    queue.done("u1")
    await asyncio.sleep(BURST_SECONDS * 0.9)
    assert not any(worker.done() for worker in workers)
    await asyncio.sleep(BURST_SECONDS * 0.2)
    assert sorted(worker.result()[0] for worker in workers if worker.done()) == ["a", "b", "c"]
    queue.add("d", NORMAL)  # the two that found nothing wait on
    await asyncio.sleep(0.001)
    assert sum(worker.done() for worker in workers) == 4
    for worker in workers:
        worker.cancel()


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
    await queue.get(ALL)
    queue.add("a", IDLE)
    queue.add("a", NORMAL)
    assert len(queue) == 0
    queue.done("a")
    assert await drain(queue) == [("a", NORMAL)]


@in_virtual_time
async def test_a_waiting_worker_wakes_for_a_key():
    queue = WorkQueue()
    workers = [asyncio.ensure_future(queue.get(ALL)) for _ in range(3)]
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
        await queue.get(ALL)
        queue.done("a")
        waits.append(round(loop.time() - before, 3))
    assert (waits[:4], waits[-1]) == ([0.25, 0.5, 1.0, 2.0], 60.0)
    queue.forget("a")
    assert queue.add_rate_limited("a", NORMAL) == 0.25
    before = loop.time()
    await queue.get(ALL)
    assert loop.time() - before == pytest.approx(0.25)


@in_virtual_time
async def test_nothing_brings_a_key_back_before_the_server_wants_it():
    queue, loop = WorkQueue(), asyncio.get_running_loop()
    queue.add_after("a", 1, NORMAL)
    queue.add_rate_limited("a", NORMAL, at_least=7)
    queue.add("a", URGENT)
    assert await queue.get(ALL) == ("a", URGENT)
    assert loop.time() == pytest.approx(7)


@in_virtual_time
async def test_of_several_delays_the_earliest_counts_with_the_best_priority():
    queue, loop = WorkQueue(), asyncio.get_running_loop()
    for seconds, priority in ((9, IDLE), (3, IDLE), (6, URGENT)):
        queue.add_after("a", seconds, priority)
    assert await queue.get(ALL) == ("a", URGENT)
    assert loop.time() == pytest.approx(3)
    queue.done("a")
    await asyncio.sleep(20)
    assert len(queue) == 0


@in_virtual_time
async def test_a_far_more_urgent_time_does_not_make_an_earlier_one_more_urgent():
    queue, loop = WorkQueue(), asyncio.get_running_loop()
    for _ in range(3):  # whatever comes first
        for seconds, priority in ((5, IDLE), (500, URGENT), (5, IDLE), (490, URGENT), (600, IDLE)):
            queue.add_after("a", seconds, priority)
    taken = []
    for _ in range(2):
        taken.append((*await queue.get(ALL), round(loop.time())))
        queue.done("a")
    assert taken == [("a", IDLE, 5), ("a", URGENT, 490)]
    await asyncio.sleep(1000)
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
    gone = asyncio.ensure_future(queue.get(ALL))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait({gone})
    queue.add("a", NORMAL)
    assert await queue.get(ALL) == ("a", NORMAL)


def test_a_delay_of_almost_nothing_may_be_asked_for_twice_on_the_real_loop():
    async def run():
        queue = WorkQueue()
        for _ in range(2):
            queue.add_after("a", 0.0001, URGENT)
        return await queue.get(Share(URGENT))

    assert uvloop.run(run()) == ("a", URGENT)


@in_virtual_time
async def test_no_key_waits_while_a_worker_for_it_is_idle():
    """A worker that is woken for one key may take a more urgent one, which came meanwhile."""
    queue = WorkQueue()
    first = asyncio.ensure_future(queue.get(Share(NORMAL)))
    second = asyncio.ensure_future(queue.get(Share(URGENT)))
    third = asyncio.ensure_future(queue.get(Share(NORMAL)))
    await asyncio.sleep(1)
    queue.add("n", NORMAL)  # wakes the first
    queue.add("u", URGENT)  # wakes the second, but the first takes it
    await asyncio.sleep(1)
    assert not second.done()
    assert {first.result()[0], third.result()[0]} == {"u", "n"}
    second.cancel()


@in_virtual_time
async def test_a_key_does_not_wait_for_a_worker_that_yields_if_another_is_idle():
    queue = WorkQueue()
    yielding = asyncio.ensure_future(queue.get(Share(NORMAL, yields=True)))
    await asyncio.sleep(1)
    steady = asyncio.ensure_future(queue.get(Share(NORMAL, highest=NORMAL)))
    writers = [asyncio.ensure_future(queue.get(Share(URGENT))) for _ in range(2)]
    await asyncio.sleep(1)
    queue.add("n", NORMAL)  # wakes the one that yields
    for key in "uv":
        queue.add(key, URGENT)
    await asyncio.sleep(BURST_SECONDS / 2)
    assert steady.result()[0] == "n" or yielding.result()[0] == "n"
    for each in (yielding, steady, *writers):
        each.cancel()


@pytest.mark.parametrize("seed", range(20))
def test_whatever_was_asked_for_a_key_comes_in_time_and_is_urgent_enough(seed):
    chance = random.Random(seed)

    async def live():
        loop, queue, asked, taken = asyncio.get_running_loop(), WorkQueue(), [], []

        async def worker():
            while True:
                key, priority = await queue.get(ALL)
                taken.append((loop.time(), priority))
                queue.done(key)

        work = asyncio.create_task(worker())
        for _ in range(200):
            seconds = chance.choice([0, 0.5, 2, 5, 8, 20, 60, 300])
            priority = chance.choice([URGENT, NORMAL, IDLE])
            asked.append((loop.time(), loop.time() + seconds, priority))
            queue.add_after("a", seconds, priority)
            await asyncio.sleep(chance.choice([0, 0.1, 1, 4, 10]))
        await asyncio.sleep(400)
        work.cancel()
        assert len(queue) == 0
        for since, due, priority in asked:
            fits = [t for t, p in taken if since <= t <= due + 0.01 and p <= priority]
            assert fits, (since, due, priority)
        assert len(taken) <= len(asked)

    virtual_time.run(live())
