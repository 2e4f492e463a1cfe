"""Waiting for replicas that are not there yet, with a line that says for whom and why."""

import socket

import pytest

from fashion_mnist import peers
from fashion_mnist.failure import Interruption


@pytest.fixture
def address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"127.0.0.1:{port}"


def test_a_replica_that_answers_is_not_mentioned(capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        peers.wait_for({"ps 0": f"127.0.0.1:{server.getsockname()[1]}"})
    assert capsys.readouterr().out == ""


def test_a_replica_that_comes_late_is_waited_for(address, monkeypatch):
    monkeypatch.setattr(peers, "PAUSE_SECONDS", 0.01)
    said = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", int(address.split(":")[1])))

        def say(line):
            said.append(line)
            server.listen()

        monkeypatch.setattr(peers.report, "say", say)
        peers.wait_for({"ps 0": address})
    first, last = said
    assert first.startswith(f"waiting for ps 0 at {address}: it does not answer yet")
    assert last == "ps 0 answers"


def test_a_name_that_is_not_known_yet_is_waited_for(monkeypatch, capsys):
    answers = iter([socket.gaierror(), socket.gaierror(), []])

    def getaddrinfo(*_):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(peers, "PAUSE_SECONDS", 0)
    peers.wait_for_names({"worker 1": "j-worker-76no-1:2222"})
    assert capsys.readouterr().out.splitlines() == [
        "waiting for worker 1 at j-worker-76no-1:2222: its name is not known yet",
        "worker 1 answers",
    ]


def test_waiting_ends_as_retryable(address):
    with pytest.raises(Interruption, match="Gave up waiting for ps 0") as end:
        peers.wait_for({"ps 0": address}, patience_seconds=0)
    assert end.value.exit_code >= 128
