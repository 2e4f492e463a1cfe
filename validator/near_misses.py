"""Near misses: what a learner made instead of what was asked, with the smallest difference.

The check ``exists`` asks here when its object is not there. No answer ever
tells anyone to delete another exercise's work, or another person's: names of
other exercises are no misspelling, and another namespace is a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from validator.engine import Seen, belongs_to_an_exercise, names_of_all
from validator.hints import edit_distance
from validator.snapshot import Object, listed, name_of, text
from validator.verdicts import Finding, not_started, wrong

# All kinds of which a learner may have made one in place of another: the snapshot's
# plural, kind, kubectl's name. ``cluster`` reads them where an object is missing.
KINDS = {
    "tfjobs": ("TfJob", "tfjob"),
    "kubeflow": ("TFJob of kubeflow.org", "tfjobs.kubeflow.org"),
    "jobs": ("Job", "job"),
    "cronjobs": ("CronJob", "cronjob"),
    "deployments": ("Deployment", "deployment"),
    "statefulsets": ("StatefulSet", "statefulset"),
    "daemonsets": ("DaemonSet", "daemonset"),
    "replicasets": ("ReplicaSet", "replicaset"),
    "pods": ("Pod", "pod"),
}
_HELM_MARK = ("metadata", "annotations", "meta.helm.sh/release-name")


# Letters that are taken for digits.
_LOOKALIKES = str.maketrans("lioszb", "110528")


def missing(seen: Seen, start: tuple[str, ...]) -> Finding:
    """The finding for an object that is not there: the nearest miss, else not started.

    start: the steps with which a learner begins.
    """
    return (
        _no_namespace(seen)
        or _other_kind(seen)
        or _other_name(seen)
        or _gone(seen)
        or _nothing(seen, start)
    )


def resembles(name: str, wanted: str) -> bool:
    """Whether a name was probably meant to be ``wanted``."""
    return bool(resemblance(name, wanted))


def resemblance(name: str, wanted: str) -> str:
    """How a name came from ``wanted``: "separators", "generated", "misspelled"; "" if it did not.

    One edit away but not in a digit, since a digit makes it another exercise;
    the same with other separators; or ``wanted`` with something appended, as
    generateName does.
    """
    plain = ["".join(c for c in n.lower() if c.isalnum()) for n in (name, wanted)]
    if plain[0] == plain[1]:
        return "separators"
    if re.fullmatch(re.escape(wanted) + r"-[a-z0-9]{5}", name):
        return "generated"
    if edit_distance(name, wanted) > 1:
        return ""
    digits = [re.sub(r"\D", "", n) for n in (name, wanted)]
    looks_alike = name.translate(_LOOKALIKES) == wanted.translate(_LOOKALIKES)
    left_out = len(name) < len(wanted)
    return "misspelled" if digits[0] == digits[1] or looks_alike or left_out else ""


def _no_namespace(seen: Seen) -> Finding | None:
    problem = seen.cluster.data["missing"].get("namespace")
    if not isinstance(problem, dict) or problem.get("status") != 404:
        return None
    space = seen.cluster.namespace
    return not_started(
        "namespace",
        f"there is no namespace {space}",
        "a namespace that exists",
        "Name another one with --namespace, or create this one:",
        f"$ kubectl create namespace {space}",
    )


def _other_kind(seen: Seen) -> Finding | None:
    """An object of the exercise's name, of another kind; not what an owner made."""
    wanted = seen.subject
    for plural, (kind, kubectl) in KINDS.items():
        if plural == wanted.plural or wanted.plural not in KINDS:
            continue
        for item in _own(seen, plural):
            name = name_of(item)
            if name == wanted.name and not belongs_to_an_exercise(plural, kubectl, name):
                return _of_kind(seen, plural, kind, kubectl)
    return None


def _of_kind(seen: Seen, plural: str, kind: str, kubectl: str) -> Finding:
    wanted = seen.subject
    api = "apiVersion: tensorflow.org/v1alpha1, " if wanted.kind == "TfJob" else ""
    how = (
        " In a TfJob, the Pod's template is under spec.replicaSpecs[0].template."
        if wanted.kind == "TfJob"
        else ""
    )
    return wrong(
        f"kind.{plural}",
        f"found a {kind} named {wanted.name}, but this exercise needs a {wanted.kind}",
        f"{api}kind: {wanted.kind}",
        f"Write a {wanted.kind} in your manifest.{how} Apply it:",
        f"$ kubectl apply -f {seen.exercise.file}",
        f"The {kind} is not needed any more:",
        f"$ kubectl delete {kubectl} {wanted.name}",
    )


def _other_name(seen: Seen) -> Finding | None:
    wanted = seen.subject
    for item in _own(seen, wanted.plural):
        name = name_of(item)
        how = resemblance(name, wanted.name)
        if how and not any(resemblance(name, other) for other in names_of_all() - {wanted.name}):
            return wrong(
                f"name.{how}",
                f"found a {wanted.kind} named {name}, but this exercise needs the name "
                f"{wanted.name}",
                f"metadata.name: {wanted.name}",
                f"Change metadata.name to {wanted.name} in your manifest"
                f"{' (name, not generateName)' if how == 'generated' else ''}, and apply it:",
                f"$ kubectl apply -f {seen.exercise.file}",
            )
    return None


def _gone(seen: Seen) -> Finding | None:
    """There was one: its events outlive it for an hour."""
    wanted = seen.subject
    for event in seen.cluster.items_if_readable("events"):
        about = event.get("involvedObject")
        same = text(about, "kind") == wanted.kind and text(about, "name") == wanted.name
        if same and text(event, "reason") in ("Succeeded", "Completed"):
            return not_started(
                "deleted",
                f"no {wanted.kind} {wanted.name} now; there was one, it succeeded, and then it was "
                "deleted",
                f"a {wanted.kind} named {wanted.name}",
                "If you cleaned up after the check said done: go on. If it went by itself, take "
                "ttlSecondsAfterFinished out of the manifest and apply it again:",
                f"$ kubectl apply -f {seen.exercise.file}",
            )
    return None


def _nothing(seen: Seen, start: tuple[str, ...]) -> Finding:
    wanted, cluster = seen.subject, seen.cluster
    others = cluster.namespaces_with(wanted.plural, wanted.name)
    there = f" (there is one in namespace {others[0]}: is that the right one?)" if others else ""
    note = ("Did `kubectl apply` print an error? Then nothing was created.",)
    return not_started(
        "elsewhere" if others else "none",
        f"no {wanted.kind} {wanted.name} in namespace {cluster.namespace}{there}",
        f"a {wanted.kind} named {wanted.name}",
        *start,
        *(note if any(step.startswith("$ kubectl apply") for step in start) else ()),
        *((f"To check there, add --namespace={others[0]}.",) if others else ()),
    )


def _own(seen: Seen, plural: str) -> Iterator[Object]:
    """The objects of a kind that nobody else made; a kind that cannot be read has none.

    What a controller or a Helm release made belongs to that.
    """
    for item in seen.cluster.items_if_readable(plural):
        if not listed(item, "metadata", "ownerReferences") and not text(item, *_HELM_MARK):
            yield item
