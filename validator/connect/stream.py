"""GETs that stay open: a watch, a log that is followed. Nothing here ever waits."""

from __future__ import annotations

from validator.connect.answer import answered
from validator.connect.http_connection import HttpConnection
from validator.connect.http_message import Body, Broken, Failure, parse_head

# An object has 1.5 MiB at most; a log's line may be as long.
MOST_LINE_BYTES = 16 * 1024 * 1024
MOST_REFUSAL_BYTES = 64 * 1024


class Stream:
    """Lines that arrive one by one.

    ``status`` is 0 until the answer begins; ``wait`` returns the stream then, too.
    ``message`` says why it ended, in the API's words for a refusal; "" if the
    server ended it as agreed. What is no 200 has no lines.
    """

    def __init__(self) -> None:
        self.status, self.message, self.ended = 0, "", False
        self._rest = bytearray()

    @classmethod
    def failed(cls, message: str) -> Stream:
        """One that has ended before it began."""
        stream = cls()
        stream.message, stream.ended = message, True
        return stream

    def lines(self) -> list[bytes]:
        """The complete lines that have arrived, without their ends. Sets ``ended``."""
        if not self.ended:
            self._rest += self._arrived()
        *lines, rest = bytes(self._rest).split(b"\n")
        if len(rest) > MOST_LINE_BYTES:
            self.end("a line is too long")
            rest = b""
        if self.ended and rest and not self.message:
            lines, rest = [*lines, rest], b""
        self._rest = bytearray(rest)
        return lines

    def end(self, message: str = "") -> None:
        self.message = message
        self.close()

    def fileno(self) -> int:
        """What to wait for; -1 if there is nothing."""
        return -1

    def pending(self) -> bool:
        """Whether ``lines`` has something to do, though nothing new arrives."""
        return self.ended

    def close(self) -> None:
        """Let go of the connection. May be called twice."""
        self.ended = True

    def _arrived(self) -> bytes | bytearray:
        """What has arrived of the content; calls ``end`` when nothing can follow."""
        return b""


class HttpStream(Stream):
    """A stream on a connection of its own, whose request has been sent."""

    def __init__(self, opened: HttpConnection) -> None:
        super().__init__()
        self._opened = opened
        self._body: Body | None = None
        self._refusal = bytearray()
        opened.never_wait()

    def fileno(self) -> int:
        return self._opened.socket.fileno()

    def pending(self) -> bool:
        return self.ended or self._opened.pending()

    def close(self) -> None:
        super().close()
        self._opened.close()

    def _arrived(self) -> bytes | bytearray:
        try:
            open_still = self._opened.read_now()
            self._body = self._body or self._begin(open_still)
            content = self._body.take(self._opened.buffer) if self._body else b""
        except Failure as failure:
            self.end(str(failure))
            return b""
        if self.status not in (0, 200):
            self._refuse(content, open_still)
            return b""
        self._end_with_body(open_still)
        return content

    def _begin(self, open_still: bool) -> Body | None:
        """The body, once the head is there. Raises: Failure."""
        head = parse_head(self._opened.buffer)
        if head:
            self.status = head.status
            return Body(head)
        if not open_still:
            raise Broken(f"{self._opened.peer} closed the connection without an answer")
        return None

    def _end_with_body(self, open_still: bool) -> None:
        try:
            if self._body and not open_still:
                self._body.closed()
        except Failure as failure:
            self.end(str(failure))
        if self._body and self._body.done:
            self.end()

    def _refuse(self, content: bytes | bytearray, open_still: bool) -> None:
        """Gather what the API says about a refusal, and end with it."""
        self._refusal += content
        done = not open_still or self._body is None or self._body.done
        if done or len(self._refusal) > MOST_REFUSAL_BYTES:
            self.end(answered(self.status, bytes(self._refusal)).message)
