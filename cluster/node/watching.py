"""The API server as a part of the node sees it: requests and watches, standard library only.

All that it imports is loaded before the node leaves the host's files.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ANSWER_SECONDS = 10
WATCH_SECONDS = 240
MERGE = "application/merge-patch+json"
# As the standard library says it of files.
ERRORS = {404: FileNotFoundError, 409: FileExistsError}


class Server:
    """One API server, asked with a certificate of the folder `pki`."""

    def __init__(self, address: str, port: int, pki: Path, client: str) -> None:
        self.address, self.port = address, port
        self.context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self.context.load_cert_chain(pki / f"{client}.crt", pki / f"{client}.key")

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The object that the server answers with.

        Raises: FileNotFoundError and FileExistsError for 404 and 409; else OSError.
        """
        answer = self._open(method, path, body, ANSWER_SECONDS)
        found: dict[str, Any] = json.loads(answer.read())
        return found

    def watch(self, path: str, since: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """(ADDED, MODIFIED or DELETED, object) for each change after `since`, a list's metadata.

        It ends after some minutes, and where the server has forgotten what `since` was.
        """
        query = urlencode(
            {
                "watch": 1,
                "resourceVersion": since["resourceVersion"],
                "timeoutSeconds": WATCH_SECONDS,
            }
        )
        answer = self._open("GET", f"{path}?{query}", None, WATCH_SECONDS + ANSWER_SECONDS)
        with answer:
            while line := answer.readline():
                change = json.loads(line)
                if change["type"] == "ERROR":
                    return
                yield change["type"], change["object"]

    def _open(self, method: str, path: str, body: Any, seconds: float) -> http.client.HTTPResponse:
        connection = http.client.HTTPSConnection(
            self.address, self.port, timeout=seconds, context=self.context
        )
        kind = MERGE if method == "PATCH" else "application/json"
        text = None if body is None else json.dumps(body)
        # Closed by the server or by reading to the end, and with it the connection.
        headers = {"Content-Type": kind, "Connection": "close"}
        connection.request(method, path, text, headers)
        answer = connection.getresponse()
        if answer.status >= 400:
            said = _message(answer.read())
            raise ERRORS.get(answer.status, OSError)(f"{method} {path}: {answer.status} {said}")
        return answer


def _message(body: bytes) -> str:
    """The server's sentence, without the object around it."""
    text = body.decode(errors="replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, LookupError, TypeError):
        return text[:200]
