"""Checks of what came of it: how it ended, and whether it trained."""

from __future__ import annotations

import re
from collections.abc import Callable

from validator import evidence, operator_release, program
from validator.engine import Check, Seen
from validator.snapshot import (
    Object,
    Snapshot,
    Unreadable,
    is_true,
    listed,
    mapping,
    name_of,
    text,
    time_at,
)
from validator.tfjobs import (
    CHIEF_TYPES,
    MANAGED_BY,
    Mount,
    containers,
    gpus,
    host_mounts,
    is_sample_image,
    main_container,
    training_container,
)
from validator.verdicts import Finding, Verdict, converging, could_not_check

Meanwhile = Callable[[Seen, Finding], Finding]
_RUN = frozenset({"jobs", "pods", "events", "logs", "nodes", "persistentvolumeclaims"})


def ends_well(meanwhile: Meanwhile | None = None, *, pods_may_go: bool = False) -> Check:
    """It has ended well: the whole diagnosis.

    meanwhile: what to say while it is on its way, where waiting is not what the
    learner should do; it never changes any other verdict. pods_may_go: what is
    left without its Pods is another check's to prove.
    """

    def judge(seen: Seen) -> Finding | None:
        trouble = seen.subject.trouble(seen.cluster, seen.object)
        if trouble and meanwhile and trouble.verdict is Verdict.CONVERGING:
            return meanwhile(seen, trouble)
        gone = not seen.pods and not (pods_may_go and _child_is_complete(seen))
        return trouble or (_pods_gone(seen) if gone else None)

    reads = _RUN | {"operator deployments"}
    return Check("ends", "It has ended well.", judge, reads, ending=True)


def _child_is_complete(seen: Seen) -> bool:
    """Whether the TfJob's own Job, which outlives a Pod that is deleted, says that it trained."""
    return any(is_true(job, "Complete") for job in seen.cluster.children("jobs", seen.object))


def _pods_gone(seen: Seen) -> Finding:
    """It ended well by its own conditions, and nothing is left that shows how: nobody's fault."""
    name, (cause, why, fix) = seen.subject.name, _why_gone(seen)
    return could_not_check(
        f"pods-gone.{cause}",
        f"{seen.subject.kind} {name} has succeeded, but its Pods are gone: {why}",
        "the Pod that trained, with its log",
        fix,
        *seen.subject.redo(seen.cluster, seen.object, seen.exercise.file),
    )


def _why_gone(seen: Seen) -> tuple[str, str, str]:
    """(cause, why, fix)"""
    others = [
        text(c, "name")
        for _, pod in seen.templates
        for c in containers(pod)
        if c is not main_container(pod)
    ]
    if text(seen.object, "spec", "runPolicy", "cleanPodPolicy") == "All":
        return (
            "policy",
            "cleanPodPolicy: All removes them",
            "If the check has not said done before, delete cleanPodPolicy from the manifest, and "
            "run it again:",
        )
    if others:
        return (
            "side-car",
            f"its container {others[0]} kept the Pod alive, so it was cleaned up with its log",
            f"Make {others[0]} a native side-car (an entry of `initContainers` with "
            "`restartPolicy: Always`), or delete it. Then run it again:",
        )
    return "deleted", "its Job was deleted", "If the check has not said done before, run it again:"


def trained(steps: int | None = None, *, alone: bool = True, pods_may_go: bool = False) -> Check:
    """The log shows a real training, by the image's own program.

    steps: how many it has to have taken; None: as many as it was asked for.
    alone: one program trains, so that its loss follows the curve of its seed.
    pods_may_go: without its Pods, what the manifest asks for is enough.
    """

    def judge(seen: Seen) -> Finding | None:
        pod, container = seen.pod, text(_main(seen.pod), "name")
        if not pod and pods_may_go and _child_is_complete(seen):
            return _left_alone(seen) or _another_program(seen) or _asked_otherwise(seen, steps)
        if not pod:
            return _pods_gone(seen)
        # What the objects show comes before the log, which may be unreadable.
        finding = _left_alone(seen) or as_asked(seen) or _another_program(seen)
        finding = finding or not_ended(seen, pod, container)
        if finding:
            return finding
        training = evidence.read(seen.log(pod, container))
        return _other_steps(seen, training, steps) or _doubted(seen, training, container, alone)

    count = f"{steps:,} steps" if steps else "all steps"
    return Check("trained", f"Its log shows {count} of the image's own training.", judge, _RUN)


