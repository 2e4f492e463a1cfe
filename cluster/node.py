"""The node: a process tree of its own mount, network, PID, IPC and UTS namespaces.

`cluster.up` runs `python -m cluster.node NAME PROGRAMS ADDRESS` as root. That process makes
the namespaces, prints the PID of the node's first process and ends. The first process
builds a root of its own, waits for a line on its standard input (the network is there),
then starts the components and starts again any that ends. Killing it ends everything.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401 -- ssl wants it later, when the host's files are gone
import json
import os
import resource
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cluster import cgroups, components, linux, load_balancers, network, options, paths
from cluster.errors import describe
from cluster.mounts import KERNEL_SETTINGS, Mount, copied_files, mounts, root_links
from cluster.watching import Server

READY = "ready"
FAILURES = Path("/var/log/components/failures.json")
MAXIMUM_OPEN_FILES = 1 << 20
RESTART_DELAYS_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
EARLY_SECONDS = 10
LARGEST_LOG_BYTES = 20_000_000
ENVIRONMENT = {
    "PATH": f"{components.BIN}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "GOGC": "200",
}


def main(name: str, programs: str, address: str, folder: str) -> None:
    """Become a node. To standard output go the PID of its first process, then READY.

    In place of either goes what kept it from getting there. `folder` is for who looks at
    the list of processes: see `cluster.machines`.
    """
    os.umask(0o022)  # the modes of what Pods read are not the user's business
    cluster = paths.cluster(name)
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
        socket.sethostname(components.NODE_NAME)
        enter_root(cluster, programs)
        print(READY, flush=True)
    if not sys.stdin.readline():
        os._exit(1)
    os.dup2(os.open("/dev/null", os.O_RDWR), 0)
    os.dup2(2, 1)
    threading.Thread(target=give_addresses, args=(address,), daemon=True).start()
    Supervisor(components.components(address, chosen.simulated)).run()


def give_addresses(node: str) -> None:
    """Give Services of type LoadBalancer addresses that the host has a route to."""

    def connect() -> Server:
        pki = Path(components.PKI)
        return Server("127.0.0.1", components.API_PORT, pki, "load-balancers")

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
                    if not slot.pid:
                        self.note_failures()
            signal.sigtimedwait({signal.SIGCHLD}, 0.02 if waiting else 5.0)
            self.reap()
            self.forgive()

    def reap(self) -> None:
        """Collect every process that ended, also those that containers left behind."""
        with contextlib.suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                for slot in self.slots:
                    if slot.pid == pid:
                        postpone(slot)
                        self.note_failures()

    def forgive(self) -> None:
        """A component that has run for a while has not failed."""
        now = time.monotonic()
        well = [s for s in self.slots if s.pid and s.failures and now - s.started > EARLY_SECONDS]
        for slot in well:
            slot.failures = 0
        if well:
            self.note_failures()

    def note_failures(self) -> None:
        """For `up` and `status`: which components end again and again, and how often."""
        failures = {slot.component.name: slot.failures for slot in self.slots if slot.failures}
        with contextlib.suppress(OSError):
            FAILURES.write_text(json.dumps(failures))


def postpone(slot: Slot) -> None:
    """Decide when a component that ended is started again: later each time it fails early."""
    now = time.monotonic()
    slot.failures = slot.failures + 1 if now - slot.started < EARLY_SECONDS else 0
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
    try:
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
    except OSError as error:  # a program that is missing or not whole: the node lives on
        with log.open("a") as words:
            words.write(f"{command[0]} cannot be started: {describe(error)}\n")
        postpone(slot)


if __name__ == "__main__":
    main(*sys.argv[1:])
