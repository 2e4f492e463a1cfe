"""The API server as the host and a part of the node ask it: standard library only.

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
    """One API server, asked with a certificate of the folder `pki`; as nobody without `client`.

    Each request has a connection of its own.
    """

    def __init__(
        self,
        address: str,
        port: int,
        pki: Path,
        client: str = "",
        timeout_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.address, self.port, self.timeout_seconds = address, port, timeout_seconds
        self.context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        # A cluster of an earlier version has certificates that Python 3.13 finds too short.
        self.context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if client:
            self.context.load_cert_chain(pki / f"{client}.crt", pki / f"{client}.key")

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> tuple[int, bytes]:
        """(status, body). Raises: OSError if the server cannot be reached."""
        headers = {"Accept": accept, "Content-Type": content_type}
        try:
            with self._open(method, path, body, headers, self.timeout_seconds) as answer:
                return answer.status, answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from None

    def is_ready(self) -> bool:
        """Whether it says so. It answers nobody before its roles are in place."""
        try:
            return self.request("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The object that the server answers with.

        Raises: FileNotFoundError and FileExistsError for 404 and 409; else OSError.
        """
        text = None if body is None else json.dumps(body).encode()
        kind = MERGE if method == "PATCH" else "application/json"
        status, answer = self.request(method, path, text, kind)
        check(method, path, status, answer)
        found: dict[str, Any] = json.loads(answer)
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
        seconds = WATCH_SECONDS + ANSWER_SECONDS
        with self._open("GET", f"{path}?{query}", None, {}, seconds) as answer:
            if answer.status >= 400:
                check("GET", path, answer.status, answer.read())
            while line := answer.readline():
                change = json.loads(line)
                if change["type"] == "ERROR":
                    return
                yield change["type"], change["object"]

    def _open(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], seconds: float
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPSConnection(
            self.address, self.port, timeout=seconds, context=self.context
        )
        # Closed by the server or by reading to the end, and with it the connection.
        connection.request(method, path, body, {**headers, "Connection": "close"})
        return connection.getresponse()


def check(method: str, path: str, status: int, body: bytes) -> None:
    """Raises: an OSError with the server's sentence, if it refused."""
    if status >= 400:
        raise ERRORS.get(status, OSError)(f"{method} {path}: {status} {_message(body)}")


def _message(body: bytes) -> str:
    """The server's sentence, without the object around it."""
    text = body.decode(errors="replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, LookupError, TypeError):
        return text[:200]