def accuracy(least: float, own: float = 0.0) -> Check:
    """The test accuracy in the log is this or more; own: of the learner's own image."""

    def judge(seen: Seen) -> Finding | None:
        sample = is_sample_image(text(_main(seen.pod), "image"))
        wanted = least if sample or not own else own
        log = seen.log(seen.pod, text(_main(seen.pod), "name"))
        reached = evidence.read(log).test_accuracy
        if reached is not None and reached >= wanted:
            return None
        if reached is None and log.cut:
            raise _cut(seen.pod)
        shown = "no test accuracy" if reached is None else f"test accuracy {reached}"
        return seen.wrong(
            "none" if reached is None else "low",
            f"{shown} in the log",
            f"a test accuracy of {wanted:.2f} or more",
            "Leave --learning-rate and --batch-size at the image's own values.",
        )

    shown = f"{least:.2f} or more" + (f" (of your own image: {own:.2f})" if own else "")
    return Check("accuracy", f"The test accuracy is {shown}.", judge, _RUN)


def log_says(pattern: str, what: str) -> Check:
    """A line of its log has ``pattern``."""

    def judge(seen: Seen) -> Finding | None:
        log = seen.log(seen.pod, text(_main(seen.pod), "name"))
        if any(re.search(pattern, line.text) for line in log.lines):
            return None
        if log.cut:
            raise _cut(seen.pod)
        return seen.wrong(
            "none",
            f"its log does not have {what}",
            f"{what} in the log",
            "Let the container run the program that prints it.",
        )

    return Check("log", f"Its log has {what}.", judge, _RUN | {f"line {pattern}"})


def mounts_what_the_operator_knows() -> Check:
    """The child's Pod mounts exactly what the operator's ConfigMap has for the GPU asked for."""

    def judge(seen: Seen) -> Finding | None:
        if not seen.pod:
            # Whether it has ended well, and why its Pod is gone, is another check's.
            return None
        asked = gpus(main_container(next((pod for _, pod in seen.templates), {})))
        spec = mapping(seen.pod, "spec")
        there = host_mounts(spec, training_container(spec))
        wanted = _known_mounts(seen.cluster, asked)
        # What the ConfigMap says now may not be what it said when this Pod was made. Only for the
        # GPU of 2017 has it always had folders.
        over = seen.ended == "well" and (there or operator_release.AZURE_RESOURCE not in asked)
        if wanted is None or there == wanted or over:
            return None
        return seen.wrong(
            "other",
            f"Pod {name_of(seen.pod)} mounts {_paths(there)}",
            f"what the ConfigMap names for this GPU: {_paths(wanted)}",
            "Let the operator make the Pod.",
        )

    title = "Its Pod mounts what the operator's ConfigMap has for the GPU that it asked for."
    reads = _RUN | {"operator configmaps", "operator deployments"}
    return Check("drivers", title, judge, reads)


def _known_mounts(cluster: Snapshot, asked: dict[str, int]) -> set[Mount] | None:
    """None where the ConfigMap cannot be read, or is gone by now."""
    try:
        known = operator_release.accelerators(cluster)
    except Unreadable:
        return None
    if known is None:
        return None
    return {m for resource in asked for m in operator_release.mounts_of(known.get(resource))}


def _paths(mounts: set[Mount]) -> str:
    return ", ".join(sorted(f"{m.host_path} at {m.mount_path}" for m in mounts)) or "nothing"


def _main(pod: Object) -> Object:
    return main_container(mapping(pod, "spec"))


def _left_alone(seen: Seen) -> Finding | None:
    """An operator that is told to leave a TfJob alone has not run it."""
    if text(seen.object, "spec", "runPolicy", "managedBy") in ("", MANAGED_BY):
        return None
    return _no_training(seen, "managed-by", "spec.runPolicy.managedBy keeps the operator away")


def _another_program(seen: Seen) -> Finding | None:
    """Every replica runs the image's own program, by its template and by its Pod."""
    specs = [(role, pod) for role, pod in seen.templates]
    specs += [
        (f"Pod {name_of(pod)}", mapping(pod, "spec")) for pod in seen.pods if _asks(seen, pod)
    ]
    doubts = [(who, program.another_program(pod, main_container(pod))) for who, pod in specs]
    # What is certain of one replica comes before what is unclear of another.
    for who, doubt in sorted(doubts, key=lambda each: not (each[1] and each[1].certain)):
        if doubt:
            return _said(seen, f"program.{doubt.cause}", f"{doubt.reason} ({who})", doubt.certain)
    return None


def as_asked(seen: Seen) -> Finding | None:
    """Each Pod runs what its replica's template asks for: image, command and args."""
    for pod in seen.pods:
        wanted, runs = _asks(seen, pod), _main(pod)
        for key in ("image", "command", "args") if wanted else ():
            if (runs.get(key) or []) != (wanted.get(key) or []):
                reason = f"Pod {name_of(pod)} runs another {key} than the manifest"
                return _no_training(seen, f"other-{key}", reason)
    return None


