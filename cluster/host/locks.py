"""Locks between processes: a file that one of them holds. Called by builds, `up` and `down`."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from cluster import paths


@contextlib.contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a file; `waiting` is called once if another process holds it."""
    paths.make_folder(path.parent)
    descriptor = _acquire(path, waiting)
    try:
        yield
    finally:
        os.close(descriptor)


def _acquire(path: Path, waiting: Callable[[], None]) -> int:
    """The descriptor of the locked file that is at `path` now.

    Who waited may hold a file that was removed meanwhile: another process then locks a new one.
    """
    said = False
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except PermissionError:
            descriptor = os.open(path, os.O_RDONLY)  # root made it; a lock needs no right to write
        paths.hand_to_user(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not said:
                waiting()
            said = True
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        os.close(descriptor)
