"""Whether a cluster works, and if not, which part is to blame. Called by `up` and `status`."""

from __future__ import annotations

import json

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.lifecycle import dns, processes
from cluster.lifecycle.api import Api
from cluster.lifecycle.record import Record
from cluster.node import addresses, components

# How often a component may end within seconds of its start before nobody waits any longer.
HOPELESS_FAILURES = 5


def lacking(cluster: paths.Cluster, node: Record) -> str:
    """The first thing that does not work; empty if all does."""
    if missing := missing_components(node):
        return f"{missing[0]} does not run"
    server = api(cluster, node)
    if not server.is_ready():
        return "the API server is not ready"
    if problem := node_problem(server):
        return problem
    return "" if dns.answers(node.pid) else "the cluster's DNS does not answer"


def node_problem(server: Api) -> str:
    """Why the Node is not Ready, in its own words; empty if it is."""
    try:
        _, body = server.request("GET", f"/api/v1/nodes/{addresses.NODE_NAME}")
    except OSError:
        # It may call itself ready for some seconds after etcd hangs.
        return "the API server does not answer"
    conditions: list[dict[str, str]] = json.loads(body).get("status", {}).get("conditions", [])
    ready = next((c for c in conditions if c["type"] == "Ready"), dict[str, str]())
    if ready.get("status") == "True":
        return ""
    return f"the Node is not Ready: {ready.get('message') or 'the kubelet has not reported'}"


def missing_components(node: Record) -> list[str]:
    running = processes.children(node.pid)
    return [c.name for c in components.components(node.address) if c.name not in running]


def failures(cluster: paths.Cluster) -> dict[str, int]:
    """How often each component ended early in a row, as the node's first process counts."""
    try:
        found: dict[str, int] = json.loads((cluster.logs / "failures.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def hopeless(cluster: paths.Cluster) -> str:
    """The component that ends as often as it is started; empty if there is none."""
    ending = [name for name, count in failures(cluster).items() if count >= HOPELESS_FAILURES]
    return f"{ending[0]} does not run" if ending else ""


def api(cluster: paths.Cluster, node: Record) -> Api:
    return Api(node.address, addresses.API_PORT, cluster.certificates)


def explain(cluster: paths.Cluster, seconds: float, missing: str) -> CannotGoOn:
    """The sentence for a cluster that does not come up, with the likeliest component's words."""
    suspect = suspect_of(missing)
    name = cluster.name
    return CannotGoOn(
        f"cluster {name} did not come up in {seconds:.0f} s",
        f"{missing}; {suspect} says: {last_line(cluster, suspect)}",
        f"see `python -m cluster logs --name {name} {suspect}`;"
        f" `python -m cluster down --name {name}` and `up` start afresh",
    )


def suspect_of(missing: str) -> str:
    """The component whose log may tell why something is missing."""
    if "API server" in missing:
        return "kube-apiserver"
    if "imported" in missing or "containerd" in missing:
        return "containerd"
    named = [c.name for c in components.components("") if missing.startswith(c.name)]
    return named[0] if named else "kubelet"


def last_line(cluster: paths.Cluster, component: str) -> str:
    try:
        lines = (cluster.logs / f"{component}.log").read_text(errors="replace").splitlines()
    except OSError:
        return "nothing"
    return lines[-1] if lines else "nothing"
