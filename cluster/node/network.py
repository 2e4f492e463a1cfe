"""The one link between the host and a node: a veth pair with a network of its own.

Its first addresses are the host's and the node's; its second half is for Services of type
LoadBalancer, and the host has a route to them.

Only this network must differ between clusters: Pods and Services are private to
each node's network namespace, which has no default route. Called by `lifecycle.start`.
"""

from __future__ import annotations

import ipaddress
import json
import subprocess
from collections.abc import Iterable
from ipaddress import IPv4Network
from pathlib import Path

from cluster.errors import CannotGoOn
from cluster.node import addresses

# Rarely used privately, and checked against the host's routes all the same.
POOLS = tuple(
    IPv4Network(text)
    for text in ("10.213.0.0/16", "198.18.0.0/15", "100.64.0.0/10", "172.31.0.0/16")
)
PREFIX_LENGTH = 27
LINK_PREFIX_LENGTH = 30
NETWORK_SIZE = 1 << 32 - PREFIX_LENGTH
CANDIDATES_PER_POOL = 1 << 14
IPV6 = Path("/proc/sys/net/ipv6")


def choose(
    seed: int, taken: Iterable[IPv4Network], pools: Iterable[IPv4Network] = POOLS
) -> IPv4Network:
    """A network that overlaps none of `taken`, else one that only wider routes cover.

    A VPN often routes all of 10.0.0.0/8. Our route is narrower, and the kernel prefers it.
    Raises: CannotGoOn if there is none.
    """
    used = list(taken)
    narrow = [network for network in used if network.prefixlen >= PREFIX_LENGTH]
    for avoided in (used, narrow):
        for pool in pools:
            if found := _first_free(seed, pool, avoided):
                return found
    raise CannotGoOn(
        f"every network of {', '.join(map(str, pools))} is in use on this machine",
        fix="name one that is not: `python -m cluster up --network CIDR`, or LAB_NETWORK=CIDR",
    )


def _first_free(seed: int, pool: IPv4Network, avoided: list[IPv4Network]) -> IPv4Network | None:
    """The first network of ours, from the place of `seed` on, that overlaps none."""
    near = [network for network in avoided if network.overlaps(pool)]
    count = min(1 << (PREFIX_LENGTH - pool.prefixlen), CANDIDATES_PER_POOL)
    for step in range(count):
        first = int(pool.network_address) + (seed + step) % count * NETWORK_SIZE
        candidate = IPv4Network((first, PREFIX_LENGTH))
        if not any(candidate.overlaps(other) for other in near):
            return candidate
    return None


def is_free(network: IPv4Network, taken: Iterable[IPv4Network]) -> bool:
    """Whether a network that a cluster had may be used again."""
    return not any(network.overlaps(o) for o in taken if o.prefixlen >= PREFIX_LENGTH)


def ends(network: IPv4Network) -> tuple[str, str]:
    """(the host's address, the node's address): the first two."""
    return str(network[1]), str(network[2])


def around(address: str) -> IPv4Network:
    """The network of a node by its address."""
    return IPv4Network((address, PREFIX_LENGTH), strict=False)


def for_services(network: IPv4Network) -> IPv4Network:
    """The addresses that Services of type LoadBalancer get: the second half."""
    return list(network.subnets())[1]


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
    for words in without_ipv6(link):
        _ip(*words.split())
    _ip("address", "add", f"{host}/{LINK_PREFIX_LENGTH}", "dev", link)
    _ip("link", "set", link, "up")
    services = for_services(network)
    _ip("route", "add", str(services), "via", node, "dev", link)
    command = ["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-batch", "-"]
    inside = "\n".join(commands_inside(node, services))
    _checked(command, inside)
    _checked(
        ["nsenter", f"--net=/proc/{pid}/ns/net", "nft", "-f", "-"], rules_inside(host, services)
    )


def without_ipv6(link: str) -> list[str]:
    """What keeps a link from an IPv6 address, which no rule would look at.

    A kernel that was started with ipv6.disable=1 gives none, and does not know the words.
    """
    return [f"link set {link} addrgenmode none"] if IPV6.exists() else []


def commands_inside(node: str, services: IPv4Network) -> list[str]:
    """What `ip` does in the node. There is no default route: nothing leaves.

    Services need a route although kube-proxy rewrites their addresses: the kernel looks
    for one first.
    """
    return [
        *without_ipv6("eth0"),
        f"address add {node}/{LINK_PREFIX_LENGTH} dev eth0",
        "link set eth0 up",
        "link set lo up",
        f"route add {addresses.SERVICE_RANGE} dev eth0",
        f"route add {services} dev eth0",
    ]


def rules_inside(host: str, services: IPv4Network) -> str:
    """What nft does in the node: no Pod opens a connection to what the host serves.

    The host opens them, to the API server and to Services, and gets its answers. An address
    that no Service has is refused at once: kube-proxy has rewritten the others before.
    """
    chains = "".join(
        f"  chain {hook} {{ type filter hook {hook} priority 0;"
        f" ip daddr {services} meta l4proto tcp reject with tcp reset;"
        f" ip daddr {services} reject;"
        f" ip daddr {host} ct state new,invalid,untracked drop; }}\n"
        for hook in ("output", "forward")
    )
    return f"table inet workshop_host {{\n{chains}}}\n"


def disconnect(link: str) -> None:
    """Remove the pair if it is still there; it also goes with the node's namespace."""
    subprocess.run(["ip", "link", "delete", link], capture_output=True)


def _ip(*arguments: str) -> str:
    return _checked(["ip", *arguments])


def _checked(command: list[str], text: str | None = None) -> str:
    """Raises: CannotGoOn with what the program said."""
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True)
    except FileNotFoundError:
        raise CannotGoOn(f"there is no `{command[0]}`", fix="install iproute2") from None
    if done.returncode:
        raise CannotGoOn(f"`{' '.join(command)}` failed", done.stderr)
    return done.stdout
