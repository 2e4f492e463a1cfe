"""A node's simulated GPUs. The caller of `up` hands them in; the first process reads them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from cluster import files, paths
from cluster.node.drivers import NO_DRIVER, Driver


@dataclass(frozen=True)
class Gpus:
    """GPUs that are asked for by number, and those that a ResourceClaim selects (DRA).

    Of the latter there are none where `count` is 0.
    """

    count: int = 0
    memory_mib: int = 0
    old_name: str = ""  # another resource that counts the same GPUs
    claimable: tuple[str, ...] = ()  # the memory of each, such as 40Gi
    driver: Driver = NO_DRIVER


NO_GPUS = Gpus()


def read(cluster: paths.Cluster) -> Gpus:
    """The GPUs that `write` stored. Raises: OSError if it stored none."""
    known = json.loads(cluster.gpus.read_text())
    driver = {name: _frozen(value) for name, value in known.pop("driver").items()}
    return Gpus(**{name: _frozen(value) for name, value in known.items()}, driver=Driver(**driver))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def write(cluster: paths.Cluster, gpus: Gpus) -> None:
    files.write(cluster.gpus, json.dumps(asdict(gpus), indent=2) + "\n")
