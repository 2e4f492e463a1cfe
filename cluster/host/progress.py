"""Shows how far several things are, on one line where someone watches; else a line a minute.

The things run in threads of their own; each has a name and says its state in a few words.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator

# Who reads a log sees that it goes on; some machines end what writes nothing for long.
LOG_SECONDS = 60.0
_lock = threading.Lock()
_states: dict[str, str] = {}


@contextlib.contextmanager
def line(name: str, report: Callable[[str], None] | None = None) -> Iterator[Callable[[str], None]]:
    """Show the states of one thing while the block runs; where `report` is given, tell it only."""
    if report is not None:
        yield report
        return
    start = time.monotonic()
    shown = never = -math.inf

    def say(state: str) -> None:
        nonlocal shown
        with _lock:
            _states[name] = state
            now = time.monotonic()
            if sys.stdout.isatty():
                shown = now
                _draw()
            elif now - shown >= LOG_SECONDS:
                shown = now
                print(f"{name}: {state} …", flush=True)

    try:
        yield say
    except BaseException:
        _forget(name, "")
        raise
    _forget(name, f"{name}: {time.monotonic() - start:.0f} s" if shown > never else "")


def note(text: str) -> None:
    """Print a line above the states."""
    with _lock:
        _clear()
        print(text, flush=True)
        _draw()


def _forget(name: str, last_words: str) -> None:
    with _lock:
        _states.pop(name, None)
        _clear()
        if last_words:
            print(last_words, flush=True)
        _draw()


def _clear() -> None:
    if sys.stdout.isatty():
        print("\r\033[K", end="", flush=True)


def _draw() -> None:
    if sys.stdout.isatty() and _states:
        text = " | ".join(f"{name}: {state}" for name, state in _states.items())
        print(f"\r\033[K{text[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)
