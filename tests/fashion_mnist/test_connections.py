"""A port that nobody is connected to any more is noticed, and waiting for it is bounded."""

import socket
import time

import pytest

from fashion_mnist import connections


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_listening_port_has_no_connection_until_somebody_makes_one(server):
    port = server.getsockname()[1]
    assert connections.count(port) == 0
    with socket.create_connection(("127.0.0.1", port)):
        assert connections.count(port) >= 1  # more where other processes change the table


def test_waiting_ends_when_the_last_one_leaves(server):
    port = server.getsockname()[1]
    client = socket.create_connection(("127.0.0.1", port))
    accepted, _ = server.accept()
    client.close()
    accepted.close()
    began = time.monotonic()
    connections.wait_until_none(port, patience_seconds=60)
    assert time.monotonic() - began < 10


def test_waiting_for_one_that_stays_is_bounded(server):
    port = server.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)):
        began = time.monotonic()
        connections.wait_until_none(port, patience_seconds=0.3)
        assert time.monotonic() - began >= 0.3
