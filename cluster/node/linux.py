"""The few system calls that Python 3.11 lacks. Called by `cluster.node` and `lifecycle.dns`.

Each raises OSError as the functions of `os` do. Source: the manual pages
unshare(2), setns(2), mount(2), umount2(2), pivot_root(2); numbers from <sys/mount.h>.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
NODE_NAMESPACES = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MS_SHARED = 1 << 20
MNT_DETACH = 2

CAP_SYS_RESOURCE = 24

MOUNT_SETATTR = 442
MOUNT_ATTR_RDONLY = 1
AT_FDCWD = -100
AT_RECURSIVE = 0x8000

_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)}: {what}")


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    _checked(_libc.setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    arguments = os.fsencode(source), os.fsencode(target), kind.encode() or None
    result = _libc.mount(*arguments, ctypes.c_ulong(flags), os.fsencode(data) or None)
    _checked(result, f"mount {kind or 'bind'} {source} on {target}")


def pivot_root(new_root: str, put_old: str) -> None:
    number = _PIVOT_ROOT[platform.machine()]
    _checked(_libc.syscall(number, os.fsencode(new_root), os.fsencode(put_old)), "pivot_root")


def detach(target: str) -> None:
    _checked(_libc.umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


def make_read_only(target: str) -> None:
    """Make a mount and all below it read-only. Source: mount_setattr(2), the same number on both
    processors; since kernel 5.12."""
    attributes = struct.pack("4Q", MOUNT_ATTR_RDONLY, 0, 0, 0)
    arguments = AT_FDCWD, os.fsencode(target), AT_RECURSIVE, attributes, len(attributes)
    _checked(_libc.syscall(MOUNT_SETATTR, *arguments), f"make {target} read-only")


def sync_filesystem(folder: str) -> None:
    """Have all that was written to a folder's file system on the disk itself. Source: syncfs(2)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _checked(_libc.syncfs(descriptor), f"sync {folder}")
    finally:
        os.close(descriptor)


def has_capability(number: int, status: str) -> bool:
    """Whether the text of /proc/self/status says that the capability is effective."""
    for line in status.splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False
