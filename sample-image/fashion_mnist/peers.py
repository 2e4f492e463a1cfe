"""Meeting the other replicas: names resolve and ports answer in any order, our own port is free."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Mapping

import tensorflow as tf

from fashion_mnist import report
from fashion_mnist.failure import Failure, Interruption

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


@contextlib.contextmanager
def serving(address: str) -> Iterator[None]:
    """Start TensorFlow's server of this replica. Raises: Failure if its port is taken."""
    try:
        yield
    except tf.errors.UnknownError as error:
        if "Could not start gRPC server" not in str(error):
            raise
        raise Failure(
            f"Cannot serve at {address}: another program listens at port"
            f" {address.rpartition(':')[2]}; end it, or give this replica another port."
        ) from error
