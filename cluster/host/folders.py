"""Folders of the host, large ones too: where they are, and how they go."""

from __future__ import annotations

import subprocess
from pathlib import Path

REMOVE = ("rm", "-rf", "--one-file-system")


def nearest(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def remove(folder: Path) -> None:
    """Remove a folder, but nothing of what is mounted in it.

    What lies deep, mostly unpacked images, goes first and in parallel: the disk is what takes long.
    """
    if folder.exists():
        find = ["find", str(folder), "-xdev", "-mindepth", "6", "-depth", "-type", "d", "-print0"]
        # find names folders on which something is mounted too; --preserve-root=all keeps these.
        each = ["xargs", "-0", "-r", "-P8", "-n200", *REMOVE, "--preserve-root=all", "--"]
        with subprocess.Popen(find, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as found:
            subprocess.run(each, stdin=found.stdout, stderr=subprocess.DEVNULL)
        subprocess.run([*REMOVE, str(folder)], check=True)
