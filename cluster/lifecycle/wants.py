"""What a cluster has beside Kubernetes itself. The caller of `up` decides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cluster.node.gpus import NO_GPUS, Gpus


@dataclass(frozen=True)
class Wants:
    """`manifests` are files like those of `lifecycle/manifests`, and are applied after them.

    `images` are archives that a new node has from the start: see `images.store`.
    """

    gpus: Gpus = NO_GPUS
    manifests: tuple[Path, ...] = ()
    images: tuple[Path, ...] = ()


NOTHING_MORE = Wants()
