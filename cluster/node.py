"""The node: a process tree of its own mount, network, PID, IPC and UTS namespaces.

`cluster.up` runs `python -m cluster.node NAME PROGRAMS ADDRESS GPUS NAMES` as root. That process
makes the namespaces, prints the PID of the node's first process and ends. The first process
builds a root of its own, waits for a line on its standard input (the network is there),
then starts the components and starts again any that ends. Killing it ends everything.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401 -- ssl wants it later, when the host's files are gone
import os
import resource
import signal
import socket
import ssl
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from cluster import cgroups, components, linux, paths
from cluster.mounts import KERNEL_SETTINGS, Mount, copied_files, mounts, root_links

MAXIMUM_OPEN_FILES = 1 << 20
RESTART_DELAYS_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
LARGEST_LOG_BYTES = 20_000_000
ENVIRONMENT = {
    "PATH": f"{components.BIN}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "GOGC": "200",
}


def main(name: str, programs: str, address: str, gpus: str, names: str) -> None:
    """Become a node; only the first process's PID goes to standard output.

    gpus: how many are simulated. names: ``both``, or ``today`` without the name of 2017.
    """
    cluster = paths.cluster(name)
    cgroups.enter(cluster.cgroup)
    raise_open_files()
    linux.unshare(
        linux.CLONE_NEWNS
        | linux.CLONE_NEWNET
        | linux.CLONE_NEWPID
        | linux.CLONE_NEWIPC
        | linux.CLONE_NEWUTS
    )
    first = os.fork()
    if first:
        print(first, flush=True)
        os._exit(0)
    os.setsid()
    socket.sethostname(components.NODE_NAME)
    enter_root(cluster, programs)
    if not sys.stdin.readline():
        os._exit(1)
    os.dup2(os.open("/dev/null", os.O_RDWR), 0)
    os.dup2(2, 1)
    simulated = components.Gpus(int(gpus), names == "both")
    Supervisor(components.components(address, simulated)).run()


def raise_open_files() -> None:
    """A laptop's shell allows 1,024 files; etcd and containerd want more."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard > MAXIMUM_OPEN_FILES:
        hard = MAXIMUM_OPEN_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def enter_root(cluster: paths.Cluster, programs: str) -> None:
    """Build the node's root in memory and make it this namespace's; the host's is gone then."""
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    root = str(cluster.folder / "root")
    copies = copied_files(cluster)
    mount_tree(root, mounts(cluster, programs))
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
        os.makedirs(target, exist_ok=True)
        linux.mount(step.source, target, step.kind, step.flags, step.data)
        if step.read_only:
            again = linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY
            linux.mount("none", target, flags=again)


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


@dataclass
class Slot:
    """One component and its current process, if any."""

    component: components.Component
    pid: int = 0
    started: float = 0.0
    failures: int = 0
    not_before: float = 0.0


class Supervisor:
    """The first process of the node: starts components, reaps orphans, never ends."""

    def __init__(self, wanted: list[components.Component]) -> None:
        self.slots = [Slot(component) for component in wanted]

    def run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        while True:
            now = time.monotonic()
            waiting = [slot for slot in self.slots if not slot.pid]
            for slot in waiting:
                if now >= slot.not_before and is_there(slot.component.after):
                    start(slot)
            signal.sigtimedwait({signal.SIGCHLD}, 0.02 if waiting else 5.0)
            self.reap()

    def reap(self) -> None:
        """Collect every process that ended, also those that containers left behind."""
        with contextlib.suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                for slot in self.slots:
                    if slot.pid == pid:
                        postpone(slot)


def postpone(slot: Slot) -> None:
    """Decide when a component that ended is started again: later each time it fails early."""
    now = time.monotonic()
    slot.failures = slot.failures + 1 if now - slot.started < 10 else 0
    slot.not_before = now + RESTART_DELAYS_SECONDS[min(slot.failures, 5)]
    slot.pid = 0


def is_there(needed: str | int | None) -> bool:
    """Whether what a component needs first is there: see `components.Component.after`."""
    if needed is None:
        return True
    if needed == components.API_READY:
        return api_is_ready()
    if isinstance(needed, str):
        family: socket.AddressFamily = socket.AF_UNIX
        address: str | tuple[str, int] = needed
    else:
        family, address = socket.AF_INET, ("127.0.0.1", needed)
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(address) == 0


def api_is_ready() -> bool:
    """Whether the API server says so; anyone may ask once its roles are in place."""
    try:
        context = ssl.create_default_context(cafile=f"{components.PKI}/ca.crt")
        plain = socket.create_connection(("127.0.0.1", components.API_PORT), timeout=1)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as server:
            server.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
            return server.recv(64).startswith(b"HTTP/1.0 200")
    except OSError:
        return False


def start(slot: Slot) -> None:
    """Start a component with its output in a log of its own."""
    log = Path("/var/log/components") / f"{slot.component.name}.log"
    if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".log.old"))
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    command = slot.component.command
    slot.started = time.monotonic()
    slot.pid = os.posix_spawn(
        command[0],
        command,
        ENVIRONMENT,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsigmask=[],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
