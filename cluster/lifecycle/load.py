"""Gives archives of images to a running node, which cannot pull."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.lifecycle import inside, record
from cluster.lifecycle.record import Record


def load(cluster: paths.Cluster, name: str, archive: Path, say: Callable[[str], None]) -> None:
    """Load one archive, unless this very one was loaded before; `name` is for the messages.

    Raises: CannotGoOn if that fails or the cluster does not run.
    """
    node = running(cluster)
    if is_loaded(cluster, archive):
        return
    start = time.monotonic()
    say(f"Loading {name} (about {1 + archive.stat().st_size // 50_000_000} s)")
    problem = inside.import_image(node, archive)
    if problem:
        raise CannotGoOn(f"{name} could not be loaded", problem.strip().splitlines()[-1])
    remember(cluster, archive)
    say(f"Loaded {name}: {time.monotonic() - start:.0f} s")


def running(cluster: paths.Cluster) -> Record:
    """The cluster's node. Raises: CannotGoOn if it does not run."""
    node = record.running(cluster)
    if node is None:
        fix = f"start it with `python -m cluster up --name {cluster.name}`"
        raise CannotGoOn(f"cluster {cluster.name} is not running", fix=fix)
    return node


def _loaded(cluster: paths.Cluster) -> Path:
    return cluster.var / "lib" / "loaded.json"


def _fingerprint(archive: Path) -> str:
    status = archive.stat()
    return f"{archive}:{status.st_size}:{status.st_mtime_ns}"


def is_loaded(cluster: paths.Cluster, archive: Path) -> bool:
    """Whether this very archive was loaded into this cluster before."""
    try:
        return _fingerprint(archive) in json.loads(_loaded(cluster).read_text())
    except (OSError, ValueError):
        return False


def remember(cluster: paths.Cluster, archive: Path) -> None:
    path = _loaded(cluster)
    known = json.loads(path.read_text()) if path.exists() else []
    path.write_text(json.dumps([*known, _fingerprint(archive)]))
