"""Times as the API writes them (RFC 3339, UTC), and the seconds that are left until one."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]  # a test's clock is virtual
FOREVER = math.inf  # a delay in seconds that never ends


def utc_now() -> datetime:
    return datetime.now(UTC)


def timestamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_left(since: str | None, seconds: int | None, now: datetime) -> float:
    """Seconds until ``since`` plus ``seconds``; FOREVER if either is missing."""
    if not since or seconds is None:
        return FOREVER
    return (datetime.fromisoformat(since) - now).total_seconds() + seconds
