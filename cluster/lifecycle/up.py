"""Brings a cluster up and repairs it. Called by `python -m cluster`, as root.

`up` looks at what is there and adds only what is missing, so it is at once the way to
start, to repair and to do nothing.
"""

from __future__ import annotations

import base64
import string
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.host.locks import locked
from cluster.lifecycle import down, health, inside, record, start
from cluster.lifecycle.api import Api
from cluster.lifecycle.record import Record
from cluster.lifecycle.wants import NOTHING_MORE, Wants
from cluster.node import addresses

MANIFESTS = Path(__file__).resolve().parent / "manifests"
START_TIMEOUT_SECONDS = 90
MEND_TIMEOUT_SECONDS = 20
API_SILENT = "the API server is not ready"
METRICS_TIMEOUT_SECONDS = 10
ATTEMPTS = 3


class NodeEndedError(Exception):
    """The node's first process ended while it was waited for."""


class TooLongError(Exception):
    """What was waited for did not happen; the text says what is missing."""


def up(cluster: paths.Cluster, say: Callable[[str], None], wants: Wants = NOTHING_MORE) -> None:
    """Make the cluster run and answer, whatever state it is in.

    Raises: CannotGoOn if it does not.
    """
    with locked(cluster.lock, lambda: say(f"Waiting: another command has {cluster.name}")):
        started = time.monotonic()
        for attempt in range(ATTEMPTS):
            try:
                make_healthy(cluster, say, wants)
                break
            except NodeEndedError:
                # Killed a moment ago, or it cannot start: the next attempt tells.
                if attempt == ATTEMPTS - 1:
                    reason = health.last_line(cluster, "node")
                    raise CannotGoOn(f"the node of {cluster.name} ended", reason) from None
        await_metrics(cluster, say)
        seconds = time.monotonic() - started
        say(f"Cluster {cluster.name} is up" + (f" after {seconds:.1f} s" if seconds > 1 else ""))


def make_healthy(cluster: paths.Cluster, say: Callable[[str], None], wants: Wants) -> None:
    """Start the node unless it runs, and wait until all of it works. Returns at once if it does.

    Raises: NodeEndedError, or CannotGoOn.
    """
    node = record.running(cluster)
    if node and not health.lacking(cluster, node):
        return
    if node:
        say(f"Repairing cluster {cluster.name} (a few seconds)")
        try:
            make_ready(cluster, node, wants, MEND_TIMEOUT_SECONDS)
            return
        except TooLongError as missing:
            say(f"Starting the node again, because {missing}; objects and volumes stay")
            down.kill(node)
    say(f"Starting cluster {cluster.name} (about 6 s)")
    down.clear_leftovers(cluster)
    began = time.monotonic()
    node = start.start_node(cluster, wants, say)
    try:
        make_ready(cluster, node, wants, START_TIMEOUT_SECONDS)
    except TooLongError as missing:
        raise health.explain(cluster, time.monotonic() - began, str(missing)) from None


def make_ready(cluster: paths.Cluster, node: Record, wants: Wants, seconds: float) -> None:
    """Give a running node what it needs, and wait until all of it works.

    Raises: NodeEndedError, TooLongError.
    """
    deadline = time.monotonic() + seconds
    server = health.api(cluster, node)
    with ThreadPoolExecutor() as pool:
        imports = pool.submit(inside.import_node_images, node, deadline)
        wait_for(lambda: "" if server.is_ready() else API_SILENT, deadline, cluster, node)
        # First the images: a Pod that starts without them tries again only after ten seconds.
        wait_for(lambda: "" if imports.done() else "containerd is silent", deadline, cluster, node)
    if problem := imports.result():
        raise TooLongError(problem)
    wait_for(
        lambda: apply_manifests(server, manifests(cluster, node, wants)), deadline, cluster, node
    )
    wait_for(lambda: health.lacking(cluster, node), deadline, cluster, node)


def wait_for(
    lacking: Callable[[], str], deadline: float, cluster: paths.Cluster, node: Record
) -> None:
    """Wait until `lacking` has nothing to say.

    Raises: NodeEndedError, or TooLongError, at once if a component ends again and again.
    """
    while missing := lacking():
        if not record.is_running(node):
            raise NodeEndedError
        if hopeless := health.hopeless(cluster):
            raise TooLongError(hopeless)
        if time.monotonic() > deadline:
            raise TooLongError(missing)
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


def manifests(
    cluster: paths.Cluster, node: Record, wants: Wants = NOTHING_MORE
) -> Iterator[dict[str, Any]]:
    """What every cluster has, in the order of the files; $NAMES stand for what differs."""
    values = {
        "NODE_ADDRESS": node.address,
        "METRICS_PORT": addresses.METRICS_PORT,
        "CA_BUNDLE": base64.b64encode((cluster.certificates / "ca.crt").read_bytes()).decode(),
    }
    for file in [*sorted(MANIFESTS.glob("*.yaml")), *wants.manifests]:
        yield from yaml.safe_load_all(string.Template(file.read_text()).substitute(values))


def apply_manifests(server: Api, wanted: Iterable[dict[str, Any]]) -> str:
    """Apply all; returns why that cannot be done yet, or ""."""
    try:
        for manifest in wanted:
            server.apply(manifest)
    except (OSError, RuntimeError) as error:
        return f"the API server does not take a manifest: {error}"
    return ""