def _asks(seen: Seen, pod: Object) -> Object:
    """The container that the template of a Pod's replica asks for; {} where it has none."""
    role = text(pod, "metadata", "labels", "job_type")
    roles = CHIEF_TYPES if role in CHIEF_TYPES else (role,)
    alone = seen.templates if len(seen.templates) == 1 and not role else []
    mine = [spec for kind, spec in seen.templates if kind in roles] or [s for _, s in alone]
    return main_container(next(iter(mine), {}))


def not_ended(seen: Seen, pod: Object, container: str) -> Finding | None:
    """What the object's status says has to be true of its Pod."""
    ended = mapping(evidence.container_status(pod, container), "state", "terminated")
    code = ended.get("exitCode")
    if code == 0 and (text(pod, "status", "phase") != "Running" or _has_side_cars(pod)):
        return None
    if code not in (0, None):
        return _no_training(seen, "exit", f"Pod {name_of(pod)} ended with exit code {code}")
    if code == 0:
        found = f"the training in Pod {name_of(pod)} has ended, and the Pod ends in a moment"
        return converging("ending", found, "a Pod that has ended", "Wait a moment.")
    return converging(
        "not-ended",
        f"{seen.subject.kind} {seen.subject.name} says that it has succeeded, but Pod "
        f"{name_of(pod)} has not ended",
        "a Pod that has ended with exit code 0",
        "Wait for the end of the training.",
        since=time_at(seen.object, "status", "completionTime"),
    )


def _has_side_cars(pod: Object) -> bool:
    spec = mapping(pod, "spec")
    native = [c for c in listed(spec, "initContainers") if c.get("restartPolicy") == "Always"]
    return bool(native) or len(containers(spec)) > 1


def _other_steps(seen: Seen, training: evidence.Training, steps: int | None) -> Finding | None:
    if not training.steps and not training.start:
        if training.cut:
            raise _cut(seen.pod)
        return _no_training(seen, "no-steps", "no line `step n/N loss … accuracy …`")
    total = training.steps[-1].total if training.steps else training.start
    wanted = steps or evidence.asked_steps(_main(seen.pod)) or total
    if training.last_step == wanted:
        return None
    return seen.wrong(
        "steps",
        f"the last step in the log is {training.last_step}",
        f"{wanted} steps",
        f'Set `args: ["--max-steps", "{wanted}"]`.',
    )


def _asked_otherwise(seen: Seen, steps: int | None) -> Finding | None:
    asked = evidence.asked_steps(main_container(next((pod for _, pod in seen.templates), {})))
    return _pods_gone(seen) if steps and asked != steps else None


def _doubted(
    seen: Seen, training: evidence.Training, container: str, alone: bool
) -> Finding | None:
    runtime = text(seen.object, "status", "runtimeId")
    if seen.subject.plural == "tfjobs" and not runtime:
        return _said(seen, "log.no-id", "the TfJob's status has no runtimeId", certain=False)
    doubt = evidence.doubt(training, seen.pod, container, runtime)
    if not doubt and alone:
        doubt = evidence.off_the_curve(training, _main(seen.pod))
    if doubt and training.cut and doubt.cause in ("other-log", "few-lines"):
        raise _cut(seen.pod)
    return _said(seen, f"log.{doubt.cause}", doubt.reason, doubt.certain) if doubt else None


def _cut(pod: Object) -> Unreadable:
    return Unreadable(
        f"the middle of the log of Pod {name_of(pod)}",
        0,
        "the log is very long, and only its beginning and its end were read",
    )


def _said(seen: Seen, cause: str, reason: str, certain: bool) -> Finding:
    """What is certain is wrong; of the rest nobody is accused, and it is not done either."""
    if certain and cause == "log.loss":
        return seen.wrong(
            cause,
            f"the training has learnt nothing: {reason}",
            "a loss that goes down",
            "Leave --learning-rate and --batch-size at the image's own values. If the manifest "
            "sets neither, take out of it what replaces or changes the image's program.",
        )
    if certain:
        return _no_training(seen, cause, reason)
    return could_not_check(
        cause,
        f"it cannot be seen from outside whether the image's own program trained: {reason}",
        "the image's own training, with nothing around it",
        "Take that out of the manifest, and run it again:",
        *seen.subject.redo(seen.cluster, seen.object, seen.exercise.file),
    )


def _no_training(seen: Seen, cause: str, reason: str) -> Finding:
    return seen.wrong(
        cause,
        f"this does not look like a training: {reason}",
        "the sample image's own training, in every replica",
        "Take out of the manifest what replaces or changes the image's program.",
    )
