"""Many GETs on one connection: all are sent before the first answer is read (pipelining)."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from validator.connect.answer import Answer, Ask, answered
from validator.connect.connection import Address, Connection, NoCluster, parse_address
from validator.connect.http_connection import MOST_BODY_BYTES, HttpConnection, proxy_headers
from validator.connect.http_message import Broken, Failure, Head, Silent, Unreachable
from validator.connect.stream import HttpStream, Stream

if TYPE_CHECKING:
    import ssl

# What fits into the buffers of any socket: neither side waits for the other to read.
MOST_SENT_BYTES = 32 * 1024
USER_AGENT = "tfjob-workshop-validator"
DEFAULT_PAUSE_SECONDS = 0.5
IDLE_SECONDS = 60.0

_NOT_IN_A_PATH = re.compile(r"[^!-~]")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(r"\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII)


class HttpTransport:
    """The way to one API server over a socket. One connection is kept open for all GETs."""

    def __init__(self, connection: Connection) -> None:
        """Raises: NoCluster if the kubeconfig's address or certificates are of no use."""
        self.connection = connection
        self.server_time: datetime | None = None
        self.address = _address(connection)
        self.tls = _tls(connection) if self.address.scheme == "https" else None
        self._headers = _headers(connection, self.address, self.tls is None)
        self._open: HttpConnection | None = None
        self._used = 0.0

    def fetch(self, asks: Sequence[Ask]) -> list[Answer]:
        """Answers in order. What the server closed on is asked once more on a new connection."""
        answers: list[Answer] = []
        second_try_for, silent = -1, False
        while len(answers) < len(asks):
            try:
                self._go_on(asks, answers)
            except Failure as failure:
                self.close()
                if isinstance(failure, Broken) and second_try_for != len(answers):
                    second_try_for = len(answers)
                    continue
                lost = [Answer(0, message=str(failure))] * (len(asks) - len(answers))
                hopeless = silent or not _may_go_on(failure, answers)
                answers += lost if hopeless else lost[:1]
                silent = silent or isinstance(failure, Silent)
        return answers

    def stream(self, path: str, accept: str) -> Stream:
        """A GET that stays open; a stream that has ended if there is no connection."""
        try:
            opened = HttpConnection(self.connection, self.address, self.tls)
            opened.send(self._request(Ask(path, accept)))
        except Failure as failure:
            return Stream.failed(str(failure))
        return HttpStream(opened)

    def close(self) -> None:
        if self._open:
            self._open.close()
        self._open = None

    def _go_on(self, asks: Sequence[Ask], answers: list[Answer]) -> None:
        """Send what follows the last answer, and add its answers. Raises: Failure."""
        opened = self._connected()
        batch = self._batch(asks[len(answers) :])
        opened.send(b"".join(batch))
        for ask in asks[len(answers) : len(answers) + len(batch)]:
            head, body, cut, can_follow = opened.answer(ask.most_bytes)
            self.server_time = _date(head) or self.server_time
            answers.append(_answer(ask, head, body, cut))
            self._used = time.monotonic()
            if not can_follow:
                self.close()
                return
        if opened.buffer:  # what nobody asked for
            self.close()

    def _connected(self) -> HttpConnection:
        """The open connection; a new one if it idled, for a router may have forgotten it."""
        if time.monotonic() - self._used > IDLE_SECONDS:
            self.close()
        self._open = self._open or HttpConnection(self.connection, self.address, self.tls)
        return self._open

    def _batch(self, asks: Sequence[Ask]) -> list[bytes]:
        """The next requests: as many as the socket takes without an answer, at least one."""
        batch: list[bytes] = []
        size = 0
        for ask in asks:
            request = self._request(ask)
            size += len(request)
            if batch and size > MOST_SENT_BYTES:
                break
            batch.append(request)
        return batch

    def _request(self, ask: Ask) -> bytes:
        path = _NOT_IN_A_PATH.sub(lambda odd: quote(odd[0]), ask.path)
        proxied = f"http://{self.address.place}" if self.connection.proxy and not self.tls else ""
        line = f"GET {proxied}{self.address.path}{path} HTTP/1.1\r\nAccept: {ask.accept}\r\n"
        return line.encode() + self._headers


def _may_go_on(failure: Failure, answers: list[Answer]) -> bool:
    """Whether the next request is worth sending: the server lives, this one alone fails."""
    return not isinstance(failure, Unreachable) and any(answer.status for answer in answers)


def _address(connection: Connection) -> Address:
    address = parse_address(connection.server)
    if address is None or address.scheme not in ("http", "https"):
        raise NoCluster(
            "the server in the kubeconfig is not a usable URL",
            "correct the kubeconfig, or name another with --kubeconfig FILE",
        )
    return address


def _tls(connection: Connection) -> ssl.SSLContext:
    from validator.connect import tls

    return tls.context(connection)


def _headers(connection: Connection, address: Address, plain: bool) -> bytes:
    """The headers of every request, and the empty line."""
    headers = [("Host", address.url.partition("://")[2].removesuffix(address.path))]
    headers += [("User-Agent", USER_AGENT), *connection.headers]
    if connection.token:
        headers = [header for header in headers if header[0] != "Authorization"]
        headers.append(("Authorization", f"Bearer {connection.token}"))
    proxy = parse_address(connection.proxy) if connection.proxy and plain else None
    headers += proxy_headers(proxy).items() if proxy else []
    return "".join([*(f"{name}: {value}\r\n" for name, value in headers), "\r\n"]).encode()


def _answer(ask: Ask, head: Head, body: bytes, cut: bool) -> Answer:
    if cut and not ask.most_bytes:
        return Answer(0, message=f"the answer has more than {MOST_BODY_BYTES:,} bytes")
    return answered(head.status, body, cut, _retry_after(head, body))


def _retry_after(head: Head, body: bytes) -> float | None:
    """When to ask again, in seconds; None if that does not help.

    A 503 that the API server explains and gives no time for is its last word:
    behind a Service there is no Pod.
    """
    seconds = head.headers.get("retry-after", "")
    explained = b'"kind":"Status"' in body[:200]
    if head.status == 429 or (head.status == 503 and (seconds or not explained)):
        return float(seconds) if re.fullmatch(r"\d{1,6}", seconds) else DEFAULT_PAUSE_SECONDS
    return None


def _date(head: Head) -> datetime | None:
    """The server's clock. Of our own: email.utils and strptime are slow to import."""
    match = _DATE.fullmatch(head.headers.get("date", ""))
    if not match or match[2] not in _MONTHS:
        return None
    month = _MONTHS.index(match[2]) + 1
    day, year, hour, minute, second = (int(match[n]) for n in (1, 3, 4, 5, 6))
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
