"""What a user chose for one cluster; kept beside its state, so that the next `up` knows it."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import asdict, dataclass, replace
from ipaddress import IPv4Network

from cluster import files, paths
from cluster.errors import CannotGoOn
from cluster.node import network as links

UNITS = {"": 1, "Mi": 1 << 20, "Gi": 1 << 30, "M": 10**6, "G": 10**9}
SMALLEST_MEMORY_BYTES, LARGEST_MEMORY_BYTES = 2 << 30, 1 << 46
MOST_CPUS, MOST_GPUS = 4096, 64


@dataclass(frozen=True)
class Options:
    """0 or an empty text: all of the host's, or what `node.network` chooses."""

    memory_bytes: int = 0
    cpus: float = 0.0
    gpus: int = 0
    today: bool = False  # GPUs are not counted under their old name
    network: str = ""


def read(cluster: paths.Cluster, usual: Options = Options()) -> Options:
    """What the user chose; `usual` where nothing was chosen."""
    try:
        return Options(**json.loads(cluster.options.read_text()))
    except (OSError, ValueError, TypeError):
        return usual


def write(cluster: paths.Cluster, options: Options) -> None:
    files.write(cluster.options, json.dumps(asdict(options)))


def changed(
    before: Options,
    memory: str | None = None,
    cpus: float | None = None,
    gpus: int | None = None,
    network: str | None = None,
    today: bool = False,
) -> Options:
    """The options with what the command line gives; `today` belongs to `gpus`.

    Raises: CannotGoOn for a bad value.
    """
    after = before
    if memory is not None:
        after = replace(after, memory_bytes=memory_bytes(memory))
    if cpus is not None:
        if not 1 <= cpus <= MOST_CPUS:  # also what is not a number
            raise CannotGoOn(f"--cpus {cpus:g} is not between 1 and {MOST_CPUS}")
        after = replace(after, cpus=cpus)
    if gpus is not None:
        if not 0 <= gpus <= MOST_GPUS:
            raise CannotGoOn(f"--gpus {gpus} is not between 0 and {MOST_GPUS}")
        after = replace(after, gpus=gpus, today=today)
    if network is not None:
        after = replace(after, network=str(pool(network)))
    return after


def memory_bytes(text: str) -> int:
    """A size as Kubernetes writes it: 4Gi, 6000Mi."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(|[MG]i?)", text)
    size = float(match[1]) * UNITS[match[2]] if match else 0
    if not SMALLEST_MEMORY_BYTES <= size <= LARGEST_MEMORY_BYTES:
        fix = f"give from 2Gi to {LARGEST_MEMORY_BYTES >> 30}Gi, such as 6Gi"
        raise CannotGoOn(f"--memory {text} is not possible", fix=fix)
    return int(size)


def pool(text: str) -> IPv4Network:
    """The network from which the cluster's own is taken."""
    try:
        found = IPv4Network(text)
    except (ipaddress.AddressValueError, ipaddress.NetmaskValueError, ValueError) as error:
        why, fix = str(error), "give one such as 10.9.8.0/24"
        raise CannotGoOn(f"--network {text} is no network", why, fix) from None
    if found.prefixlen > links.PREFIX_LENGTH:
        fix = f"give a /{links.PREFIX_LENGTH} or larger"
        raise CannotGoOn(f"--network {text} is too small", fix=fix)
    return found
