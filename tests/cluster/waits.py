"""Wait for what happens by itself."""

import time
from collections.abc import Callable


def wait_until(holds: Callable[[], bool], timeout_seconds: float = 120) -> None:
    """Ask until it holds. Raises: AssertionError if it does not in time."""
    deadline = time.monotonic() + timeout_seconds
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)
