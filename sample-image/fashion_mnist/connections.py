"""Who is connected to a port of this container, as the kernel lists it."""

import time
from pathlib import Path

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
ESTABLISHED = "01"
PAUSE_SECONDS = 0.1


def wait_until_none(port: int, patience_seconds: float) -> None:
    """Return when nobody is connected to ``port``, or after ``patience_seconds``."""
    end = time.monotonic() + patience_seconds
    # Asked twice: the kernel lists a long table in parts, and it may change in between.
    while time.monotonic() < end and (count(port) or count(port)):
        time.sleep(PAUSE_SECONDS)


def count(port: int) -> int:
    """How many connections others have made to ``port``."""
    rows = [row.split() for table in TABLES for row in _lines(table)[1:]]
    return sum(
        int(local.rpartition(":")[2], 16) == port and state == ESTABLISHED
        for _, local, _, state, *_ in rows
    )


def _lines(table: Path) -> list[str]:
    try:
        return table.read_text().splitlines()
    except OSError:  # no IPv6, or no /proc
        return []
