"""Gives archives of images to a running node, which cannot pull."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cluster import files, paths
from cluster.errors import CannotGoOn
from cluster.host import commands
from cluster.host.locks import locked
from cluster.images import archives, store
from cluster.lifecycle import health, inside, record
from cluster.lifecycle.api import Api
from cluster.lifecycle.record import Record

# A kubelet asks for its images every 30 seconds, whatever its configuration says, and then reports
# at most 50 of them. The rest is for a machine that is busy.
REPORT_SECONDS, POLL_SECONDS = 90.0, 0.5


def load(
    cluster: paths.Cluster, archive: Path, say: Callable[[str], None], name: str = ""
) -> list[str]:
    """Load one archive, unless this very one was loaded before.

    `name` is what it is called where it names no image. Returns: the images' names.
    Raises: CannotGoOn if that fails or the cluster does not run.
    """
    node, names = running(cluster), archives.names_in(archive)
    if is_loaded(cluster, archive):
        return names
    start = time.monotonic()
    name = ", ".join(names) or name or archive.name
    say(f"Loading {name} (about {1 + archive.stat().st_size // 50_000_000} s)")
    problem = inside.import_image(node, archive)
    if problem:
        raise CannotGoOn(f"{name} could not be loaded", commands.last_line(problem))
    remember(cluster, archive)
    say(f"Loaded {name}: {time.monotonic() - start:.0f} s")
    return names


def until_reported(
    cluster: paths.Cluster, names: Iterable[str], say: Callable[[str], None]
) -> None:
    """Wait until the API shows that the node has the images, which takes half a minute at most.

    Pods can use them before; who asks the API cannot see them before.
    """
    wanted, server = set(names), health.api(cluster, running(cluster))
    deadline, waits = time.monotonic() + REPORT_SECONDS, False
    while wanted:
        reported = wanted & _reported(server)
        for name in sorted(reported):
            say(f"The node has {name}")
        wanted -= reported
        if wanted and time.monotonic() > deadline:
            say(f"The API does not name {', '.join(sorted(wanted))} yet; Pods can use it")
            return
        if wanted and not waits:
            say("Waiting until the node names it (half a minute at most, on a machine at rest)")
            waits = True
        time.sleep(POLL_SECONDS if wanted else 0)


def _reported(server: Api) -> set[str]:
    nodes = (server.get("/api/v1/nodes") or {}).get("items", [])
    every = (image for node in nodes for image in node["status"].get("images", []))
    return {name for image in every for name in image.get("names") or []}


def running(cluster: paths.Cluster) -> Record:
    """The cluster's node. Raises: CannotGoOn if it does not run."""
    node = record.running(cluster)
    if node is None:
        fix = f"start it with `python -m cluster up --name {cluster.name}`"
        raise CannotGoOn(f"cluster {cluster.name} is not running", fix=fix)
    return node


def _loaded(cluster: paths.Cluster) -> Path:
    return cluster.var / "lib" / "loaded.json"


def is_loaded(cluster: paths.Cluster, archive: Path) -> bool:
    """Whether this very archive was loaded into this cluster before."""
    return store.fingerprint(archive) in store.read_list(_loaded(cluster))


def remember(cluster: paths.Cluster, *archives: Path) -> None:
    listed = _loaded(cluster)
    # Several `load` may end at once; the cluster's own lock is held by `up`, which comes here, too.
    with locked(listed.with_suffix(".lock"), lambda: None):
        known = store.read_list(listed)
        files.write(listed, json.dumps([*known, *map(store.fingerprint, archives)]))
