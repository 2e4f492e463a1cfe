"""Checks of a claim: that it is Bound, and that the training keeps its model there."""

from __future__ import annotations

from posixpath import dirname, normpath

from validator import evidence, places, program
from validator.engine import Check, Seen
from validator.program import within
from validator.snapshot import Object, Unreadable, listed, mapping, text
from validator.subjects import Claim
from validator.tfjobs import command_line, containers, main_container, option, words
from validator.verdicts import Finding, wrong

CLAIMS = "persistentvolumeclaims"
DATA = "/usr/share/datasets"
SAVE_DIR = "/tmp/fashion-mnist"
_READS = frozenset({CLAIMS, "events", "jobs", "pods", "logs"})


def claim_bound(name: str, manifest: str = "") -> Check:
    """The claim is there, in the namespace, and has a volume.

    manifest: in the module's folder, that makes it; else the learner's own does.
    """

    def judge(seen: Seen) -> Finding | None:
        claim = seen.cluster.find(CLAIMS, name)
        if claim is None:
            has_ended = seen.ended == "well" and name in places.claims(_pod(seen))
            return None if has_ended else _missing(seen, name, manifest)
        trouble = Claim(name).trouble(seen.cluster, claim)
        return trouble and _unbound(seen, claim, trouble)

    return Check("bound", f"The claim {name} is Bound.", judge, _READS)


def _missing(seen: Seen, name: str, manifest: str) -> Finding:
    others = seen.cluster.namespaces_with(CLAIMS, name)
    there = f", but there is one in namespace {others[0]}" if others else ""
    if manifest:
        here = "Make it as the page does, in this namespace:"
        fix = (here, f"$ kubectl apply -f {{checkout}}/{seen.exercise.folder}/{manifest}")
    else:
        fix = (_write(bool(others)), f"$ kubectl apply -f {seen.exercise.file}")
    return wrong(
        "elsewhere" if others else "none",
        f"no claim {name} in namespace {seen.cluster.namespace}{there}",
        f"a PersistentVolumeClaim named {name}, in the namespace of the {seen.subject.kind}",
        *fix,
    )


def _write(elsewhere: bool) -> str:
    return (
        "A Pod mounts claims of its own namespace alone. Write the claim into your manifest, and "
        "apply it here:"
        if elsewhere
        else "Write the claim into your manifest, and apply it:"
    )


def _unbound(seen: Seen, claim: Object, trouble: Finding) -> Finding:
    """What cannot be bound has to be made again: most of a claim cannot be changed."""
    name, given = text(claim, "metadata", "name"), text(claim, "spec", "storageClassName")
    unknown = any("not found" in said for said in seen.cluster.events(claim))
    again = (f"$ kubectl delete pvc {name}", f"$ kubectl apply -f {seen.exercise.file}")
    fix = (
        *trouble.fix[:-2],
        "Delete `storageClassName` from the claim, so that the default class is used. "
        "This command shows the classes:"
        if given
        else "Set `storageClassName` to a class that this cluster has. This command shows them:",
        *trouble.fix[-1:],
        "A claim's class cannot be changed. Delete the claim, and make it again:",
        *again,
    )
    if trouble.cause != "unbound":
        return trouble
    if not (given and unknown):
        return trouble.but(redo=False, fix=fix)
    found = f"claim {name} is Pending: this cluster has no StorageClass {given}"
    return trouble.but(cause="class", found=found, redo=False, fix=fix)


def keeps_model(claim: str) -> Check:
    """The training saves its model in a folder of this claim, one for each run."""

    def judge(seen: Seen) -> Finding | None:
        pod = _pod(seen)
        finding = _not_mounted(seen, pod, claim) or _hides_the_data(seen, pod, claim)
        saved = model_path(seen)
        if finding or not saved:
            return finding
        place = places.of_path(pod, main_container(pod), saved)
        if not place or place.claim != claim:
            return _beside(seen, pod, claim, saved)
        return None if place.mount.sub_path else _no_sub_path(seen)

    title = f"It saves its model on the claim {claim}, in a folder of its own (subPath)."
    return Check("mount", title, judge, _READS)


