"""One connection to the API server: connect, through a proxy and TLS if need be, send, read."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from validator.connect.connection import Address, Connection, parse_address
from validator.connect.http_message import (
    Body,
    Broken,
    Failure,
    Head,
    Silent,
    Unreachable,
    parse_head,
)
from validator.connect.login import basic

if TYPE_CHECKING:
    import ssl

# A laptop that trains on all its cores may take this long to answer.
SILENCE_SECONDS = 10.0
MOST_BODY_BYTES = 1 << 30
# More than this of an answer that is cut is not worth reading to keep the connection.
DRAIN_BYTES = 256 * 1024
READ_BYTES = 256 * 1024


class HttpConnection:
    """One open connection to the API server, through the proxy if there is one."""

    def __init__(
        self, connection: Connection, address: Address, tls: ssl.SSLContext | None
    ) -> None:
        """Connect. Raises: Failure."""
        self.buffer = bytearray()
        proxy = parse_address(connection.proxy) if connection.proxy else None
        self.peer = f"the proxy {proxy.url}" if proxy else address.url
        self.socket = _open(proxy or address)
        try:
            if proxy and tls:
                self._tunnel(proxy, address)
            self.peer = self.peer if proxy and not tls else address.url
            if tls:
                self._shake_hands(tls, address, connection.server_name)
        except BaseException:
            self.close()
            raise

    def send(self, data: bytes) -> None:
        """Raises: Failure."""
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise self._failure(error) from None

    def answer(self, most_bytes: int) -> tuple[Head, bytes, bool, bool]:
        """(head, body, whether the body was cut, whether another answer can follow)."""
        head = self.head()
        body, content = Body(head), bytearray()
        bound = most_bytes or MOST_BODY_BYTES
        while True:
            content += body.take(self.buffer)
            if body.done or len(content) > bound + DRAIN_BYTES:
                break
            if not self._more():
                body.closed()
                break
        reusable = head.stays_open and body.done and not body.until_closed
        cut = len(content) > bound
        del content[bound:]
        return head, bytes(content), cut, reusable

    def head(self) -> Head:
        """Wait for the next head. Raises: Failure; Silent also if it drips in too slowly."""
        since = 0.0
        while True:
            head = parse_head(self.buffer)
            if head:
                return head
            since = since or (time.monotonic() if self.buffer else 0.0)
            if since and time.monotonic() - since > SILENCE_SECONDS:
                raise Silent(f"{self.peer} answers too slowly")
            if not self._more():
                raise Broken(f"{self.peer} closed the connection without an answer")

    def read_now(self) -> bool:
        """Add what has arrived to the buffer, without waiting (see ``never_wait``).

        Returns: whether the server may send more. Raises: Failure.
        """
        start = len(self.buffer)
        while len(self.buffer) - start < 16 * READ_BYTES:
            try:
                data = self.socket.recv(READ_BYTES)
            except OSError as error:
                if _would_wait(error) or len(self.buffer) > start:
                    return True  # an error comes again; first what arrived before it
                raise self._failure(error) from None
            if not data:
                return False
            self.buffer += data
        return True

    def never_wait(self) -> None:
        """From now on reading does not wait; a peer that is gone is noticed in a minute."""
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, name):
                self.socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def pending(self) -> bool:
        """Whether TLS holds data that select does not see."""
        return bool(getattr(self.socket, "pending", int)())

    def close(self) -> None:
        self.socket.close()

    def _more(self) -> bool:
        """Wait for more. Returns: False if the server has closed. Raises: Failure."""
        try:
            data = self.socket.recv(READ_BYTES)
        except OSError as error:
            raise self._failure(error) from None
        self.buffer += data
        return bool(data)

    def _tunnel(self, proxy: Address, address: Address) -> None:
        """Ask the proxy for a way to the server. Raises: Failure."""
        headers = {"Host": address.place, **proxy_headers(proxy)}
        lines = [f"CONNECT {address.place} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        self.send("\r\n".join([*lines, "", ""]).encode())
        status = self.head().status
        if not 200 <= status < 300:
            why = "wants a login" if status == 407 else "refuses to connect"
            raise Unreachable(f"{self.peer} {why} (HTTP {status})")

    def _shake_hands(self, context: ssl.SSLContext, address: Address, name: str | None) -> None:
        from validator.connect import tls

        try:
            self.socket = tls.wrap(self.socket, context, address, name)
        except OSError as error:
            if tls.refused(error):
                raise Unreachable(f"{self.peer}: {tls.words(error)}") from None
            raise self._failure(error) from None
        except ValueError:
            raise Unreachable("the kubeconfig's tls-server-name is not a name") from None

    def _failure(self, error: OSError) -> Failure:
        """What an error of the socket means."""
        if isinstance(error, TimeoutError):
            return Silent(f"{self.peer} does not answer within {SILENCE_SECONDS:.0f} seconds")
        if isinstance(error, ConnectionError):
            return Broken(f"{self.peer} closed the connection without an answer")
        if type(error).__module__ == "ssl":
            from validator.connect import tls

            return Broken(f"{self.peer}: {tls.words(error)}")
        return Broken(f"{self.peer}: {error.strerror or error}")


def proxy_headers(proxy: Address) -> dict[str, str]:
    return {f"Proxy-{name}": value for name, value in basic(proxy.login)}


def _would_wait(error: OSError) -> bool:
    return isinstance(error, BlockingIOError) or type(error).__name__ in (
        "SSLWantReadError",
        "SSLWantWriteError",
    )


def _open(address: Address) -> socket.socket:
    """Connect to the first of the host's addresses that answers. Raises: Failure."""
    try:
        # A name in bytes spares the import of encodings.idna.
        places = socket.getaddrinfo(address.host.encode(), address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable(f"the name {address.host} is not known (DNS)") from None
    failure: Failure = Unreachable(f"the name {address.host} has no address")
    for family, kind, protocol, _, place in places:
        opened = socket.socket(family, kind, protocol)
        opened.settimeout(SILENCE_SECONDS / len(places))
        try:
            opened.connect(place)
        except OSError as error:
            opened.close()
            failure = _not_open(address, error)
            continue
        opened.settimeout(SILENCE_SECONDS)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened
    raise failure


def _not_open(address: Address, error: OSError) -> Failure:
    if isinstance(error, TimeoutError):
        return Unreachable(f"{address.url} does not answer within {SILENCE_SECONDS:.0f} seconds")
    if isinstance(error, ConnectionRefusedError):
        return Unreachable(f"nothing listens at {address.url}")
    return Unreachable(f"{address.url}: {(error.strerror or str(error)).lower()}")
