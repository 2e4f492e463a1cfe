"""What a node sees as its file system, as data. `cluster.node` carries it out.

A small root in memory: the host's programs read-only, its devices and control groups,
the cluster's own /var and /etc/kubernetes, and the simulated GPU driver.
Default paths such as /run/containerd therefore never reach the host.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cluster import paths
from cluster.node import addresses, drivers, linux

PROGRAM_FOLDERS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
HOST_FILES = (
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/protocols",
    "/etc/services",
)
# runc gives a container the first six; kmsg is what the kubelet reads.
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "kmsg", "fuse", "kvm", "net/tun")
# What the kubelet would otherwise set for the whole machine.
KERNEL_SETTINGS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}


@dataclass(frozen=True)
class Mount:
    """One mount; `target` is a path in the node."""

    source: str
    target: str
    kind: str = ""
    flags: int = 0
    data: str = ""
    read_only: bool = False


def bind(source: Path | str, target: str, read_only: bool = False) -> Mount:
    return Mount(str(source), target, flags=linux.MS_BIND | linux.MS_REC, read_only=read_only)


def memory(target: str, mode: str = "0755") -> Mount:
    flags = linux.MS_NOSUID | linux.MS_NODEV
    return Mount("tmpfs", target, "tmpfs", flags, f"mode={mode}")


def mounts(
    cluster: paths.Cluster, programs: str, driver: drivers.Driver = drivers.NO_DRIVER
) -> list[Mount]:
    """Every mount of a node, in order; the first is its root."""
    containers = containers_folder(cluster)
    return [
        Mount("tmpfs", "", "tmpfs", 0, "mode=0755"),
        Mount("proc", "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC),
        bind("/sys", "/sys"),
        *device_mounts(),
        memory("/run"),
        memory("/tmp", "1777"),
        bind("/usr", "/usr", read_only=True),
        *driver_mounts(cluster.drivers, driver),
        *(bind(path, path, read_only=True) for path in _real_program_folders()),
        bind(programs, addresses.BIN, read_only=True),
        bind(cluster.var, "/var"),
        bind(cluster.etc, addresses.CONFIG, read_only=True),
        bind(cluster.certificates, addresses.PKI, read_only=True),
        *([bind(containers, "/var/lib/containerd")] if containers else []),
    ]


def device_mounts() -> list[Mount]:
    """A /dev of the node's own: no disk, terminal or shared memory of the host is in it."""
    devices = [f"/dev/{name}" for name in DEVICES if os.path.exists(f"/dev/{name}")]
    terminals = "newinstance,ptmxmode=0666,mode=0620,gid=5"
    return [
        Mount("tmpfs", "/dev", "tmpfs", linux.MS_NOSUID, "mode=0755"),
        *(bind(path, path) for path in devices),
        Mount("devpts", "/dev/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, terminals),
        memory("/dev/shm", "1777"),
    ]


def driver_mounts(tree: Path, driver: drivers.Driver) -> list[Mount]:
    """The simulated driver: over folders of the host's, and in folders of its own."""
    return [
        *(over(tree / drivers.part_of(folder), folder) for folder in driver.over),
        *(bind(tree / drivers.part_of(f), f, read_only=True) for f in driver.beside),
    ]


def over(source: Path, target: str) -> Mount:
    """Show the files of a folder among those of the host's, read-only."""
    return Mount("overlay", target, "overlay", linux.MS_RDONLY, f"lowerdir={source}:{target}")


def containers_folder(cluster: paths.Cluster) -> Path | None:
    """Where containers live if not below the cluster's own /var."""
    return cluster.fallback if cluster.fallback.exists() else None


def _real_program_folders() -> list[str]:
    return [path for path in PROGRAM_FOLDERS if os.path.isdir(path) and not os.path.islink(path)]


def root_links() -> dict[str, str]:
    """Links of the host's root such as /bin → usr/bin, and those that every system has."""
    links = {path: os.readlink(path) for path in PROGRAM_FOLDERS if os.path.islink(path)}
    own = {"/etc/mtab": "../proc/self/mounts", "/dev/ptmx": "pts/ptmx", "/dev/fd": "/proc/self/fd"}
    return {**links, **own}


def copied_files(cluster: paths.Cluster) -> dict[str, bytes]:
    """Small files of the host's /etc that programs look into, and our own."""
    found = {path: Path(path).read_bytes() for path in HOST_FILES if os.path.isfile(path)}
    hosts = f"127.0.0.1 localhost\n127.0.1.1 {addresses.NODE_NAME}\n"
    own = {
        "/etc/hosts": hosts,
        "/etc/hostname": f"{addresses.NODE_NAME}\n",
        "/etc/machine-id": f"{cluster.id * 4}\n",
    }
    return {**found, **{path: text.encode() for path, text in own.items()}}