def model_path(seen: Seen) -> str:
    """Where the program saves its model: its log says it, else its options; "" if unclear."""
    container = main_container(_pod(seen))
    try:
        log = seen.log(seen.pod, text(main_container(mapping(seen.pod, "spec")), "name"))
        saved = evidence.read(log).saved_to
    except Unreadable:
        saved = None
    if saved:
        return normpath(saved)
    if words(container, "command") or any("$" in word for word in command_line(container)):
        return ""
    return normpath(f"{option(container, '--save-dir') or SAVE_DIR}/model")


def logs_path(seen: Seen) -> str:
    """Where the program writes what TensorBoard reads; "" if unclear."""
    container, model = main_container(_pod(seen)), model_path(seen)
    asked = program.given(container, "--log-dir")
    if asked is None or "$" in asked or not model:
        return ""
    return normpath(asked or f"{dirname(model)}/logs")


def model_place(seen: Seen) -> places.Place | None:
    """The place of the model that the training saves; None where it is on no claim."""
    pod, path = _pod(seen), model_path(seen)
    return places.of_path(pod, main_container(pod), path) if path else None


def _pod(seen: Seen) -> Object:
    return next((pod for _, pod in seen.templates), {})


def _not_mounted(seen: Seen, pod: Object, claim: str) -> Finding | None:
    container = main_container(pod)
    if any(m.claim == claim for m in places.mounts(pod, container)):
        return None
    name = text(container, "name")
    if claim not in places.claims(pod):
        others = places.claims(pod)
        return seen.wrong(
            "other-claim" if others else "no-volume",
            f"its template has no volume of the claim {claim}"
            + (f", but one of the claim {others[0]}" if others else ""),
            f"a volume of the claim {claim}",
            "Under template.spec, beside `containers`, write "
            f"`volumes: [{{name: models, persistentVolumeClaim: {{claimName: {claim}}}}}]`.",
            f"Under the container {name}, write `volumeMounts: [{{name: models, mountPath: "
            f"{SAVE_DIR}, subPath: {seen.subject.name}}}]`.",
        )
    aside = [
        text(c, "name")
        for c in (*containers(pod), *listed(pod, "initContainers"))
        if any(m.claim == claim for m in places.mounts(pod, c))
    ]
    return seen.wrong(
        "other-container" if aside else "not-mounted",
        f"its template has a volume of the claim {claim}, and "
        + (f"container {aside[0]} mounts it" if aside else "no container mounts it"),
        f"a volumeMount in the container {name}, which saves the model",
        f"Under the container {name}, write `volumeMounts: [{{name: VOLUME, mountPath: {SAVE_DIR}, "
        f"subPath: {seen.subject.name}}}]`, with the name of the volume.",
    )


def _hides_the_data(seen: Seen, pod: Object, claim: str) -> Finding | None:
    for mount in places.mounts(pod, main_container(pod)):
        if mount.claim == claim and within(DATA, mount.path):
            return seen.wrong(
                "hides-data",
                f"the claim is mounted at {mount.path}, and hides what the image has there: its "
                "pictures",
                f"the claim mounted at {SAVE_DIR}, where the program saves",
                f"A mount hides what is below it. Set `mountPath: {SAVE_DIR}`.",
            )
    return None


def _beside(seen: Seen, pod: Object, claim: str, saved: str) -> Finding:
    mount = next(m for m in places.mounts(pod, main_container(pod)) if m.claim == claim)
    return seen.wrong(
        "beside",
        f"the model is saved to {saved}, and the claim is mounted at {mount.path}: the model goes "
        "with the Pod",
        f"the claim mounted at {dirname(saved)}, or above it",
        f"Set `mountPath: {dirname(saved)}` in the volumeMount.",
    )


def _no_sub_path(seen: Seen) -> Finding:
    return seen.wrong(
        "no-sub-path",
        "the claim is mounted without a subPath: the next run writes over this one's model",
        "a folder of its own in the volume for each run",
        f"Add `subPath: {seen.subject.name}` to the volumeMount.",
    )
