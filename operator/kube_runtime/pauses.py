"""Pauses after requests that the API server refuses: each pause of a key is longer than the last.

A quota or a policy refuses until somebody changes it, so what is refused waits, while everything
else about the key goes on. The work queue's own delays are for errors that pass by themselves.
"""

import asyncio

FIRST_SECONDS, MAX_SECONDS = 5.0, 60.0  # 5, 10, 20, 40, 60, 60 ...


class Pauses:
    """Of each key the last pause, on the clock of the running event loop."""

    def __init__(self) -> None:
        self._pauses: dict[str, tuple[float, float]] = {}  # end and length in seconds

    def __contains__(self, key: str) -> bool:
        return self.seconds_left(key) > 0

    def begin(self, key: str) -> float:
        """Begin the next pause; returns its length in seconds."""
        _, last = self._pauses.get(key, (0.0, FIRST_SECONDS / 2))
        seconds = min(2 * last, MAX_SECONDS)
        self._pauses[key] = asyncio.get_running_loop().time() + seconds, seconds
        return seconds

    def seconds_left(self, key: str) -> float:
        """Seconds until the pause is over; 0.0 without one."""
        end, _ = self._pauses.get(key, (0.0, 0.0))
        left = end - asyncio.get_running_loop().time()
        return left if left > 0.01 else 0.0  # a timer may fire a little early

    def end(self, key: str) -> None:
        """Forget the key: its next pause is a first one."""
        self._pauses.pop(key, None)

    def end_if_over(self, key: str) -> None:
        """For a pass that succeeded. If it had to leave something out, the pause is not over."""
        if key not in self:
            self.end(key)
