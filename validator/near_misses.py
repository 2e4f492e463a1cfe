"""Near misses: what a learner made instead of what was asked, with the smallest difference.

An exercise asks here when its object is not there; each answer is a finding,
or None when nothing resembles it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from validator.snapshot import Object, Snapshot, Unreadable, name_of
from validator.verdicts import Finding, not_started, wrong

# kubectl's name of a kind, by the snapshot's plural.
KINDS = {
    "tfjobs": "TfJob",
    "jobs": "Job",
    "deployments": "Deployment",
    "pods": "Pod",
}


def missing(
    cluster: Snapshot,
    kind: str,
    name: str,
    start: str,
    looks_right: Callable[[Object], bool],
    others: Sequence[str] = (),
) -> Finding:
    """The finding for an object that is not there: the nearest miss, else not started.

    start: the command with which a learner begins. looks_right: whether an
    object of this kind is what the exercise wants, but for its name. others:
    names that belong to other exercises, and so are no misspelling of this one.
    """
    return (
        _wrong_kind(cluster, kind, name)
        or _wrong_name(cluster, kind, name, looks_right, others)
        or _elsewhere(cluster, kind, name)
        or _nothing(cluster, kind, name, start, others)
    )


def edit_distance(one: str, other: str) -> int:
    """Letters to insert, delete, replace or swap with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, target in enumerate(other, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != target))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == target:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def resembles(name: str, wanted: str) -> bool:
    """One edit away, or the same letters and digits with other separators."""
    plain = ["".join(c for c in n.lower() if c.isalnum()) for n in (name, wanted)]
    return plain[0] == plain[1] or edit_distance(name, wanted) <= 1


def _wrong_kind(cluster: Snapshot, kind: str, name: str) -> Finding | None:
    wanted = KINDS[kind]
    for plural in (k for k in ("jobs", "deployments", "pods") if k != kind):
        found = _find(cluster, plural, name)
        if found and not found.get("metadata", {}).get("ownerReferences"):
            other = KINDS[plural]
            return wrong(
                found=f"{other} {name}; this exercise wants a {wanted}",
                wanted=f"kind: {wanted}, apiVersion: tensorflow.org/v1alpha1, named {name}",
                next_step=f"`kubectl delete {other.lower()} {name}`, then write the same training "
                f"as a {wanted}: its Pod template goes under spec.replicaSpecs[0].template, "
                "and the operator makes the Job",
            )
    return None


def _wrong_name(
    cluster: Snapshot,
    kind: str,
    name: str,
    looks_right: Callable[[Object], bool],
    others: Sequence[str],
) -> Finding | None:
    candidates = [o for o in _items(cluster, kind) if name_of(o) not in others]
    near = [o for o in candidates if resembles(name_of(o), name)]
    near = near or [o for o in candidates if looks_right(o)]
    if not near:
        return None
    found, wanted = name_of(near[0]), KINDS[kind]
    return wrong(
        found=f"{wanted} {found}; the name this exercise looks for is {name}",
        wanted=f"metadata.name: {name}",
        next_step=f"`kubectl delete {wanted.lower()} {found}`, change metadata.name to {name} and "
        "apply again (a name cannot be changed in place)",
    )


def _elsewhere(cluster: Snapshot, kind: str, name: str) -> Finding | None:
    """Only one other namespace: with several, they are those of other learners."""
    spaces = cluster.namespaces_with(kind, name)
    if len(spaces) != 1:
        return None
    wanted = KINDS[kind]
    return wrong(
        found=f"{wanted} {name} in namespace {spaces[0]}; this exercise looks in "
        f"{cluster.namespace}",
        wanted=f"the {wanted} in namespace {cluster.namespace}, your current one",
        next_step=f"`kubectl delete {wanted.lower()} {name} --namespace {spaces[0]}` and apply it "
        f"without a namespace of its own; or check there: add `--namespace {spaces[0]}`",
    )


def _nothing(cluster: Snapshot, kind: str, name: str, start: str, others: Sequence[str]) -> Finding:
    wanted = KINDS[kind]
    strangers = [name_of(o) for o in _items(cluster, kind) if name_of(o) not in others]
    also = f" (there is {wanted} {', '.join(strangers[:3])})" if strangers else ""
    return not_started(
        found=f"no {wanted} {name} in namespace {cluster.namespace}{also}",
        wanted=f"a {wanted} named {name}",
        next_step=start,
    )


def _find(cluster: Snapshot, kind: str, name: str) -> Object | None:
    return next((o for o in _items(cluster, kind) if name_of(o) == name), None)


def _items(cluster: Snapshot, kind: str) -> list[Object]:
    """A kind that cannot be read has no near misses: it is no reason to check nothing."""
    try:
        return cluster.items(kind)
    except Unreadable:
        return []
