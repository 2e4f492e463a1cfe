import asyncio

import pytest

from kube_runtime.kube import ApiError, Response
from kube_runtime.work_queue import Share, WorkQueue
from kube_runtime.workers import Workers
from tests.fakes import virtual_time

BUSY = Response(429, {"message": "slow down"}, {"retry-after": "9"})


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        pytest.param(None, None, id="a success is not repeated"),
        pytest.param(OSError("no route"), 0.25, id="a lost connection"),
        pytest.param(ApiError(Response(500)), 0.25, id="a fault of the API server"),
        pytest.param(ApiError(BUSY), 9.0, id="a Retry-After"),
        pytest.param(ZeroDivisionError(), 0.25, id="a fault of our own"),
    ],
)
def test_every_error_requeues_the_key_and_stops_no_worker(error, seconds):
    async def live():
        loop, queue, passes = asyncio.get_running_loop(), WorkQueue(), []

        async def sync(key, priority):
            passes.append(loop.time())
            if error and len(passes) == 1:
                raise error

        worker = asyncio.create_task(Workers(queue, sync, str, lambda took: None).work(Share(0)))
        queue.add("key", 0)
        await asyncio.sleep(60)
        assert not worker.done()
        worker.cancel()
        return [round(later - passes[0], 2) for later in passes[1:]]

    assert virtual_time.run(live()) == ([seconds] if seconds else [])


@pytest.mark.parametrize(
    ("rest", "pass_seconds", "times"),
    [
        pytest.param(0, 0.1, [0, 0.1, 0.2], id="as fast as it can"),
        pytest.param(5, 0.1, [0, 0.6, 1.2], id="a sixth of its time"),
        pytest.param(5, 2.0, [0, 12, 24], id="less where a pass takes longer"),
    ],
)
def test_a_worker_rests_after_each_key(rest, pass_seconds, times):
    async def live():
        loop, queue, passes = asyncio.get_running_loop(), WorkQueue(), []

        async def sync(key, priority):
            passes.append(loop.time())
            await asyncio.sleep(pass_seconds)

        workers = Workers(queue, sync, str, lambda took: None)
        worker = asyncio.create_task(workers.work(Share(0, rest=rest)))
        for key in "abc":
            queue.add(key, 0)
        await asyncio.sleep(60)
        worker.cancel()
        return [round(time - passes[0], 2) for time in passes]

    assert virtual_time.run(live()) == times


def test_a_pass_that_does_not_end_is_known_by_its_key():
    async def live():
        queue = WorkQueue()
        workers = Workers(queue, lambda key, priority: asyncio.sleep(1e6), str, lambda took: None)
        worker = asyncio.create_task(workers.work(Share(0)))
        queue.add("key", 0)
        await asyncio.sleep(60)
        now = asyncio.get_running_loop().time()
        worker.cancel()
        return {key: now - since for key, since in workers.busy_since.items()}

    assert virtual_time.run(live()) == {"key": 60}
