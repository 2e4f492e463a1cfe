"""Which objects of a namespace are the work of the exercises, and which are nobody's business.

Own is what the exercises ask for by name, what that has made (owners, Helm's
marks, selectors), and what it mounts. Pure: works on the objects of a snapshot.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from validator.engine import Exercise
from validator.near_misses import resembles
from validator.operator_release import RELEASE
from validator.snapshot import Object, listed, mapping, name_of, text
from validator.subjects import SERVICE_NAME, Search
from validator.tfjobs import SWEEP, pod_spec, replica_specs

MARK = ("metadata", "annotations", "meta.helm.sh/release-name")
INSTANCE = "app.kubernetes.io/instance"
# The operator and Kubernetes put as much of an object's name before the names of its children.
_LONGEST_PREFIX = 40


class Names(NamedTuple):
    """What exercises ask for: (plural, name), further names, releases of Helm, sweeps."""

    subjects: frozenset[tuple[str, str]]
    others: frozenset[str]
    releases: frozenset[str]
    sweeps: frozenset[str] = frozenset()

    @classmethod
    def of(cls, exercises: Iterable[Exercise]) -> Names:
        each = list(exercises)
        charts = {e.subject.name for e in each if e.subject.plural == "helm"}
        return cls(
            frozenset((e.subject.plural, e.subject.name) for e in each),
            frozenset(name for e in each for _, name in e.also),
            frozenset(charts | {e.release for e in each if e.release} | {RELEASE}),
            frozenset(e.subject.name for e in each if isinstance(e.subject, Search)),
        )

    def has(self, plural: str, item: Object) -> bool:
        """Whether an exercise asks for this object, or its release has made it."""
        name = name_of(item)
        if plural == "helm":
            return text(item, "metadata", "labels", "name") in self.releases
        if text(item, "metadata", "labels", SWEEP) in self.sweeps:
            return True
        asked_for = (plural, name) in self.subjects or name in self.others
        return bool(name and asked_for) or text(item, *MARK) in self.releases

    def resemble(self, plural: str, item: Object) -> bool:
        """Whether a learner may have made this object in place of an exercise's."""
        name, labels = name_of(item), mapping(item, "metadata", "labels")
        # A release is known by the labels of Helm's Secrets, and of what it made.
        release = text(labels, "name") if plural == "helm" else text(labels, INSTANCE)
        if listed(item, "metadata", "ownerReferences"):
            return False
        return any(
            name == wanted
            or (kind == plural and resembles(name, wanted))
            or (wanted in self.sweeps and _of_a_trial(name, wanted))
            or (kind == "helm" and bool(release) and resembles(release, wanted))
            for kind, wanted in self.subjects
        )

    def of_child(self, name: str) -> bool:
        """Whether an object of this name was made for an exercise, and may be gone by now."""
        known = {n for _, n in self.subjects} | self.others
        return any(name == n or name.startswith(f"{n[:_LONGEST_PREFIX]}-") for n in known)


def _of_a_trial(name: str, sweep: str) -> bool:
    return bool(re.fullmatch(re.escape(sweep) + r"-\d{1,6}", name))


def own_objects(objects: Object, names: Names) -> dict[str, list[Object]]:
    """The own ones of all objects, by kind, in their order."""
    every = [(kind, item) for kind in objects for item in listed(objects, kind)]
    claims = {name_of(claim): claim for claim in listed(objects, "persistentvolumeclaims")}
    made: defaultdict[str, list[Object]] = defaultdict(list)
    for _, item in every:
        for reference in listed(item, "metadata", "ownerReferences"):
            if text(reference, "uid"):
                made[text(reference, "uid")].append(item)
    found: dict[int, Object] = {}
    waiting = [item for kind, item in every if names.has(kind, item)]
    while waiting:
        item = waiting.pop()
        if id(item) in found:
            continue
        found[id(item)] = item
        waiting += made[text(item, "metadata", "uid")]
        waiting += _selected(item, listed(objects, "pods"))
        waiting += _slices(item, listed(objects, "endpointslices"))
        waiting += [claims[name] for name in _mounted(item) if name in claims]
    return {kind: [i for i in listed(objects, kind) if id(i) in found] for kind in objects}


def selectors(item: Object) -> Iterator[Object]:
    """The labels by which an object finds its Pods, and its Pods find a node."""
    spec = mapping(item, "spec")
    yield mapping(spec, "selector", "matchLabels")
    # A Service has the labels right there.
    yield {k: v for k, v in mapping(spec, "selector").items() if isinstance(v, str)}
    for pod in _pod_specs(item):
        yield mapping(pod, "nodeSelector")


def _selected(item: Object, pods: Iterable[Object]) -> list[Object]:
    spec = mapping(item, "spec")
    wanted = mapping(spec, "selector", "matchLabels") or mapping(spec, "selector")
    if not wanted:
        return []
    return [p for p in pods if wanted.items() <= mapping(p, "metadata", "labels").items()]


def _slices(item: Object, slices: Iterable[Object]) -> list[Object]:
    """Those of a Service: one that was made by hand has no owner."""
    if not mapping(item, "spec").get("ports"):
        return []
    return [s for s in slices if text(s, "metadata", "labels", SERVICE_NAME) == name_of(item)]


def _mounted(item: Object) -> Iterator[str]:
    for pod in _pod_specs(item):
        for volume in listed(pod, "volumes"):
            yield text(volume, "persistentVolumeClaim", "claimName")


def _pod_specs(item: Object) -> Iterator[Object]:
    """Its own, that of its template, those of its replicas: an object has one of them."""
    yield mapping(item, "spec")
    yield pod_spec(mapping(item, "spec"))
    for replica in replica_specs(item):
        yield pod_spec(replica)
