"""Keys for which something has to wait, and until when."""

import asyncio


class Pauses:
    """One pause per key, on the clock of the running event loop."""

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}

    def __contains__(self, key: str) -> bool:
        return self.seconds_left(key) > 0

    def begin(self, key: str, seconds: float) -> None:
        self._ends[key] = asyncio.get_running_loop().time() + seconds

    def end(self, key: str) -> None:
        self._ends.pop(key, None)

    def seconds_left(self, key: str) -> float:
        """Seconds until the pause is over; 0.0 without one. One that is over is forgotten."""
        left = self._ends.get(key, 0.0) - asyncio.get_running_loop().time()
        if left > 0.01:  # a timer may fire a little early
            return left
        self.end(key)
        return 0.0
