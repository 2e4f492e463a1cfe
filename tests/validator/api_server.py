"""A small API server over HTTP that answers lists, logs, watches and refusals from a table."""

from __future__ import annotations

import json
import select
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import yaml


class Reply(NamedTuple):
    """An answer in full, for what the short forms cannot say."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = {}  # noqa: RUF012


class ApiServer:
    """``answers``: by path, a list of items, a text, a status, a Reply, or a callable for one.

    A path with ``watch=true`` or ``follow=true`` stays open and sends what ``tell`` is told.
    ``seen`` has (path, path with query, Accept) of every request, ``heads`` all headers.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.default: Any = []
        self.seen: list[tuple[str, str, str]] = []
        self.heads: list[Message] = []
        self.connections = 0
        self.streams: list[str] = []
        self.url = ""
        self._told: defaultdict[str, Queue[str | None]] = defaultdict(Queue)

    @property
    def requests(self) -> int:
        return len(self.seen)

    def tell(self, path: str, *lines: Any) -> None:
        """Send to the watch or log of this path; before it is opened, when it is. Dicts as JSON."""
        for line in lines:
            self._told[path].put(line if isinstance(line, str) else json.dumps(line))

    def end(self, path: str) -> None:
        """Close the stream of this path, as the API server does after some minutes."""
        self._told[path].put(None)

    def told(self, path: str) -> Queue[str | None]:
        return self._told[path]

    def kubeconfig(self, folder: Path, cluster: dict[str, Any] | None = None, **user: Any) -> Path:
        """A kubeconfig file for this server."""
        path = folder / "kubeconfig"
        context = {"cluster": "c", "user": "u", "namespace": "learner"}
        config = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": context}],
            "clusters": [{"name": "c", "cluster": {"server": self.url, **(cluster or {})}}],
            "users": [{"name": "u", "user": user}],
        }
        path.write_text(yaml.safe_dump(config))
        return path


class Handler(BaseHTTPRequestHandler):
    """One connection; it may carry many requests."""

    protocol_version = "HTTP/1.1"
    api: ApiServer

    def setup(self) -> None:
        super().setup()
        self.api.connections += 1

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        self.api.seen.append((path, self.path, self.headers.get("Accept", "")))
        self.api.heads.append(self.headers)
        answer = self.api.answers.get(path, self.api.default)
        answer = answer() if callable(answer) else answer
        stays_open = "true" in query.get("watch", []) + query.get("follow", [])
        if stays_open and not isinstance(answer, int | Reply):
            self._stream(path)
        else:
            self._answer(reply_of(answer))

    def _answer(self, reply: Reply) -> None:
        body = reply.body.encode()
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, path: str) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.api.streams.append(path)
        try:
            while (line := self._next(path)) is not None:
                data = f"{line}\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True
        self.api.streams.remove(path)

    def _next(self, path: str) -> str | None:
        """The next line to send. Raises: OSError when the client has gone."""
        while True:
            try:
                return self.api.told(path).get(timeout=0.02)
            except Empty:
                if select.select([self.connection], [], [], 0)[0]:
                    raise ConnectionResetError from None

    def log_message(self, *words: Any) -> None:
        pass


def reply_of(answer: Any) -> Reply:
    if isinstance(answer, Reply):
        return answer
    if isinstance(answer, int):
        status = {"kind": "Status", "message": f"refused with {answer}"}
        return Reply(answer, json.dumps(status))
    return Reply(200, json.dumps({"items": answer}) if isinstance(answer, list) else str(answer))


@contextmanager
def serve(tls: ssl.SSLContext | None = None) -> Iterator[ApiServer]:
    """Serve on loopback for as long as the context lasts."""
    api = ApiServer()
    handler = type("Handler", (Handler,), {"api": api})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    api.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True).start()
    try:
        yield api
    finally:
        for path in list(api.streams):
            api.end(path)
        server.shutdown()
        server.server_close()


class RawServer:
    """Whatever ``script`` makes of a connection: for answers that no honest server gives."""

    def __init__(self, script: Any) -> None:
        self.connections = 0
        self.received: list[bytes] = []
        self._script = script
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._door.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        try:
            with line:
                self.received.append(line.recv(65536))
                self._script(line, self.received[-1])
        except OSError:
            pass

    def close(self) -> None:
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._door.close()


def saying(*parts: bytes | float) -> Any:
    """A script that sends bytes, and sleeps for numbers."""

    def script(line: socket.socket, _: bytes) -> None:
        for part in parts:
            if isinstance(part, bytes):
                line.sendall(part)
            else:
                time.sleep(part)

    return script


def tunnel(line: socket.socket, request: bytes) -> None:
    """The script of a proxy: CONNECT host:port, then bytes both ways."""
    host, _, port = request.split()[1].decode().rpartition(":")
    with socket.create_connection((host, int(port))) as server:
        line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        ends = {line: server, server: line}
        while True:
            for end in select.select(ends, [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                ends[end].sendall(data)
