"""Reads /proc: which processes a node has. Called by `record`, `health`, `machines`, `status`."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def _fields(pid: int) -> list[bytes]:
    """The fields of /proc/PID/stat from the third on; none if the process is gone.

    The name, in parentheses before them, may hold spaces and half a character.
    """
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return []


def start_time(pid: int) -> int:
    """When a process started, in clock ticks since boot; -1 if there is none or it has ended."""
    fields = _fields(pid)
    return -1 if not fields or fields[0] in b"ZX" else int(fields[19])


def is_hidden(pid: int) -> bool:
    """Whether there is a process of another user's that /proc, mounted with hidepid, hides.

    Nothing is hidden from root.
    """
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, PermissionError) and not _fields(pid)
    return False


def is_stopped(pid: int) -> bool:
    """Whether a signal or a debugger holds a process."""
    return _fields(pid)[:1] in ([b"T"], [b"t"])


def parent(pid: int) -> int:
    fields = _fields(pid)
    return int(fields[1]) if fields else 0


def program(pid: int) -> str:
    """The file name of a process's program; empty for one that has ended."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
        return Path(os.fsdecode(command)).name
    except OSError:
        return ""


def node(pid: int) -> tuple[str, str, Path | None] | None:
    """(name, address, folder of its cluster) if a process is the first of a node."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return None
    if "cluster.node" not in words:
        return None
    given = words[words.index("cluster.node") + 1 : -1]
    return given[0], given[2], Path(given[3]) if len(given) > 3 else None


def all_pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def children(pid: int) -> dict[str, int]:
    """PID of each child by the name of its program."""
    return {program(child): child for child in all_pids() if parent(child) == pid}


def inotify_instances(uid: int) -> int:
    """How many inotify instances the processes of a user hold, as far as /proc shows them."""
    count = 0
    for pid in all_pids():
        folder = Path(f"/proc/{pid}/fd")
        with contextlib.suppress(OSError):
            if folder.parent.stat().st_uid == uid:
                links = (os.readlink(entry) for entry in os.scandir(folder))
                count += sum(1 for link in links if link == "anon_inode:inotify")
    return count
