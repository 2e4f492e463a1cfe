"""HTTP/1.1 messages: take heads and bodies off what has arrived, piece by piece.

Pure: it works on a buffer. Of our own because http.client, with email below
it, takes 25 ms to import, and cannot pipeline.
Source: RFC 9112.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MOST_HEAD_BYTES = 64 * 1024
MOST_LINE_BYTES = 8192

_STATUS_LINE = re.compile(r"HTTP/1\.([01]) (\d{3})(?: .*)?")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")


class Failure(Exception):
    """No answer; the text says why, as a part of a sentence."""


class Unreachable(Failure):
    """Nobody to talk to: to ask again at once does not help."""


class Silent(Failure):
    """Nothing came within the time."""


class Broken(Failure):
    """The connection was closed, or what came is not HTTP: worth a second try."""


class Head(NamedTuple):
    """Status line and headers; the headers' names are in lower case."""

    status: int
    headers: dict[str, str]
    stays_open: bool


def parse_head(buffer: bytearray) -> Head | None:
    """Take the next head off the buffer; None if it is not complete. Raises: Broken."""
    while True:
        if not b"HTTP/".startswith(buffer[:5]):
            raise Broken("the answer is not HTTP: is this an API server?")
        end = buffer.find(b"\r\n\r\n", 0, MOST_HEAD_BYTES)
        if end < 0 and len(buffer) > MOST_HEAD_BYTES:
            raise Broken("the answer's headers are too long: is this an API server?")
        if end < 0:
            return None
        lines = buffer[:end].decode("latin-1").split("\r\n")
        del buffer[: end + 4]
        head = _head(lines)
        if head.status >= 200:
            return head


def _head(lines: list[str]) -> Head:
    match = _STATUS_LINE.fullmatch(lines[0])
    if not match:
        raise Broken("the answer is not HTTP: is this an API server?")
    pairs = (line.partition(":") for line in lines[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    closes = "close" in headers.get("connection", "").lower() or match[1] == "0"
    return Head(int(match[2]), headers, not closes)


class Body:
    """Takes one answer's body off a buffer, as its head says that it is framed."""

    def __init__(self, head: Head) -> None:
        """Raises: Broken if the head says nothing that can be followed."""
        coding = head.headers.get("transfer-encoding", "").lower()
        length = head.headers.get("content-length", "")
        if coding not in ("", "chunked") or not re.fullmatch(r"\d{0,15}", length, re.ASCII):
            raise Broken("the answer's length cannot be read")
        self.chunked = coding == "chunked"
        self.until_closed = not self.chunked and not length and head.status not in (204, 304)
        self.left = 0 if self.chunked else int(length or 0)
        self.done = not self.chunked and not self.until_closed and not self.left
        self._after_data, self._last, self._trailer_bytes = False, False, 0

    def take(self, buffer: bytearray) -> bytes | bytearray:
        """All of the body that is in the buffer. Raises: Broken."""
        if self.chunked:
            return self._take_chunks(buffer)
        size = len(buffer) if self.until_closed else min(self.left, len(buffer))
        taken = buffer[:size]
        del buffer[:size]
        self.left -= size
        self.done = not self.until_closed and self.left <= 0
        return taken

    def closed(self) -> None:
        """The server has closed the connection. Raises: Broken if more was to come."""
        if not self.until_closed and not self.done:
            raise Broken("the connection was closed in the middle of the answer")
        self.done = True

    def _take_chunks(self, buffer: bytearray) -> bytearray:
        taken = bytearray()
        while not self.done:
            if self.left:
                piece = buffer[: self.left]
                del buffer[: len(piece)]
                taken += piece
                self.left -= len(piece)
                if self.left:
                    break
                self._after_data = True
            line = _take_line(buffer)
            if line is None:
                break
            self._next(line)
        return taken

    def _next(self, line: bytes) -> None:
        """A line between the chunks: the end of one, the size of the next, or a trailer."""
        if self._after_data:
            self._after_data = False
            if line:
                raise Broken("the answer's chunks do not fit their sizes")
        elif self._last:
            self._trailer_bytes += len(line)
            self.done = not line
            if self._trailer_bytes > MOST_HEAD_BYTES:
                raise Broken("the answer's trailers are too long")
        else:
            size = _CHUNK_SIZE.fullmatch(line)
            if not size:
                raise Broken("the answer's chunks do not fit their sizes")
            self.left = int(size[1], 16)
            self._last = not self.left


def _take_line(buffer: bytearray) -> bytes | None:
    end = buffer.find(b"\r\n", 0, MOST_LINE_BYTES)
    if end < 0:
        if len(buffer) >= MOST_LINE_BYTES:
            raise Broken("the answer's chunks do not fit their sizes")
        return None
    line = bytes(buffer[:end])
    del buffer[: end + 2]
    return line
