"""Files that another program reads, or the next run: each is the old one or the new one, whole."""

from __future__ import annotations

import os
from pathlib import Path

from cluster import paths


def write(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Put a file in the place of `path` in one step; `mode` is the new file's.

    A text may hold the path of a folder whose name is not UTF-8, and that name is kept.
    An interruption, a full disk or a power cut leaves the old file, and beside it a part of the
    new one, which the next call replaces. One process at a time writes a path.
    """
    data = content if isinstance(content, bytes) else content.encode(errors="surrogateescape")
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)  # its mode may be another
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb") as file:
        file.write(data)
    paths.to_disk(unfinished)
    unfinished.replace(path)


def link(path: Path, target: Path) -> None:
    """Put a symbolic link in the place of `path` in one step, as `write` does a file."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    unfinished.symlink_to(target)
    unfinished.replace(path)
