"""Clusters of this checkout and of others, running or not. Called by `list` and `down --all`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cluster import paths
from cluster.lifecycle import down, processes, record
from cluster.node import cgroups

ROW = "{:<16} {:<9} {:<16} {}"
# Seconds. A node that starts has its first process in its control groups sooner.
LEFT_SECONDS = 60


@dataclass(frozen=True)
class Found:
    """One cluster. `folder` is where its state is; None if its node does not say."""

    id: str
    name: str
    state: str
    address: str
    folder: Path | None


def all_of() -> list[Found]:
    """This checkout's clusters first, then those that run for others."""
    own = [_own(paths.cluster(name)) for name in paths.clusters()]
    known = {found.id for found in own}
    return [*own, *(found for found in _running() if found.id not in known)]


def _own(cluster: paths.Cluster) -> Found:
    before, running = record.read(cluster), record.running(cluster)
    state = "running" if running else "stopped"
    return Found(cluster.id, cluster.name, state, before.address if before else "", cluster.folder)


def _running() -> Iterator[Found]:
    """Clusters that have control groups; their first process tells of name and folder."""
    groups = cgroups.folders(paths.CGROUP)
    ids = {path.name for group in groups for path in group.glob("[0-9a-f]*") if path.is_dir()}
    for each in sorted(ids):
        members = cgroups.members(paths.cgroup_of(each))
        words = next(filter(None, map(processes.node, members)), None)
        name, address, folder = words or ("?", "", None)
        runs = words or any(map(processes.is_hidden, members))
        yield Found(each, name, "running" if runs else "leftovers", address, folder)


def show(say: Callable[[str], None]) -> None:
    found = all_of()
    say(ROW.format("NAME", "STATE", "ADDRESS", "FOLDER") if found else "There is no cluster")
    for each in found:
        say(ROW.format(each.name, each.state, each.address, each.folder or "?"))


def down_all(say: Callable[[str], None]) -> None:
    """Take away this checkout's clusters, those whose checkout is gone, and what others left."""
    for name in paths.clusters():
        down.down(paths.cluster(name), say)
    for found in _running():
        if found.folder is not None and not found.folder.exists():
            _clear(found.id)
            down.remove_fallback(paths.FALLBACKS / found.id)
            say(f"Cluster {found.name} of {found.folder}, which is gone, is gone too")
        elif found.folder is None and _is_left(found.id):
            # Its folder may be there still: containers that it keeps outside are not touched.
            _clear(found.id)
            say(f"Control groups and link of a cluster that has ended ({found.id}) are gone")


def _clear(id: str) -> None:
    down.clear(paths.cgroup_of(id), paths.link_of(id))


def _is_left(id: str) -> bool:
    """Whether control groups have no process, and did not have one for a while."""
    group = paths.cgroup_of(id)
    made = [path.stat().st_mtime for path in cgroups.folders(group)]
    return not cgroups.members(group) and time.time() - max(made, default=0) > LEFT_SECONDS
