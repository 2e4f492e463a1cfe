"""The one link between the host and a node: a veth pair with a network of two addresses.

Only this network must differ between clusters: Pods and Services are private to
each node's network namespace, which has no default route. Called by `cluster.up`.
"""

from __future__ import annotations

import ipaddress
import json
import subprocess
from collections.abc import Iterable
from ipaddress import IPv4Network

from cluster import components

# Rarely used privately, and checked against the host's routes all the same.
POOL = IPv4Network("10.213.0.0/16")
PREFIX_LENGTH = 30


def choose(seed: int, taken: Iterable[IPv4Network]) -> IPv4Network:
    """A network of the pool that overlaps none of `taken`; the search starts at `seed`.

    Raises: ValueError if the pool is full.
    """
    used = list(taken)
    candidates = list(POOL.subnets(new_prefix=PREFIX_LENGTH))
    start = seed % len(candidates)
    for candidate in candidates[start:] + candidates[:start]:
        if not any(candidate.overlaps(other) for other in used):
            return candidate
    raise ValueError(f"every network of {POOL} is in use on this machine")


def ends(network: IPv4Network) -> tuple[str, str]:
    """(the host's address, the node's address) of a network of two."""
    host, node = network.hosts()
    return str(host), str(node)


def networks_in(routes: str) -> list[IPv4Network]:
    """Destinations in the output of `ip -json route show table all`, default routes left out."""
    found = []
    for route in json.loads(routes or "[]"):
        try:
            found.append(IPv4Network(route.get("dst", ""), strict=False))
        except ipaddress.AddressValueError:
            continue
    return [network for network in found if network.prefixlen > 0]


def taken() -> list[IPv4Network]:
    """Networks that this host has a route to now."""
    return networks_in(_ip("-json", "-4", "route", "show", "table", "all"))


def connect(link: str, network: IPv4Network, pid: int) -> None:
    """Make the veth pair: `link` on the host, `eth0` in the namespace of process `pid`."""
    host, node = ends(network)
    _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    _ip("address", "add", f"{host}/{PREFIX_LENGTH}", "dev", link)
    _ip("link", "set", link, "up")
    command = ["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-batch", "-"]
    inside = "\n".join(commands_inside(node))
    subprocess.run(command, input=inside, text=True, check=True, capture_output=True)


def commands_inside(node: str) -> list[str]:
    """What `ip` does in the node. There is no default route: nothing leaves.

    Services need a route although kube-proxy rewrites their addresses: the kernel looks
    for one first.
    """
    return [
        f"address add {node}/{PREFIX_LENGTH} dev eth0",
        "link set eth0 up",
        "link set lo up",
        f"route add {components.SERVICE_RANGE} dev eth0",
    ]


def disconnect(link: str) -> None:
    """Remove the pair if it is still there; it also goes with the node's namespace."""
    subprocess.run(["ip", "link", "delete", link], capture_output=True)


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True)
    return done.stdout
