"""Waiting for the other replicas: their names resolve and their ports answer in any order."""

import socket
import time
from collections.abc import Callable, Mapping

from fashion_mnist import report
from fashion_mnist.failure import Interruption

PATIENCE_SECONDS = 600.0
PAUSE_SECONDS = 0.5
REMIND_SECONDS = 15.0


def wait_for(addresses: Mapping[str, str], patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Return when each of ``addresses`` (name → host:port) accepts a connection.

    Raises: Interruption after ``patience_seconds``.
    """
    _wait(addresses, _connection_problem, patience_seconds)


def wait_for_names(
    addresses: Mapping[str, str], patience_seconds: float = PATIENCE_SECONDS
) -> None:
    """Return when the name of each of ``addresses`` resolves. Raises: as `wait_for`."""
    _wait(addresses, _name_problem, patience_seconds)


def _wait(addresses: Mapping[str, str], problem_of: Callable, patience_seconds: float) -> None:
    end = time.monotonic() + patience_seconds
    for name, address in addresses.items():
        said_at = None
        while problem := problem_of(address):
            now = time.monotonic()
            if now > end:
                raise Interruption(f"Gave up waiting for {name} at {address}: {problem}.")
            if said_at is None or now - said_at >= REMIND_SECONDS:
                report.say(f"waiting for {name} at {address}: {problem}")
                said_at = now
            time.sleep(PAUSE_SECONDS)
        if said_at is not None:
            report.say(f"{name} answers")


def _connection_problem(address: str) -> str | None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except socket.gaierror:
        return "its name is not known yet"
    except OSError as error:
        return f"it does not answer yet ({error.strerror or error})"
    return None


def _name_problem(address: str) -> str | None:
    try:
        socket.getaddrinfo(address.rpartition(":")[0], None)
    except socket.gaierror:
        return "its name is not known yet"
    return None
