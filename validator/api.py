"""HTTP to the API server: GET, and nothing else.

The standard library's client, because the official one takes 0.65 s to
import, and urllib3 another 0.1 s. Only ``cluster`` uses it.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import tempfile
import threading
from typing import Any
from urllib.parse import urlsplit

from validator.kubeconfig import Connection, NoCluster

# A laptop that trains on all its cores may take this long to answer.
TIMEOUT_SECONDS = 10.0
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class Refused(Exception):
    """The API server answered with an error; ``message`` is in its own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Api:
    """Connections to one API server: one per thread, kept open between requests."""

    def __init__(self, connection: Connection) -> None:
        """Raises: NoCluster if the kubeconfig's address or certificates are of no use."""
        self.connection = connection
        self.address = urlsplit(connection.server)
        if self.address.scheme not in ("http", "https") or not self.address.hostname:
            raise NoCluster(
                f"the kubeconfig's server is {connection.server or 'empty'}, which is no URL",
                "correct the kubeconfig, or name another with --kubeconfig FILE",
            )
        self.tls = _tls(connection) if self.address.scheme == "https" else None
        self.local = threading.local()

    def get(self, path: str, accept: str = "application/json") -> bytes:
        """The body of one answer. Raises: Refused; OSError when there is no answer."""
        headers = {"Accept": accept, "User-Agent": "tfjob-workshop-validator"}
        if self.connection.token:
            headers["Authorization"] = f"Bearer {self.connection.token}"
        status, body = self._exchange(path, headers)
        if status != 200:
            raise Refused(status, _message(status, body))
        return body

    def get_items(self, path: str, accept: str = "application/json") -> list[dict[str, Any]]:
        """The items of a list. Raises: Refused; OSError."""
        try:
            parsed = json.loads(self.get(path, accept))
        except ValueError:
            raise Refused(0, "the answer is not JSON: is this an API server?") from None
        items = parsed.get("items") if isinstance(parsed, dict) else None
        return items if isinstance(items, list) else []

    def _exchange(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """Once more on a new connection: a server may close one that idled."""
        for last_try in (False, True):
            try:
                line = self._line()
                line.request("GET", self.address.path.rstrip("/") + path, headers=headers)
                answer = line.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException) as error:
                self._hang_up()
                if last_try or isinstance(error, TimeoutError | ssl.SSLError):
                    raise error if isinstance(error, OSError) else OSError(repr(error)) from None
        raise AssertionError("unreachable")

    def _line(self) -> http.client.HTTPConnection:
        if getattr(self.local, "line", None) is None:
            host, port = str(self.address.hostname), self.address.port
            if self.tls:
                self.local.line = _Tls(host, port, self.tls, self.connection.server_name)
            else:
                self.local.line = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        line: http.client.HTTPConnection = self.local.line
        return line

    def _hang_up(self) -> None:
        line = getattr(self.local, "line", None)
        self.local.line = None
        if line:
            line.close()


class _Tls(http.client.HTTPSConnection):
    """HTTPS that may ask for a certificate of another name than the address it calls."""

    def __init__(self, host: str, port: int | None, tls: ssl.SSLContext, name: str | None) -> None:
        super().__init__(host, port, timeout=TIMEOUT_SECONDS, context=tls)
        self.tls, self.name = tls, name

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self.tls.wrap_socket(self.sock, server_hostname=self.name or self.host)


def _tls(connection: Connection) -> ssl.SSLContext:
    try:
        authority = connection.authority.decode("ascii") if connection.authority else None
        context = ssl.create_default_context(cadata=authority)
        # Python 3.13 asks for extensions that many clusters' own authorities lack.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if connection.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if connection.certificate and connection.key:
            _load_pair(context, connection.certificate, connection.key)
    except (ssl.SSLError, ValueError) as error:
        raise NoCluster(
            f"the kubeconfig's certificates are of no use: {error}",
            "fetch the kubeconfig again, or name another with --kubeconfig FILE",
        ) from None
    return context


def _load_pair(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """The ssl module reads a pair from a file only: one of mode 0600, for a moment."""
    descriptor, path = tempfile.mkstemp(prefix="tfjob-workshop-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(certificate + b"\n" + key)
        context.load_cert_chain(path)
    finally:
        os.unlink(path)


def _message(status: int, body: bytes) -> str:
    """The message of the API's Status object, else the start of whatever came."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode("utf-8", "replace").strip() or f"HTTP {status}"
