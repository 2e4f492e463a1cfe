"""The node: a process tree of its own mount, network, PID, IPC and UTS namespaces.

`lifecycle.start` runs `python -m cluster.node NAME PROGRAMS ADDRESS FOLDER` as root. That
process makes the namespaces, prints the PID of the node's first process and ends. The first
process builds a root of its own, waits for a line on its standard input (the network is
there), then becomes the components' supervisor. Killing it ends everything.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from cluster import paths
from cluster.errors import describe
from cluster.node import (
    addresses,
    cgroups,
    components,
    gpus,
    linux,
    load_balancers,
    network,
    options,
)
from cluster.node.drivers import Driver
from cluster.node.mounts import KERNEL_SETTINGS, Mount, copied_files, mounts, root_links
from cluster.node.server import Server
from cluster.node.supervisor import Supervisor, hold_signals

READY = "ready"
MAXIMUM_OPEN_FILES = 1 << 20


def main(name: str, programs: str, address: str, folder: str) -> None:
    """Become a node. To standard output go the PID of its first process, then READY.

    In place of either goes what kept it from getting there. `folder` is the cluster's; it
    also tells who looks at the list of processes: see `lifecycle.processes`.
    """
    os.umask(0o022)  # the modes of what Pods read are not the user's business
    cluster = paths.Cluster(name, Path(folder).parent.parent)
    with telling():
        chosen = options.read(cluster)
        cgroups.enter(cluster.cgroup)
        cgroups.limit(cluster.cgroup, chosen.memory_bytes, chosen.cpus)
        raise_open_files()
        linux.unshare(linux.NODE_NAMESPACES)
        turn = os.pipe()
        first = os.fork()
    if first:
        print(first, flush=True)
        os._exit(0)
    with telling():
        os.close(turn[1])
        os.read(turn[0], 1)  # ends when our parent has: its line comes first
        os.close(turn[0])
        os.setsid()
        socket.sethostname(addresses.NODE_NAME)
        simulated = gpus.read(cluster)
        enter_root(cluster, programs, simulated.driver)
        print(READY, flush=True)
    if not sys.stdin.readline():
        os._exit(1)
    os.dup2(os.open("/dev/null", os.O_RDWR), 0)
    os.dup2(2, 1)
    hold_signals()
    threading.Thread(target=give_addresses, args=(address,), daemon=True).start()
    Supervisor(components.components(address, simulated)).run()
    os._exit(0)


def give_addresses(node: str) -> None:
    """Give Services of type LoadBalancer addresses that the host has a route to."""

    def connect() -> Server:
        pki = Path(addresses.PKI)
        return Server("127.0.0.1", addresses.API_PORT, pki, "load-balancers")

    load_balancers.serve(network.for_services(network.around(node)), connect)


@contextlib.contextmanager
def telling() -> Iterator[None]:
    """Tell our parent what went wrong, in one line, and end."""
    try:
        yield
    except OSError as error:
        print(describe(error), flush=True)
        os._exit(1)


def raise_open_files() -> None:
    """A laptop's shell allows 1,024 files; etcd and containerd want more."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard > MAXIMUM_OPEN_FILES:
        hard = MAXIMUM_OPEN_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def enter_root(cluster: paths.Cluster, programs: str, driver: Driver) -> None:
    """Build the node's root in memory and make it this namespace's; the host's is gone then."""
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    root = str(cluster.folder / "root")
    copies = copied_files(cluster)
    mount_tree(root, mounts(cluster, programs, driver))
    for path, content in copies.items():
        target = Path(root + path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for link, to in root_links().items():
        os.symlink(to, root + link)
    _shield_kernel_settings(root)
    os.makedirs(root + "/.old")
    linux.pivot_root(root, root + "/.old")
    os.chdir("/")
    linux.detach("/.old")
    os.rmdir("/.old")
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_SHARED)


def mount_tree(root: str, plan: list[Mount]) -> None:
    """Carry out the mounts below `root`, making the folders that they need."""
    for step in plan:
        target = root + step.target
        make_target(step.source, target)
        linux.mount(step.source, target, step.kind, step.flags, step.data)
        if step.read_only:
            linux.make_read_only(target)


def make_target(source: str, target: str) -> None:
    """A folder to mount on, or a file where the source is one, such as a device."""
    if os.path.exists(source) and not os.path.isdir(source):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        Path(target).touch()
    else:
        os.makedirs(target, exist_ok=True)


def _shield_kernel_settings(root: str) -> None:
    """Show the kubelet the kernel settings that it wants, so that it does not change the host's."""
    for name, value in KERNEL_SETTINGS.items():
        setting = f"{root}/proc/sys/{name}"
        if not os.path.exists(setting):
            continue
        stand_in = Path(f"{root}/run/sysctl/{name.replace('/', '.')}")
        stand_in.parent.mkdir(parents=True, exist_ok=True)
        stand_in.write_text(f"{value}\n")
        linux.mount(str(stand_in), setting, flags=linux.MS_BIND)


if __name__ == "__main__":
    main(*sys.argv[1:])
