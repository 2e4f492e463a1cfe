"""Gives images to a running node. Called by `python -m cluster load` and by `up`."""

from __future__ import annotations

import json
import tarfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cluster import health, images, inside, learner, paths, record
from cluster.api import Api
from cluster.errors import CannotGoOn
from cluster.record import Record

# A kubelet reports its images every ten seconds, and at most 50 of them.
REPORT_SECONDS, POLL_SECONDS = 25.0, 0.5


def load(cluster: paths.Cluster, wanted: Iterable[str], say: Callable[[str], None]) -> list[str]:
    """Load archives and images, each once; an image of the workshop is built if need be.

    Returns: the images' names. Raises: CannotGoOn if one cannot be had or the cluster does not run.
    """
    node, loaded = running(cluster), []
    for name in wanted:
        archive = archive_for(cluster, name)
        start = time.monotonic()
        names = images.names_in(archive)
        loaded += names
        if is_loaded(cluster, archive):
            continue
        name = ", ".join(names) or name
        say(f"Loading {name} (about {1 + archive.stat().st_size // 50_000_000} s)")
        problem = inside.import_image(node, archive)
        if problem:
            raise CannotGoOn(f"{name} could not be loaded", problem.strip().splitlines()[-1])
        remember(cluster, archive)
        if learner.is_exported(archive):
            archive.unlink()
        say(f"Loaded {name}: {time.monotonic() - start:.0f} s")
    return loaded


def until_reported(
    cluster: paths.Cluster, names: Iterable[str], say: Callable[[str], None]
) -> None:
    """Wait until the API shows that the node has the images: a kubelet reports every ten seconds.

    Pods can use them before; who asks the API cannot see them before.
    """
    wanted, server = set(names), health.api(cluster, running(cluster))
    deadline = time.monotonic() + REPORT_SECONDS
    while wanted:
        reported = wanted & _reported(server)
        for name in sorted(reported):
            say(f"The node has {name}")
        wanted -= reported
        if wanted and time.monotonic() > deadline:
            say(f"The API does not name {', '.join(sorted(wanted))} yet; Pods can use it")
            return
        time.sleep(POLL_SECONDS if wanted else 0)


def _reported(server: Api) -> set[str]:
    nodes = (server.get("/api/v1/nodes") or {}).get("items", [])
    every = (image for node in nodes for image in node["status"].get("images", []))
    return {name for image in every for name in image.get("names") or []}


def workshop_images(cluster: paths.Cluster, say: Callable[[str], None]) -> None:
    """Load the workshop's images as far as they are built, and name those that are not."""
    load(cluster, [image for image in images.WORKSHOP if images.is_built(image)], say)
    for image in images.WORKSHOP:
        if not images.is_built(image):
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
    if name in images.CONTEXTS:
        return images.build(name)
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
