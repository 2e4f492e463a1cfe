"""How to reach a cluster, as plain data: ``kubeconfig`` makes it, ``api`` uses it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
_UNUSABLE = re.compile(r"[\x00-\x20\x7f]")
_HOST = re.compile(r"[A-Za-z0-9._:%-]+")


class NoCluster(Exception):
    """There is no way to reach a cluster; ``next_step`` says what to do about it."""

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.message, self.next_step = message, next_step


class Login(NamedTuple):
    """Who we are to the API server. ``expires`` is in seconds since 1970; None: never."""

    token: str | None = None
    certificate: bytes | None = None
    key: bytes | None = None
    expires: float | None = None


@dataclass(frozen=True)
class Connection:
    """One context of a kubeconfig, resolved. Certificates and keys are PEM.

    ``flags`` are what a pasted kubectl command needs to reach the same place.
    ``by_kubectl`` is the reason why only kubectl can reach this cluster, or "".
    ``plugin_config`` is what the cluster's entry has for credential plugins.
    ``renew`` logs in again; None where the login cannot change.
    """

    server: str
    context: str
    namespace: str
    files: str
    authority: bytes | None = None
    certificate: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    insecure: bool = False
    server_name: str | None = None
    current_namespace: str = "default"
    flags: tuple[str, ...] = ()
    other_namespaces: tuple[str, ...] = ()
    user: str = ""
    proxy: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    by_kubectl: str = ""
    plugin_config: Any = field(default=None, repr=False)
    expires: float | None = None
    renew: Callable[[], Login] | None = field(default=None, repr=False, compare=False)


class Address(NamedTuple):
    """The parts of a URL that a connection needs. ``login`` is ``user:password`` or ""."""

    scheme: str
    host: str
    port: int
    path: str
    login: str = ""

    @property
    def place(self) -> str:
        """``host:port``, an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL without the login, fit for messages."""
        short = self.place.removesuffix(f":{DEFAULT_PORTS.get(self.scheme)}")
        return f"{self.scheme}://{short}{self.path}"


def parse_address(url: str) -> Address | None:
    """Take a URL apart; None if nothing can be reached by it."""
    if _UNUSABLE.search(url):
        return None
    try:
        parts = urlsplit(url)
        host, port = _ascii(parts.hostname or ""), parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    port = DEFAULT_PORTS.get(scheme, 0) if port is None else port
    if not _HOST.fullmatch(host) or not parts.path.isascii():
        return None
    login = parts.netloc.rpartition("@")[0]
    return Address(scheme, host, port, parts.path.rstrip("/"), login)


def _ascii(host: str) -> str:
    """A host's name as DNS knows it. Raises: ValueError if there is none."""
    return host if host.isascii() else host.encode("idna").decode("ascii")
