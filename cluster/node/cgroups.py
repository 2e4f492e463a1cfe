"""A cluster's own control groups, on hosts with version 1, version 2 or both.

`cluster.node` enters them before anything runs; `lifecycle.down` removes them. Groups
of others are left alone: ours are one folder at the root of each hierarchy.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
COMPONENTS = "node"
PERIOD_US = 100_000
# The kubelet does not start where its root group lacks one of these that the kernel has.
# Source: k8s.io/kubernetes, pkg/kubelet/cm (getSupportedUnifiedControllers).
KUBELET_CONTROLLERS = frozenset(("cpu", "cpuset", "hugetlb", "memory", "pids"))
NEEDED_CONTROLLERS = frozenset(("cpu", "memory", "pids"))
POD_CONTROLLERS = sorted((*KUBELET_CONTROLLERS, "io"))


def hierarchies(mounts: str, root: Path = MOUNT) -> list[tuple[Path, bool]]:
    """(mount point, is version 2) of each hierarchy in the text of /proc/self/mounts."""
    found = []
    for line in mounts.splitlines():
        _, target, kind = line.split()[:3]
        if kind in ("cgroup", "cgroup2") and Path(target).is_relative_to(root):
            found.append((Path(target), kind == "cgroup2"))
    return found


def here() -> list[tuple[Path, bool]]:
    return hierarchies(Path("/proc/self/mounts").read_text(errors="replace"))


def enter(group: str) -> None:
    """Make the cluster's groups and move this process into the one of the components."""
    for mount, is_v2 in here():
        folder = mount / group
        for path in (folder.parent, folder, folder / COMPONENTS):
            path.mkdir(exist_ok=True)
            if is_v2:
                _delegate(path.parent)
            else:
                _inherit_cpuset(path)
        (folder / COMPONENTS / "cgroup.procs").write_text(str(os.getpid()))


def limit(group: str, memory_bytes: int, cpus: float) -> None:
    """Limit all of a cluster, components and Pods together; 0 is no limit."""
    wanted = {
        "memory.max": str(memory_bytes or "max"),
        "memory.limit_in_bytes": str(memory_bytes or -1),
        "cpu.max": f"{int(cpus * PERIOD_US) if cpus else 'max'} {PERIOD_US}",
        "cpu.cfs_quota_us": str(int(cpus * PERIOD_US) if cpus else -1),
    }
    for mount, _ in here():
        for name, value in wanted.items():
            if (mount / group / name).exists():
                (mount / group / name).write_text(value)


def _delegate(folder: Path) -> None:
    """Version 2: let the children of a group be limited by every controller it has."""
    available = (folder / "cgroup.controllers").read_text().split()
    for controller in POD_CONTROLLERS:
        if controller in available:
            with contextlib.suppress(OSError):
                (folder / "cgroup.subtree_control").write_text(f"+{controller}")


def lacking(mount: Path, folder: Path) -> list[str]:
    """Version 2: controllers that the kubelet wants of a group and the group does not have."""
    there, has = (set((f / "cgroup.controllers").read_text().split()) for f in (mount, folder))
    return sorted((KUBELET_CONTROLLERS & there | NEEDED_CONTROLLERS) - has)


def _inherit_cpuset(folder: Path) -> None:
    """Version 1: a new group has no processors and no memory until it is given some."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        path = folder / name
        if path.exists() and not path.read_text().strip():
            path.write_text((folder.parent / name).read_text())


def folders(group: str) -> list[Path]:
    """The folders of a group that is there: one in each hierarchy."""
    found = (mount / group for mount, _ in here())
    return [folder for folder in found if folder.is_dir()]


def members(group: str) -> set[int]:
    """PIDs of the processes in a group and those below it."""
    found: set[int] = set()
    for folder in folders(group):
        for path in folder.rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                found.update(int(pid) for pid in path.read_text().split())
    return found


def kill(group: str, timeout_seconds: float = 10.0) -> None:
    """End every process of a group and wait until none is left."""
    deadline = time.monotonic() + timeout_seconds
    while (left := members(group)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def remove(group: str, timeout_seconds: float = 5.0) -> None:
    """Remove the cluster's groups, whose processes have just died, and the empty parent."""
    deadline = time.monotonic() + timeout_seconds
    for mount, _ in here():
        while not _remove_tree(mount / group) and time.monotonic() < deadline:
            time.sleep(0.01)
        with contextlib.suppress(OSError):
            (mount / group).parent.rmdir()


def _remove_tree(folder: Path) -> bool:
    """Whether the group and those below it are gone now. A dying process keeps its group."""
    try:
        for path, _, _ in os.walk(folder, topdown=False):
            os.rmdir(path)
    except OSError:
        return not folder.exists()
    return True
