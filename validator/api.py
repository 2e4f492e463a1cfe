"""GETs to the API server, and nothing else: ``fetch`` what ends, ``stream`` what stays open.

The official client takes 0.65 s to import, and http.client 25 ms. So this is
HTTP over a socket, on one connection (``http_transport``), or kubectl where
only kubectl can reach the cluster (``kubectl_raw``). Only ``cluster`` uses it.
"""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from validator.connect.answer import METADATA_ONLY, Answer, Ask
from validator.connect.connection import Connection
from validator.connect.http_transport import HttpTransport
from validator.connect.stream import Stream

__all__ = ["METADATA_ONLY", "Answer", "Api", "Ask", "Stream"]

# For a server that is busy (429) or restarts (503).
MOST_TRIES = 3
MOST_WAIT_SECONDS = 8.0


class Transport(Protocol):
    """A way to the API server."""

    @property
    def server_time(self) -> datetime | None: ...
    def fetch(self, asks: Sequence[Ask]) -> list[Answer]: ...
    def stream(self, path: str, accept: str) -> Stream: ...
    def close(self) -> None: ...


class Api:
    """One API server. No method raises for what the server does: it is in the answers."""

    def __init__(self, connection: Connection) -> None:
        """Raises: NoCluster if the kubeconfig's address or certificates are of no use."""
        self.connection = connection
        self._transport = _transport(connection)

    @property
    def server_time(self) -> datetime | None:
        """The server's clock at the newest answer; None if it has not told."""
        return self._transport.server_time

    def fetch(self, asks: Sequence[Ask]) -> list[Answer]:
        """GET everything, and give the answers in order. Raises: NoCluster if a login expired."""
        self._renew_if_expired()
        answers = self._transport.fetch(asks)
        if any(answer.status == 401 for answer in answers) and self._renew():
            answers = self._transport.fetch(asks)
        return self._patiently(asks, answers)

    def stream(self, path: str, accept: str = "application/json") -> Stream:
        """Open a watch or a log. It has ended at once if there is no connection."""
        self._renew_if_expired()
        return self._transport.stream(path, accept)

    def wait(self, streams: Sequence[Stream], timeout_seconds: float | None) -> list[Stream]:
        """Those that have something to read or have ended; none if the time is up."""
        ready = [stream for stream in streams if stream.pending()]
        if ready or not streams:
            return ready
        return select.select(streams, [], [], timeout_seconds)[0]

    def close(self) -> None:
        """Close the connection; streams stay open."""
        self._transport.close()

    def _patiently(self, asks: Sequence[Ask], answers: list[Answer]) -> list[Answer]:
        """Ask again what the server was too busy for, when it wants to be asked."""
        budget = MOST_WAIT_SECONDS
        for _ in range(MOST_TRIES):
            busy = [n for n, answer in enumerate(answers) if _pause(answer) <= budget]
            if not busy:
                break
            pause = max(_pause(answers[n]) for n in busy)
            budget -= pause
            time.sleep(pause)
            for n, answer in zip(busy, self._transport.fetch([asks[n] for n in busy]), strict=True):
                answers[n] = answer
        return answers

    def _renew_if_expired(self) -> None:
        expires = self.connection.expires
        if expires is not None and time.time() >= expires:
            self._renew()

    def _renew(self) -> bool:
        """Log in again. Returns: whether that gave something new. Raises: NoCluster."""
        if self.connection.renew is None:
            return False
        old, new = self.connection, self.connection.renew()
        self.connection = replace(
            old, token=new.token, certificate=new.certificate, key=new.key, expires=new.expires
        )
        if self.connection == old:
            return False
        self._transport.close()
        self._transport = _transport(self.connection)
        return True


def _pause(answer: Answer) -> float:
    """Seconds until the answer may be another; endless if it will not."""
    return float("inf") if answer.retry_after is None else answer.retry_after


def _transport(connection: Connection) -> Transport:
    if not connection.by_kubectl:
        return HttpTransport(connection)
    from validator.connect.kubectl_raw import KubectlTransport

    return KubectlTransport(connection)
