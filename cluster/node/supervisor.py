"""Starts the node's components, and starts again any that ends. Part of `cluster.node`."""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401 -- ssl wants it later, when the host's files are gone
import functools
import json
import os
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from cluster import files
from cluster.errors import describe
from cluster.node import addresses, components
from cluster.node.server import Server

FAILURES = Path("/var/log/components/failures.json")
RESTART_DELAYS_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
EARLY_SECONDS = 10
AWAITED = (signal.SIGCHLD, signal.SIGTERM)
LARGEST_LOG_BYTES = 20_000_000
ENVIRONMENT = {
    "PATH": f"{addresses.BIN}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "GOGC": "200",
}


def hold_signals() -> None:
    """Keep the awaited signals until `run` asks; before any thread, which would lose them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)


@dataclass
class Slot:
    """One component and its current process, if any."""

    component: components.Component
    pid: int = 0
    started: float = 0.0
    failures: int = 0
    not_before: float = 0.0


class Supervisor:
    """The first process of the node: starts components, reaps orphans, ends at SIGTERM alone.

    That comes when the machine shuts down. The kernel ignores it for a first process that does
    not wait for it, and systemd would then wait 90 seconds. All others end with the first.
    """

    def __init__(self, wanted: list[components.Component]) -> None:
        self.slots = [Slot(component) for component in wanted]

    def run(self) -> None:
        got: signal.struct_siginfo | None = None
        while not (got and got.si_signo == signal.SIGTERM):
            self.start_all()
            waits = any(not slot.pid for slot in self.slots)
            got = signal.sigtimedwait(AWAITED, 0.02 if waits else 5.0)
            self.reap()
            self.forgive()

    def start_all(self) -> None:
        """Start, in their order, the components that do not run and whose needs are there.

        An API server that is starting may take a second to answer, so it is asked once for all.
        """
        now, is_ready = time.monotonic(), functools.cache(is_there)
        for slot in self.slots:
            if not slot.pid and now >= slot.not_before and is_ready(slot.component.after):
                start(slot)
                if not slot.pid:
                    self.note_failures()

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
            files.write(FAILURES, json.dumps(failures))


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
    """Whether the API server says so to anyone."""
    pki = Path(addresses.PKI)
    return Server("127.0.0.1", addresses.API_PORT, pki, timeout_seconds=1).is_ready()


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
