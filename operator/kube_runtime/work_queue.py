"""A work queue like client-go's: keys without duplicates, delays, a rate limit per key.

A key that is added while a worker has it is queued again after ``done``, so no two workers have the
same key. Keys have priorities, and each worker takes keys of some of them. Keys of one priority are
served round robin by group, such as their namespace.
"""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass

# A burst ends after a quiet time, in which no pass over a key of priority 0 began or ended. It is
# twice as long as the last such pass took, within these bounds: an API server that is slow has slow
# watches, too, so more keys may be on the way.
BURST_SECONDS, MAX_BURST_SECONDS = 0.1, 2.0
MAX_BACKOFF_SECONDS = 60.0
FIRST_BACKOFF_SECONDS = 0.25
TOGETHER_SECONDS = 5.0  # times of a key that lie closer than this are one


@dataclass(frozen=True)
class Share:
    """The keys that a worker takes: from the priority ``highest`` to ``lowest``, in this order.

    ``yields``: during a burst it takes keys of priority 0 at most. A burst begins when two of these
    are worked on at the same time. ``rest``: after each key the worker rests for so many times as
    long as it took, and so sends less to an API server that is slow.
    """

    lowest: int
    highest: int = 0
    yields: bool = False
    rest: float = 0.0


class WorkQueue:
    """Keys with a priority: 0 is the most urgent. All methods but ``get`` return at once."""

    def __init__(self, group: Callable[[str], str] = lambda key: "") -> None:
        self._group = group
        self._ready: dict[int, dict[str, dict[str, None]]] = {}  # priority: group: keys
        self._queued: dict[str, tuple[int, str]] = {}  # priority and group of the keys in _ready
        self._busy: dict[str, int | None] = {}  # value: priority if added again meanwhile
        # The busy keys of priority 0 that have not failed before, and since when.
        self._most_urgent: dict[str, float] = {}
        self._last_took = 0.0  # seconds of the last pass over one of them
        self._burst_end: asyncio.TimerHandle | None = None  # None: there is no burst
        self._timers: dict[str, list[tuple[asyncio.TimerHandle, int]]] = {}
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}  # from Retry-After
        self._idle: dict[asyncio.Future[None], Share] = {}  # waiting workers

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
        """Add a key after a delay.

        Two times of a key that are closer than TOGETHER_SECONDS become one: the earlier time, the
        higher priority. Of two that are farther apart the later one counts only if it is more
        urgent.
        """
        loop = asyncio.get_running_loop()
        due = max(loop.time() + seconds, self._not_before.get(key, 0.0))
        kept: list[tuple[asyncio.TimerHandle, int]] = []
        for timer, before in self._timers.get(key, ()):
            gap = timer.when() - due
            if gap <= 0 and before <= priority:
                return  # an earlier one is as urgent
            if abs(gap) <= TOGETHER_SECONDS:
                due, priority = min(due, timer.when()), min(before, priority)
                timer.cancel()
            elif gap > 0 and priority <= before:
                timer.cancel()
            else:
                kept.append((timer, before))
        # For less than a millisecond uvloop gives a handle that has no time.
        made = loop.call_later(max(due - loop.time(), 0.001), self._on_time, key, priority)
        self._timers[key] = [*kept, (made, priority)]

    def add_rate_limited(self, key: str, priority: int, at_least: float = 0.0) -> float:
        """Add a failed key after a delay that doubles with each failure; returns the seconds.

        ``at_least``: a lower bound, from Retry-After.
        """
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        seconds = min(FIRST_BACKOFF_SECONDS * 2.0 ** min(failures - 1, 10), MAX_BACKOFF_SECONDS)
        if at_least > seconds:
            self._not_before[key] = asyncio.get_running_loop().time() + at_least
        self.add_after(key, max(seconds, at_least), priority)
        return max(seconds, at_least)

    def forget(self, key: str) -> None:
        """Reset a key's rate limit after a success."""
        self._failures.pop(key, None)
        self._not_before.pop(key, None)

    async def get(self, share: Share) -> tuple[str, int]:
        """Wait for a key of ``share``, and its priority. Call ``done`` when it is handled."""
        while True:
            fit = [priority for priority in self._ready if self._fits(share, priority)]
            taken = (self._take(min(fit)), min(fit)) if fit else None
            # This worker may have been woken for another key than it took, or fits no longer.
            for priority in sorted(self._ready):
                self._wake(priority)
            if taken:
                return taken
            idle = asyncio.get_running_loop().create_future()
            self._idle[idle] = share
            try:
                await idle
            finally:
                del self._idle[idle]

    def done(self, key: str) -> None:
        again = self._busy.pop(key)
        if again is not None:
            self.add(key, again)
        if key in self._most_urgent:
            self._last_took = asyncio.get_running_loop().time() - self._most_urgent.pop(key)
            self._note_burst(begins=False)

    def close(self) -> None:
        for timer, _ in itertools.chain.from_iterable(self._timers.values()):
            timer.cancel()
        if self._burst_end:
            self._burst_end.cancel()

    def _take(self, priority: int) -> str:
        """Take a key of the first group, and move that group to the end."""
        groups = self._ready[priority]
        group, keys = next(iter(groups.items()))
        groups[group] = groups.pop(group)
        key = next(iter(keys))
        self._remove(key)
        self._busy[key] = None
        # A key that failed before is no burst: if it hangs again, it would hold up all the others.
        if priority == 0 and key not in self._failures:
            self._note_burst(begins=bool(self._most_urgent))
            self._most_urgent[key] = asyncio.get_running_loop().time()
        return key

    def _note_burst(self, begins: bool) -> None:
        """Begin a burst, or prolong the one that goes on."""
        if self._burst_end:
            self._burst_end.cancel()
        if self._burst_end or begins:
            seconds = min(max(BURST_SECONDS, 2 * self._last_took), MAX_BURST_SECONDS)
            self._burst_end = asyncio.get_running_loop().call_later(seconds, self._end_burst)

    def _end_burst(self) -> None:
        """Wake the workers that yielded, if there are keys for them. While two keys of priority 0
        are worked on the burst goes on, however long they take."""
        self._burst_end = None
        if len(self._most_urgent) > 1:
            self._note_burst(begins=True)
            return
        for one, share in self._idle.items():
            found = any(self._fits(share, priority) for priority in self._ready)
            if share.yields and found and not one.done():
                one.set_result(None)

    def _fits(self, share: Share, priority: int) -> bool:
        waits = share.yields and priority > 0 and self._burst_end is not None
        return share.highest <= priority <= share.lowest and not waits

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

    def _on_time(self, key: str, priority: int) -> None:
        # No two timers of a key have the same priority: a later one is always more urgent.
        if left := [each for each in self._timers.pop(key) if each[1] != priority]:
            self._timers[key] = left
        self.add(key, priority)

    def _wake(self, priority: int) -> None:
        """Wake one idle worker, preferably one that takes only the most urgent keys."""
        idle = [one for one in self._idle if not one.done()]
        if fit := [one for one in idle if self._fits(self._idle[one], priority)]:
            min(fit, key=lambda one: self._idle[one].lowest).set_result(None)
