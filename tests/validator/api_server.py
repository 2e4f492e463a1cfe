"""A small API server over HTTP that answers lists, logs and refusals from a table."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml


class ApiServer:
    """``answers``: by path, a list of items, a log text, or a status code to refuse with."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.default: Any = []
        self.seen: list[tuple[str, str, str]] = []
        self.url = ""

    def kubeconfig(self, folder: Path, **user: Any) -> Path:
        """A kubeconfig file for this server."""
        path = folder / "kubeconfig"
        context = {"cluster": "c", "user": "u", "namespace": "learner"}
        config = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": context}],
            "clusters": [{"name": "c", "cluster": {"server": self.url}}],
            "users": [{"name": "u", "user": user}],
        }
        path.write_text(yaml.safe_dump(config))
        return path


@contextmanager
def serve() -> Iterator[ApiServer]:
    """Serve on loopback for as long as the context lasts."""
    api = ApiServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            api.seen.append((path, self.path, self.headers.get("Accept", "")))
            answer = api.answers.get(path, api.default)
            status = answer if isinstance(answer, int) else 200
            body = json.dumps({"items": answer}) if isinstance(answer, list) else str(answer)
            if status != 200:
                body = json.dumps({"kind": "Status", "message": f"refused with {status}"})
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
