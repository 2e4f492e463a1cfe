"""The clock on the operator's event loop notes its own long turns."""

import asyncio
import time

from bench.operator import clock


def work(cpu_seconds):
    end = time.thread_time() + cpu_seconds
    while time.thread_time() < end:
        pass


def turns_of(path, story):
    async def live():
        ticking = asyncio.create_task(clock.watch(path))
        await asyncio.sleep(0)
        await story()
        ticking.cancel()

    asyncio.run(live())


def test_a_turn_that_takes_long_is_noted_with_its_end(tmp_path):
    async def story():
        work(0.1)
        await asyncio.sleep(0.05)

    begin = time.monotonic()
    turns_of(tmp_path / "turns", story)
    assert clock.longest_turn_ms(tmp_path / "turns", begin) >= 100
    assert clock.longest_turn_ms(tmp_path / "turns", time.monotonic()) == clock.LONG_MS


def test_a_wait_is_no_turn(tmp_path):
    async def story():
        await asyncio.sleep(0.2)

    turns_of(tmp_path / "turns", story)
    assert clock.longest_turn_ms(tmp_path / "turns", 0.0) < 100
