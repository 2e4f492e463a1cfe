"""Brings a cluster up, mends it and takes it away. Called by `python -m cluster`, as root.

`up` looks at what is there and adds only what is missing, so it is at once the way to
start, to mend and to do nothing. `down` removes everything that `up` made.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import signal
import string
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from cluster import cgroups, components, health, inside, network, paths, record, start
from cluster.api import Api
from cluster.components import Gpus
from cluster.record import Record

REMOVE = ("rm", "-rf", "--one-file-system")
MANIFESTS = Path(__file__).resolve().parent / "manifests"
START_TIMEOUT_SECONDS = 90
METRICS_TIMEOUT_SECONDS = 10
ATTEMPTS = 3


class NodeEndedError(Exception):
    """The node's first process ended while it was waited for."""


@contextlib.contextmanager
def locked(cluster: paths.Cluster) -> Iterator[None]:
    """One `up` or `down` of a cluster at a time."""
    paths.make_folder(cluster.lock.parent)
    with cluster.lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def up(cluster: paths.Cluster, say: Callable[[str], None], gpus: Gpus | None = None) -> None:
    """Make the cluster run and answer, whatever state it is in.

    gpus: None for those that it had when it was started last.
    Raises: SystemExit with a sentence if it does not.
    """
    with locked(cluster):
        gpus = choose_gpus(cluster, gpus)
        started = time.monotonic()
        for attempt in range(ATTEMPTS):
            try:
                make_healthy(cluster, say, gpus)
                break
            except NodeEndedError:
                # Killed a moment ago, or it cannot start: the next attempt tells.
                if attempt == ATTEMPTS - 1:
                    reason = health.last_line(cluster, "node")
                    sys.exit(f"Cannot go on: the node of {cluster.name} ended: {reason}")
        await_metrics(cluster, say)
        seconds = time.monotonic() - started
        say(f"Cluster {cluster.name} is up" + (f" after {seconds:.1f} s" if seconds > 1 else ""))


def choose_gpus(cluster: paths.Cluster, wanted: Gpus | None) -> Gpus:
    """What was asked for, else what the cluster had. A node that runs keeps what it has.

    Raises: SystemExit with a sentence if a node runs with others.
    """
    before = record.read(cluster)
    had = before.simulated if before else Gpus()
    if wanted and wanted != had and record.is_running(before):
        sys.exit(
            f"Cannot go on: cluster {cluster.name} runs with {had}, and not with {wanted};"
            f" `python -m cluster down --name {cluster.name}` first"
        )
    return wanted or had


def make_healthy(cluster: paths.Cluster, say: Callable[[str], None], gpus: Gpus) -> None:
    """Start the node unless it runs, and wait until all of it works. Returns at once if it does.

    Raises: NodeEndedError, or SystemExit with a sentence.
    """
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    node = record.running(cluster)
    if node and health.is_healthy(cluster, node):
        return
    if node is None:
        say(f"Starting cluster {cluster.name} (about 6 s)")
        clear_leftovers(cluster)
        node = start.start_node(cluster, gpus)
    else:
        say(f"Mending cluster {cluster.name} (a few seconds)")
    server = health.api(cluster, node)
    with ThreadPoolExecutor() as pool:
        imports = pool.submit(inside.import_node_images, node, deadline)
        wait_for(server.is_ready, deadline, cluster, node)
        # First the images: a Pod that starts without them tries again only after ten seconds.
        imports.result()
        apply_manifests(server, manifests(cluster, node))
    wait_for(lambda: health.is_healthy(cluster, node), deadline, cluster, node)


def wait_for(
    holds: Callable[[], bool], deadline: float, cluster: paths.Cluster, node: Record
) -> None:
    while not holds():
        if not record.is_running(node):
            raise NodeEndedError
        if time.monotonic() > deadline:
            sys.exit(health.explain(cluster, node, START_TIMEOUT_SECONDS))
        time.sleep(0.05)


def await_metrics(cluster: paths.Cluster, say: Callable[[str], None]) -> None:
    """Wait until clients find the API of metrics-server; its first figures come later.

    A kubectl that does not find the API remembers for six hours that there is none. It is
    not waited for long, because the cluster works without it.
    """
    deadline = time.monotonic() + METRICS_TIMEOUT_SECONDS
    node = record.running(cluster)
    while node and not health.api(cluster, node).serves("metrics.k8s.io"):
        if time.monotonic() > deadline:
            what = f"python -m cluster logs --name {cluster.name} metrics-server"
            say(f"Note: `kubectl top` does not work; `{what}` may tell why")
            return
        time.sleep(0.05)


def manifests(cluster: paths.Cluster, node: Record) -> Iterator[dict[str, Any]]:
    """What every cluster has, in the order of the files; $NAMES stand for what differs."""
    values = {
        "NODE_ADDRESS": node.address,
        "METRICS_PORT": components.METRICS_PORT,
        "CA_BUNDLE": base64.b64encode((cluster.certificates / "ca.crt").read_bytes()).decode(),
    }
    for file in sorted(MANIFESTS.glob("*.yaml")):
        yield from yaml.safe_load_all(string.Template(file.read_text()).substitute(values))


def apply_manifests(server: Api, wanted: Iterable[dict[str, Any]]) -> None:
    for manifest in wanted:
        server.apply(manifest)


def down(cluster: paths.Cluster, say: Callable[[str], None]) -> None:
    """Stop the cluster and remove all that it left. A cluster that is not there is fine."""
    with locked(cluster):
        started = time.monotonic()
        was_there = cluster.folder.exists()
        if node := record.running(cluster):
            kill(node)
        clear_leftovers(cluster)
        remove(cluster.folder)
        remove(cluster.fallback)
        with contextlib.suppress(OSError):
            cluster.fallback.parent.rmdir()
        cluster.lock.unlink(missing_ok=True)
        seconds = time.monotonic() - started
        what = f"gone after {seconds:.1f} s" if was_there else "not there"
        say(f"Cluster {cluster.name} is {what}")


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
    cgroups.kill(cluster.cgroup)
    network.disconnect(cluster.link)
    cgroups.remove(cluster.cgroup)


def remove(folder: Path) -> None:
    """Remove a folder, but nothing of what is mounted in it.

    What lies deep, mostly unpacked images, goes first and in parallel: the disk is what takes long.
    """
    if folder.exists():
        find = ["find", str(folder), "-xdev", "-mindepth", "6", "-depth", "-type", "d", "-print0"]
        # find names folders on which something is mounted too; --preserve-root=all keeps these.
        each = ["xargs", "-0", "-r", "-P8", "-n200", *REMOVE, "--preserve-root=all", "--"]
        with subprocess.Popen(find, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as found:
            subprocess.run(each, stdin=found.stdout, stderr=subprocess.DEVNULL)
        subprocess.run([*REMOVE, str(folder)], check=True)
