"""Gives images to a running node. Called by `python -m cluster load` and by `up`."""

from __future__ import annotations

import json
import tarfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.images import archives
from cluster.lifecycle import inside, record
from cluster.lifecycle.record import Record
from cluster.workshop import learner


def load(cluster: paths.Cluster, wanted: Iterable[str], say: Callable[[str], None]) -> None:
    """Load archives and images, each once; an image of the workshop is built if need be.

    Raises: CannotGoOn if one cannot be had or the cluster does not run.
    """
    node = running(cluster)
    for name in wanted:
        archive = archive_for(cluster, name)
        start = time.monotonic()
        if is_loaded(cluster, archive):
            continue
        say(f"Loading {name} (about {1 + archive.stat().st_size // 50_000_000} s)")
        problem = inside.import_image(node, archive)
        if problem:
            raise CannotGoOn(f"{name} could not be loaded", problem.strip().splitlines()[-1])
        remember(cluster, archive)
        if learner.is_exported(archive):
            archive.unlink()
        say(f"Loaded {name}: {time.monotonic() - start:.0f} s")


def workshop_images(cluster: paths.Cluster, say: Callable[[str], None]) -> None:
    """Load the workshop's images as far as they are built, and name those that are not."""
    load(cluster, [image for image in archives.WORKSHOP if archives.is_built(image)], say)
    for image in archives.WORKSHOP:
        if not archives.is_built(image):
            say(f"{image} is not built as its files are now: `python -m cluster build`, then `up`")


def running(cluster: paths.Cluster) -> Record:
    """The cluster's node. Raises: CannotGoOn if it does not run."""
    node = record.running(cluster)
    if node is None:
        fix = f"start it with `python -m cluster up --name {cluster.name}`"
        raise CannotGoOn(f"cluster {cluster.name} is not running", fix=fix)
    return node


def archive_for(cluster: paths.Cluster, name: str) -> Path:
    """The archive of an image or a path: built, exported from a builder, or as it is."""
    path = Path(name)
    if path.is_file():
        if not tarfile.is_tarfile(path):
            raise CannotGoOn(f"{name} is not an archive", fix="make one with `docker save -o`")
        return path.resolve()
    if name in archives.CONTEXTS:
        return archives.build(name)
    return learner.export(name)


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
