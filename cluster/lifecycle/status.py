"""Says what a cluster consists of and how each part is. Called by `python -m cluster`."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.lifecycle import api, health, processes, record
from cluster.lifecycle.record import Record
from cluster.node import components

TIMEOUT_SECONDS = 3


ROW = "{:<24} {}"


@dataclass(frozen=True)
class Part:
    """One part of a cluster: its state in words, and whether that is as it should be."""

    name: str
    state: str
    well: bool


def show(cluster: paths.Cluster, say: Callable[[str], None], as_json: bool = False) -> int:
    """Print one line for each part; returns the exit code, 0 if all is well."""
    node = record.running(cluster)
    found = parts(cluster, node) if node else []
    well = bool(found) and all(part.well for part in found)
    if as_json:
        say(json.dumps({"name": cluster.name, "running": bool(node), "well": well,
            "address": node.address if node else None, "kubeconfig": str(cluster.kubeconfig),
            "parts": [asdict(part) for part in found]}, indent=2))  # fmt: skip
    elif node is None:
        say(f"Cluster {cluster.name} is not running; `python -m cluster up --name {cluster.name}`")
    else:
        for part in found:
            say(ROW.format(part.name, part.state))
        say(ROW.format("kubeconfig", cluster.kubeconfig))
        if not well:
            say(f"`python -m cluster up --name {cluster.name}` repairs it")
    return 0 if well else 1


def parts(cluster: paths.Cluster, node: Record) -> list[Part]:
    """Every component, the API server's own word, and the Node's."""
    if processes.is_hidden(node.pid):
        hidden = Part("components", "not shown: /proc hides what root runs from this user", True)
        return [hidden, *answers(cluster, node)]
    running = processes.children(node.pid)
    ended = health.failures(cluster)
    wanted = [c.name for c in components.components(node.address)]
    found = [component(name, running.get(name), ended.get(name, 0)) for name in wanted]
    return [*found, *answers(cluster, node)]


def component(name: str, pid: int | None, failures: int) -> Part:
    """The state of one process."""
    often = f", has ended {failures} times in a row" if failures else ""
    if pid is None:
        return Part(name, f"not running{often}", False)
    if processes.is_stopped(pid):
        return Part(name, f"stopped by a signal, process {pid}", False)
    return Part(name, f"running, process {pid}{often}", failures < health.HOPELESS_FAILURES)


def answers(cluster: paths.Cluster, node: Record) -> list[Part]:
    """What the API server says of itself and of the Node. Asked with the user's kubeconfig."""
    with api.from_kubeconfig(cluster.kubeconfig, TIMEOUT_SECONDS) as server:
        if server is None:
            return [Part("API server", f"not asked: {cluster.kubeconfig} is another user's", False)]
        if not server.is_ready():
            return [Part("API server", f"does not answer at {node.address}", False)]
        problem = health.node_problem(server)
    ready = Part("API server", f"answers at {node.address}", True)
    return [ready, Part("Node", problem or "Ready", not problem)]


def show_logs(
    cluster: paths.Cluster, component: str | None, lines: int, say: Callable[[str], None]
) -> None:
    """Print the last lines of one component's log, or of each.

    Raises: CannotGoOn if there is no such log, or no such number of lines.
    """
    if not 1 <= lines <= sys.maxsize:
        raise CannotGoOn(f"--lines {lines} is not possible", fix="give 1 or more")
    found = sorted(cluster.logs.glob("*.log")) if cluster.logs.exists() else []
    chosen = [log for log in found if component in (None, log.stem)]
    if not chosen:
        names = ", ".join(log.stem for log in found) or "none"
        raise CannotGoOn(f"no log of {component or 'any component'}; there are: {names}")
    for log in chosen:
        if component is None:
            say(f"==> {log.stem}")
        with log.open(errors="replace") as handle:
            for line in deque(handle, maxlen=lines):
                say(line.rstrip("\n"))
