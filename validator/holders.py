"""Who holds GPUs in the learner's namespace: by number, or by a claim; pure."""

from __future__ import annotations

from validator.snapshot import Object, Snapshot, listed, mapping, name_of, text
from validator.tfjobs import containers, gpus

MOST_NAMES = 5


def holds_gpus(pod: Object) -> bool:
    """Whether a Pod is on a node, has not ended, and asks for GPUs or has claims."""
    is_there = text(pod, "spec", "nodeName") and text(pod, "status", "phase") in (
        "Pending",
        "Running",
    )
    return bool(is_there and (_counted(pod) or listed(pod, "spec", "resourceClaims")))


def of_resources(cluster: Snapshot, resources: list[str], but: Object) -> str:
    """Other Pods that hold some of these, in words: "two-gpus (2), board (1)"; "" for none."""
    found = []
    for pod in _others(cluster, but):
        held = sum(_counted(pod).get(resource, 0) for resource in resources)
        found += [f"{name_of(pod)} ({held})"] if held else []
    return _in_words(found)


def of_claims(cluster: Snapshot, but: Object) -> str:
    """Other Pods that hold a claim, in words; "" for none."""
    others = _others(cluster, but)
    return _in_words([name_of(pod) for pod in others if listed(pod, "spec", "resourceClaims")])


def _others(cluster: Snapshot, but: Object) -> list[Object]:
    pods = cluster.items_if_readable("pods")
    return [pod for pod in pods if holds_gpus(pod) and name_of(pod) != name_of(but)]


def _counted(pod: Object) -> dict[str, int]:
    """How many GPUs its containers ask for together, by resource name."""
    found: dict[str, int] = {}
    for container in containers(mapping(pod, "spec")):
        for resource, count in gpus(container).items():
            found[resource] = found.get(resource, 0) + count
    return found


def _in_words(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    shown = sorted(names)[:MOST_NAMES] + ([f"{more} more"] if more > 0 else [])
    return ", ".join(shown)
