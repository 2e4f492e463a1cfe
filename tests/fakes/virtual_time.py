"""An asyncio loop whose clock jumps to the next timer, so that an hour of waiting takes no time.

The fakes and the harness of the operator run on it: a back-off of ten seconds, a lease of fifteen
and a deadline of an hour are all tested in milliseconds, and every run of a test is the same run.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

START = datetime(2026, 1, 1, tzinfo=UTC)


class Stuck(AssertionError):
    """Nothing can ever happen again: no callback is ready and no timer is set."""


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: the time that a caller would have slept is added to the loop's clock."""

    loop: "VirtualLoop"

    def select(self, timeout=None):
        if timeout is None:
            raise Stuck("Every task waits for something that no timer will bring.")
        self.loop.elapsed += max(timeout, 0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Event loop of virtual time. ``elapsed`` is in seconds since START."""

    def __init__(self):
        self.elapsed = 0.0
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.elapsed


def now() -> datetime:
    """The virtual wall clock of the running loop, in UTC."""
    return START + timedelta(seconds=asyncio.get_running_loop().time())


def run(main: Coroutine[Any, Any, T], limit_seconds: float = 7 * 24 * 3600) -> T:
    """Run a coroutine to its end in virtual time; ``limit_seconds`` are virtual too.

    Raises: Stuck when no timer is left, TimeoutError when the limit has passed.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_limited(main, limit_seconds))


async def _limited(main: Coroutine[Any, Any, T], limit_seconds: float) -> T:
    async with asyncio.timeout(limit_seconds):
        return await main
