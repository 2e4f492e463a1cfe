"""python -m bench.operator.clock FILE FLAGS…: the operator, with a clock on its event loop.

A line of FILE is one turn of the loop that took long: its end (monotonic seconds), and its CPU
time in milliseconds. CPU time, because other processes share the processors with the operator.
The clock wakes every two milliseconds, which slows down everything else on two cores, so other
times are measured without it.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

FILE = "turns.log"
TICK_SECONDS = 0.002
LONG_MS = 2.0  # shorter turns are not noted


async def watch(path: Path) -> None:
    """Note long turns until cancelled."""
    with path.open("a", buffering=1) as file:
        before = time.thread_time()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            took_ms = 1000 * (time.thread_time() - before)
            if took_ms > LONG_MS:
                file.write(f"{time.monotonic()} {took_ms}\n")
            before = time.thread_time()


def longest_turn_ms(path: Path, since: float) -> float:
    """The longest turn that ended after ``since``, or the limit of those that are not noted."""
    lines = [line.split() for line in path.read_text().splitlines()]
    return max((float(ms) for end, ms in lines if float(end) >= since), default=LONG_MS)


def main() -> None:
    from tfjob_operator import __main__ as program

    path, run = Path(sys.argv.pop(1)), program.run

    async def run_with_clock(flags: argparse.Namespace) -> None:
        ticking = asyncio.create_task(watch(path))
        try:
            await run(flags)
        finally:
            ticking.cancel()

    program.run = run_with_clock
    program.main()


if __name__ == "__main__":
    main()
