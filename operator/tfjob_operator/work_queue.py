"""The controller's queue: each key once, the most pressing lane first, retries with back-off.

A key that is added while it is worked on is worked on again afterwards, never by two at a time.
Finishing outranks starting: some workers take nothing but the first lane.
"""

import asyncio
from enum import IntEnum


class Lane(IntEnum):
    """What a key waits for, the most pressing first."""

    FINISH = 0  # something ended, or its time has come
    START = 1  # children are missing
    PROGRESS = 2  # only the status tells more


TURN_SECONDS = 0.05  # between keys that take turns
MAX_BACKOFF_SECONDS = 60.0
FIRST_BACKOFF_SECONDS = 0.25


class WorkQueue:
    """Keys in lanes. All methods but ``get`` return at once."""

    def __init__(self) -> None:
        self._lanes: list[dict[str, None]] = [{} for _ in Lane]
        self._waiting: dict[str, Lane] = {}
        self._busy: dict[str, Lane | None] = {}  # with the lane of what was added meanwhile
        self._timers: dict[str, tuple[float, asyncio.TimerHandle]] = {}
        self._failures: dict[str, int] = {}
        self._next_turn = 0.0
        self._idle: list[tuple[Lane, asyncio.Future[None]]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: str, lane: Lane) -> None:
        """Add a key, or move it to a more pressing lane."""
        if key in self._busy:
            added = self._busy[key]
            self._busy[key] = lane if added is None else min(lane, added)
            return
        waiting = self._waiting.get(key)
        if waiting is not None and waiting <= lane:
            return
        if waiting is not None:
            del self._lanes[waiting][key]
        self._lanes[lane][key] = None
        self._waiting[key] = lane
        self._wake(lane)

    def add_later(self, key: str, lane: Lane, seconds: float) -> bool:
        """Add a key after a time; of several times, the earliest counts. False: there is one."""
        loop = asyncio.get_running_loop()
        due, timer = self._timers.get(key, (None, None))
        if due is not None and timer is not None:
            if due <= loop.time() + seconds:
                return False
            timer.cancel()
        self._timers[key] = (
            loop.time() + seconds,
            loop.call_later(seconds, self._on_time, key, lane),
        )
        return True

    def add_in_turn(self, key: str, lane: Lane, seconds: float) -> None:
        """Add a key after a time, and after those that were added so before it."""
        now = asyncio.get_running_loop().time()
        turn = max(now + seconds, self._next_turn)
        if self.add_later(key, lane, turn - now):
            self._next_turn = turn + TURN_SECONDS

    def retry(self, key: str, lane: Lane, at_least_seconds: float = 0.0) -> None:
        """Add a key that failed, each time after twice the time."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        seconds = min(FIRST_BACKOFF_SECONDS * 2 ** min(failures, 10), MAX_BACKOFF_SECONDS)
        self.add_later(key, lane, max(seconds, at_least_seconds))

    def succeeded(self, key: str) -> None:
        self._failures.pop(key, None)

    async def get(self, widest: Lane) -> tuple[str, Lane]:
        """The next key of the lanes up to ``widest``; call ``done`` when it is worked on."""
        while True:
            for lane in Lane:
                if lane <= widest and self._lanes[lane]:
                    key = next(iter(self._lanes[lane]))
                    del self._lanes[lane][key], self._waiting[key]
                    self._busy[key] = None
                    return key, lane
            await self._sleep(widest)

    def done(self, key: str) -> None:
        again = self._busy.pop(key)
        if again is not None:
            self.add(key, again)

    def close(self) -> None:
        for _, timer in self._timers.values():
            timer.cancel()

    def _on_time(self, key: str, lane: Lane) -> None:
        del self._timers[key]
        self.add(key, lane)

    async def _sleep(self, widest: Lane) -> None:
        entry = (widest, asyncio.get_running_loop().create_future())
        self._idle.append(entry)
        try:
            await entry[1]
        finally:
            if entry in self._idle:
                self._idle.remove(entry)

    def _wake(self, lane: Lane) -> None:
        """Wake one worker, by preference one that takes no other lane."""
        fit = [entry for entry in self._idle if entry[0] >= lane and not entry[1].done()]
        if fit:
            entry = min(fit, key=lambda entry: entry[0])
            self._idle.remove(entry)
            entry[1].set_result(None)
