"""Whether a cluster works, and if not, which part is to blame. Called by `up` and `status`."""

from __future__ import annotations

import socket

from cluster import components, dns, paths, processes
from cluster.api import Api
from cluster.record import Record


def is_healthy(cluster: paths.Cluster, record: Record) -> bool:
    """Whether every component runs, the API server is ready and names are answered."""
    return (
        not missing_components(record)
        and api(cluster, record).is_ready()
        and dns.answers(record.pid)
    )


def missing_components(record: Record) -> list[str]:
    running = processes.children(record.pid)
    return [c.name for c in components.components(record.address) if c.name not in running]


def api_ready(record: Record) -> bool:
    """Whether the API server accepts connections: as much as can be seen without credentials."""
    try:
        with socket.create_connection((record.address, components.API_PORT), timeout=1):
            return True
    except OSError:
        return False


def api(cluster: paths.Cluster, record: Record) -> Api:
    return Api(record.address, components.API_PORT, cluster.certificates)


def explain(cluster: paths.Cluster, record: Record, seconds: int) -> str:
    """The sentence for a cluster that does not come up, with the likeliest component's words."""
    missing = missing_components(record)
    suspect = missing[0] if missing else "kubelet"
    return (
        f"Cannot go on: cluster {cluster.name} did not come up in {seconds} s;"
        f" {suspect} says: {last_line(cluster, suspect)}\n"
        f"See `python -m cluster logs --name {cluster.name} {suspect}`; `python -m cluster down"
        f" --name {cluster.name}` and `up` start afresh"
    )


def last_line(cluster: paths.Cluster, component: str) -> str:
    try:
        lines = (cluster.logs / f"{component}.log").read_text(errors="replace").splitlines()
    except OSError:
        return "nothing"
    return lines[-1] if lines else "nothing"
