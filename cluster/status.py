"""Says what a cluster consists of and how each part is. Called by `python -m cluster`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from cluster import components, health, paths, processes, record


def show(cluster: paths.Cluster, say: Callable[[str], None]) -> int:
    """Print one line for each part; returns the exit code, 0 if all is well."""
    node = record.running(cluster)
    if node is None:
        say(f"Cluster {cluster.name} is not running; `python -m cluster up --name {cluster.name}`")
        return 1
    running = processes.children(node.pid)
    wanted = [c.name for c in components.components(node.address)]
    for name in wanted:
        state = f"running, process {running[name]}" if name in running else "not running"
        say(f"{name:<24} {state}")
    ready = health.api_ready(node)
    say(f"{'API server':<24} {'answers' if ready else 'does not answer'} at {node.address}")
    say(f"{'kubeconfig':<24} {cluster.kubeconfig}")
    return 0 if ready and all(name in running for name in wanted) else 1


def show_logs(
    cluster: paths.Cluster, component: str | None, lines: int, say: Callable[[str], None]
) -> None:
    """Print the last lines of one component's log, or of each.

    Raises: ValueError with a sentence if there is no such log.
    """
    found = sorted(cluster.logs.glob("*.log")) if cluster.logs.exists() else []
    chosen = [log for log in found if component in (None, log.stem)]
    if not chosen:
        names = ", ".join(log.stem for log in found) or "none"
        raise ValueError(f"no log of {component or 'any component'}; there are: {names}")
    for log in chosen:
        if component is None:
            say(f"==> {log.stem}")
        with log.open(errors="replace") as handle:
            for line in deque(handle, maxlen=lines):
                say(line.rstrip("\n"))
