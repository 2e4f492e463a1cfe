"""A work queue like client-go's: keys without duplicates, delays, a rate limit per key.

A key that is added while a worker has it is queued again after ``done``, so no two workers have the
same key. Keys have priorities. Keys of one priority are served round robin by group, such as
their namespace.
"""

import asyncio
from collections.abc import Callable

MAX_BACKOFF_SECONDS = 60.0
FIRST_BACKOFF_SECONDS = 0.25


class WorkQueue:
    """Keys with a priority: 0 is the most urgent. All methods but ``get`` return at once."""

    def __init__(self, group: Callable[[str], str] = lambda key: "") -> None:
        self._group = group
        self._ready: dict[int, dict[str, dict[str, None]]] = {}  # priority: group: keys
        self._queued: dict[str, tuple[int, str]] = {}  # priority and group of the keys in _ready
        self._busy: dict[str, int | None] = {}  # value: priority if added again meanwhile
        self._timers: dict[str, tuple[asyncio.TimerHandle, int]] = {}
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}  # from Retry-After
        self._idle: dict[asyncio.Future[None], int] = {}  # waiting workers, by last_priority

    def __len__(self) -> int:
        return len(self._queued)

    def add(self, key: str, priority: int) -> None:
        """Add a key, or raise its priority if it is queued."""
        wait = self._not_before.get(key, 0.0) - asyncio.get_running_loop().time()
        if wait > 0:
            self.add_after(key, wait, priority)
        elif key in self._busy:
            added = self._busy[key]
            self._busy[key] = priority if added is None else min(priority, added)
        elif key not in self._queued or priority < self._queued[key][0]:
            self._remove(key)
            group = self._group(key)
            self._queued[key] = priority, group
            self._ready.setdefault(priority, {}).setdefault(group, {})[key] = None
            self._wake(priority)

    def add_after(self, key: str, seconds: float, priority: int) -> None:
        """Add a key after a delay. Several calls combine: earliest time, highest priority."""
        loop = asyncio.get_running_loop()
        due = max(loop.time() + seconds, self._not_before.get(key, 0.0))
        if known := self._timers.get(key):
            timer, before = known
            if timer.when() <= due:
                self._timers[key] = timer, min(before, priority)
                return
            timer.cancel()
            priority = min(before, priority)
        # For less than a millisecond uvloop gives a handle that has no time.
        timer = loop.call_later(max(due - loop.time(), 0.001), self._on_time, key)
        self._timers[key] = timer, priority

    def add_rate_limited(
        self, key: str, priority: int, first: float = FIRST_BACKOFF_SECONDS, at_least: float = 0.0
    ) -> float:
        """Add a failed key after a delay that doubles with each failure; returns the seconds.

        ``first``: the delay of the first failure. ``at_least``: a lower bound, from Retry-After.
        """
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        seconds: float = min(first * 2 ** min(failures - 1, 10), MAX_BACKOFF_SECONDS)
        if at_least > seconds:
            self._not_before[key] = asyncio.get_running_loop().time() + at_least
        self.add_after(key, max(seconds, at_least), priority)
        return max(seconds, at_least)

    def forget(self, key: str) -> None:
        """Reset a key's rate limit after a success."""
        self._failures.pop(key, None)
        self._not_before.pop(key, None)

    async def get(self, last_priority: int) -> tuple[str, int]:
        """Wait for a key of ``last_priority`` or more urgent. Call ``done`` when it is handled."""
        while True:
            for priority in sorted(self._ready):
                if priority <= last_priority:
                    return self._take(priority), priority
            idle = asyncio.get_running_loop().create_future()
            self._idle[idle] = last_priority
            try:
                await idle
            finally:
                del self._idle[idle]

    def done(self, key: str) -> None:
        again = self._busy.pop(key)
        if again is not None:
            self.add(key, again)

    def close(self) -> None:
        for timer, _ in self._timers.values():
            timer.cancel()

    def _take(self, priority: int) -> str:
        """Take a key of the first group, and move that group to the end."""
        groups = self._ready[priority]
        group, keys = next(iter(groups.items()))
        groups[group] = groups.pop(group)
        key = next(iter(keys))
        self._remove(key)
        self._busy[key] = None
        return key

    def _remove(self, key: str) -> None:
        if key not in self._queued:
            return
        priority, group = self._queued.pop(key)
        groups = self._ready[priority]
        del groups[group][key]
        if not groups[group]:
            del groups[group]
        if not groups:
            del self._ready[priority]

    def _on_time(self, key: str) -> None:
        _, priority = self._timers.pop(key)
        self.add(key, priority)

    def _wake(self, priority: int) -> None:
        """Wake one idle worker, preferably the one with the most urgent ``last_priority``."""
        fit = [one for one, last in self._idle.items() if last >= priority and not one.done()]
        if fit:
            min(fit, key=self._idle.__getitem__).set_result(None)
