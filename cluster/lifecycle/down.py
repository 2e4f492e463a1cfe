"""Takes a cluster away: everything that `up` made. Called by `python -m cluster`, as root.

It needs the standard library alone: it has to work where .venv does not.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from cluster import paths
from cluster.host import folders
from cluster.host.locks import locked
from cluster.images import store
from cluster.lifecycle import record
from cluster.lifecycle.record import Record
from cluster.node import cgroups, network


def down(cluster: paths.Cluster, say: Callable[[str], None]) -> None:
    """Stop the cluster and remove all that it left. A cluster that is not there is fine."""
    with locked(cluster.lock, lambda: say(f"Waiting: another command has {cluster.name}")):
        started = time.monotonic()
        was_there = cluster.folder.exists()
        if node := record.running(cluster):
            kill(node)
        clear_leftovers(cluster)
        folders.remove(cluster.folder)
        remove_fallback(cluster.fallback)
        with contextlib.suppress(OSError):
            cluster.fallback.parent.rmdir()
        cluster.lock.unlink(missing_ok=True)
        seconds = time.monotonic() - started
        what = f"gone after {seconds:.1f} s" if was_there else "not there"
        say(f"Cluster {cluster.name} is {what}")


def stop(cluster: paths.Cluster, say: Callable[[str], None]) -> None:
    """End the node and keep its state: objects, volumes, images."""
    with locked(cluster.lock, lambda: say(f"Waiting: another command has {cluster.name}")):
        node = record.running(cluster)
        if node:
            kill(node)
        clear_leftovers(cluster)
    how = "is stopped" if node else "does not run"
    say(f"Cluster {cluster.name} {how}; `python -m cluster up --name {cluster.name}` starts it")


def kill(node: Record) -> None:
    """End the node's first process and wait for all others, which the kernel ends with it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(node.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while record.is_running(node) and time.monotonic() < deadline:
        time.sleep(0.01)


def clear_leftovers(cluster: paths.Cluster) -> None:
    """Remove what a node that was killed leaves outside of its folder.

    Processes too: an `up` that was killed may leave a node that no record knows of.
    """
    clear(cluster.cgroup, cluster.link)


def clear(cgroup: str, link: str) -> None:
    """End the processes of a control group; remove it and a node's link."""
    cgroups.kill(cgroup)
    network.disconnect(link)
    cgroups.remove(cgroup)


def remove_fallback(folder: Path) -> None:
    """Remove the containers of a cluster whose own folder could not hold them."""
    folders.remove(folder)
    folders.remove(store.unfinished_of(folder))
