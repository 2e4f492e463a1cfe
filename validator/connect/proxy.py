"""Which proxy stands before the API server: the kubeconfig's, else the environment's.

The rules are those of Go's ``http.ProxyFromEnvironment``, which kubectl uses.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from validator.connect.connection import Address, parse_address
from validator.connect.kubeconfig_entry import Entry

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address


def of(cluster: Entry, server: Address) -> tuple[str, str]:
    """(URL of the proxy or "", why only kubectl can use it or ""). Raises: NoCluster."""
    named = cluster.text("proxy-url")
    url = named or _of_environment(server)
    address = parse_address(url) if url else None
    if named and (address is None or not address.scheme):
        raise cluster.broken("its proxy-url is not a usable URL")
    if address is None:
        return "", ""
    if address.scheme != "http":
        return url, f"its proxy is a {address.scheme} proxy"
    return url, ""


def _of_environment(server: Address) -> str:
    """$HTTPS_PROXY or $HTTP_PROXY, unless $NO_PROXY or the loopback forbids it."""
    name = f"{server.scheme}_proxy"
    url = os.environ.get(name.upper()) or os.environ.get(name) or ""
    if not url or _is_loopback(server.host) or _excluded(server):
        return ""
    return url if "://" in url else f"http://{url}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    address = _ip(host)
    return bool(address and address.is_loopback)


def _excluded(server: Address) -> bool:
    rules = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    return any(_fits(rule.strip().lower(), server) for rule in rules.split(",") if rule.strip())


def _fits(rule: str, server: Address) -> bool:
    """Whether one rule of $NO_PROXY names this server: ``*``, network, address or domain."""
    if rule == "*":
        return True
    if "/" in rule:
        return _in_network(rule, server.host)
    if _ip(rule.strip("[]")):
        return _ip(rule.strip("[]")) == _ip(server.host)
    rule, _, port = rule.rpartition(":") if ":" in rule else (rule, "", "")
    if port and port != str(server.port):
        return False
    if _ip(rule.strip("[]")):
        return _ip(rule.strip("[]")) == _ip(server.host)
    return _in_domain(rule.removeprefix("*"), server.host.lower().rstrip("."))


def _in_domain(domain: str, host: str) -> bool:
    """``example.com`` names itself and what is below it, ``.example.com`` only the latter."""
    if domain.startswith("."):
        return host.endswith(domain)
    return host == domain or host.endswith(f".{domain}")


def _in_network(network: str, host: str) -> bool:
    import ipaddress

    address = _ip(host)
    try:
        return address is not None and address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _ip(text: str) -> IPv4Address | IPv6Address | None:
    import ipaddress

    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
