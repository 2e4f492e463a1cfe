"""A server on loopback that passes every request on to the API server, and counts it.

Plain HTTP comes in, so it works for any client: the validator and kubectl have
only to be given its kubeconfig.
"""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from validator.connect import tls
from validator.connect.connection import Connection, parse_address

PASSED_ON = ("accept", "content-type")


class Relay:
    """``seen`` has the path of every request, with its query."""

    def __init__(self, connection: Connection) -> None:
        self.seen: list[str] = []
        self.url = ""
        self.connection, self.address = connection, parse_address(connection.server)
        self.tls = tls.context(connection) if self.address.scheme == "https" else None

    def ask(self, path: str, headers: dict[str, str]) -> tuple[int, str, bytes]:
        """(status, content type, body), on a connection of its own."""
        self.seen.append(path)
        place = (self.address.host, self.address.port)
        if self.tls:
            line = http.client.HTTPSConnection(*place, context=self.tls)
        else:
            line = http.client.HTTPConnection(*place)
        if self.connection.token:
            headers["Authorization"] = f"Bearer {self.connection.token}"
        line.request("GET", self.address.path + path, headers=headers)
        answer = line.getresponse()
        body = answer.read()
        line.close()
        return answer.status, answer.headers.get("Content-Type", ""), body

    def kubeconfig(self, folder: Path) -> Path:
        path = folder / "kubeconfig"
        context = {"cluster": "relay", "user": "", "namespace": self.connection.namespace}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "relay",
            "contexts": [{"name": "relay", "context": context}],
            "clusters": [{"name": "relay", "cluster": {"server": self.url}}],
        }
        path.write_text(json.dumps(config))
        return path


@contextmanager
def relay(connection: Connection) -> Iterator[Relay]:
    """Serve on loopback for as long as the context lasts."""
    made = Relay(connection)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            wanted = {name: self.headers[name] for name in PASSED_ON if self.headers[name]}
            status, content_type, body = made.ask(self.path, wanted)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
