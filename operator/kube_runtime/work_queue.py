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


TURN_SECONDS = 0.1  # between keys that take turns
MAX_BACKOFF_SECONDS = 60.0
FIRST_BACKOFF_SECONDS = 0.25


class WorkQueue:
    """Keys in lanes. All methods but ``get`` return at once."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, dict[str, None]] = {lane: {} for lane in Lane}
        self._busy: dict[str, Lane | None] = {}  # with the lane of what was added meanwhile
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._failures: dict[str, int] = {}
        self._next_turn = 0.0
        self._idle: dict[asyncio.Future[None], Lane] = {}  # workers that wait, and their widest

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def add(self, key: str, lane: Lane) -> None:
        """Add a key, or move it to a more pressing lane."""
        if key in self._busy:
            added = self._busy[key]
            self._busy[key] = lane if added is None else min(lane, added)
        elif not any(key in self._lanes[waiting] for waiting in Lane if waiting <= lane):
            for keys in self._lanes.values():
                keys.pop(key, None)
            self._lanes[lane][key] = None
            self._wake(lane)

    def add_later(self, key: str, lane: Lane, seconds: float) -> bool:
        """Add a key after a time; of several times, the earliest counts. False: there is one."""
        loop, timer = asyncio.get_running_loop(), self._timers.get(key)
        seconds = max(seconds, 0.001)  # for less, uvloop gives a handle that has no time
        if timer and timer.when() <= loop.time() + seconds:
            return False
        if timer:
            timer.cancel()
        self._timers[key] = loop.call_later(seconds, self._on_time, key, lane)
        return True

    def add_in_turn(self, key: str, lane: Lane, seconds: float) -> None:
        """Add a key after a time, and after those that were added so before it."""
        now = asyncio.get_running_loop().time()
        turn = max(now + seconds, self._next_turn)
        if self.add_later(key, lane, turn - now):
            self._next_turn = turn + TURN_SECONDS

    def retry(self, key: str, lane: Lane, at_least_seconds: float = 0.0) -> None:
        """Add a key that failed, each time after twice the time."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        seconds = min(FIRST_BACKOFF_SECONDS * 2 ** min(failures - 1, 10), MAX_BACKOFF_SECONDS)
        self.add_later(key, lane, max(seconds, at_least_seconds))

    def succeeded(self, key: str) -> None:
        self._failures.pop(key, None)

    async def get(self, widest: Lane) -> tuple[str, Lane]:
        """The next key of the lanes up to ``widest``; call ``done`` when it is worked on."""
        while True:
            for lane, keys in self._lanes.items():
                if lane <= widest and keys:
                    key = next(iter(keys))
                    del keys[key]
                    self._busy[key] = None
                    return key, lane
            idle = asyncio.get_running_loop().create_future()
            self._idle[idle] = widest
            try:
                await idle
            finally:
                del self._idle[idle]

    def done(self, key: str) -> None:
        again = self._busy.pop(key)
        if again is not None:
            self.add(key, again)

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()

    def _on_time(self, key: str, lane: Lane) -> None:
        del self._timers[key]
        self.add(key, lane)

    def _wake(self, lane: Lane) -> None:
        """Wake one worker, by preference one that takes no other lane."""
        fit = [one for one, widest in self._idle.items() if widest >= lane and not one.done()]
        if fit:
            min(fit, key=self._idle.__getitem__).set_result(None)
