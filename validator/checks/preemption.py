"""Checks of two TfJobs of which the urgent one takes the GPUs of the patient one.

What lasts proves it: the patient one's Job has a second Pod and counts no
failure, since a Pod that makes way does not count and a deleted one does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from validator import evidence
from validator.case import WAIT
from validator.diagnosis import failed, succeeded
from validator.engine import Check, Need, Seen
from validator.snapshot import (
    Object,
    Snapshot,
    Unreadable,
    at,
    created,
    listed,
    mapping,
    name_of,
    text,
    time_at,
)
from validator.subjects import TfJob
from validator.tfjobs import gpus, main_container, pod_spec, replica_specs
from validator.verdicts import Finding, blocked, converging, could_not_check, wrong

CLASSES = "priorityclasses"
# A Pod that is as old as its Job was made with it. Times are whole seconds.
FIRST = timedelta(seconds=2)
EVENTS_LAST = timedelta(minutes=50)
_READS = frozenset({"tfjobs", "jobs", "pods", "events", "logs"})


def need_class(name: str, value: int) -> Need:
    """The cluster has this PriorityClass."""

    def judge(cluster: Snapshot) -> Finding | None:
        if any(name_of(each) == name for each in cluster.items(CLASSES)):
            return None
        return blocked(
            "none",
            f"this cluster has no PriorityClass {name}",
            f"a PriorityClass {name}, as the workshop's own cluster has",
            "It is one for the whole cluster. Who runs the cluster makes it:",
            f"$ kubectl create priorityclass {name} --value={value}",
        )

    return Need("class", judge, frozenset({CLASSES}))


def without_priority() -> Check:
    """The patient one has no class: only a lower priority makes way."""

    def judge(seen: Seen) -> Finding | None:
        given = text(_template(seen.object), "priorityClassName")
        if not given:
            return None
        return seen.wrong(
            "patient",
            f"{seen.subject.name} has the class {given} itself: of equals, none makes way",
            "no priorityClassName in the patient TfJob",
            "Delete priorityClassName from it.",
        )

    return Check("priority", "It has no priority of its own.", judge)


def urgent(name: str, priority_class: str, count: int) -> Check:
    """The urgent TfJob is there, has the class, and does not fit beside the patient one."""

    def judge(seen: Seen) -> Finding | None:
        job = TfJob(name).find(seen.cluster)
        if job is None:
            return _none(seen, name)
        return _other_class(seen, job, priority_class) or _fits(job, count) or _failed(seen, job)

    title = f"TfJob {name} has the class {priority_class}, and wants {count} GPUs."
    return Check("urgent", title, judge, _READS | {CLASSES})


def _none(seen: Seen, name: str) -> Finding:
    file = f"{{checkout}}/my-{name}.yaml"
    if seen.ended == "well":
        return seen.wrong(
            "never",
            f"{seen.subject.name} has ended, and nobody has disturbed it: there is no TfJob {name}",
            f"TfJob {name}, applied while {seen.subject.name} trains",
            "Run it again, and apply the urgent one after step 200.",
        )
    return converging(
        "none",
        f"there is no TfJob {name} yet; {_progress(seen)}",
        f"TfJob {name}, applied after step 200",
        "Wait for step 200. Then apply the urgent one:",
        f"$ kubectl apply -f {file}",
        since=created(seen.object),
    )


def _progress(seen: Seen) -> str:
    try:
        log = seen.log(seen.pod, text(main_container(mapping(seen.pod, "spec")), "name"))
        return f"{seen.subject.name}: {evidence.read(log).progress()}"
    except Unreadable:
        return f"{seen.subject.name} has not begun to train"


def _other_class(seen: Seen, job: Object, wanted: str) -> Finding | None:
    given = text(_template(job), "priorityClassName")
    if given == wanted:
        return None
    known = {name_of(each) for each in seen.cluster.items_if_readable(CLASSES)}
    unknown = bool(given and known and given not in known)
    return _again(
        job,
        "no-such-class" if unknown else "class",
        f"{name_of(job)} has the class {given}, which this cluster does not have"
        if unknown
        else f"{name_of(job)} has the class {given or '(none)'}: it waits like any other",
        f"priorityClassName: {wanted}",
        f"Write `priorityClassName: {wanted}` under template.spec.",
    )


def _fits(job: Object, count: int) -> Finding | None:
    asked = sum(gpus(main_container(_template(job))).values())
    if asked == count:
        return None
    return _again(
        job,
        "gpus",
        f"{name_of(job)} asks for {asked} GPUs"
        + (", and so it fits beside the other" if asked < count else ""),
        f"{count} GPUs: 3 of 4 are taken",
        f"Set the GPUs of its container to {count}.",
    )


def _failed(seen: Seen, job: Object) -> Finding | None:
    """Why it has failed; None while it runs, and once it has succeeded."""
    if not failed(job):
        return None
    trouble = TfJob(name_of(job)).trouble(seen.cluster, job)
    return trouble and trouble.but(redo=False, fix=(*trouble.fix, *_redo(job)))


def _again(job: Object, cause: str, found: str, wanted: str, fix: str) -> Finding:
    return wrong(cause, found, wanted, fix, *_redo(job))


def _redo(job: Object) -> tuple[str, ...]:
    name = name_of(job)
    return (
        "Then make it again:",
        f"$ kubectl delete tfjob {name}",
        f"$ kubectl apply -f {{checkout}}/my-{name}.yaml",
    )


def waits_for(name: str) -> Callable[[Seen, Finding], Finding]:
    """What to say while the patient one's Pod waits for the urgent one, in place of the reason."""

    def meanwhile(seen: Seen, finding: Finding) -> Finding:
        other = TfJob(name).find(seen.cluster)
        if other is None or succeeded(other) or text(seen.pod, "status", "phase") == "Running":
            return finding
        return converging(
            "makes-way",
            f"its Pod has made way, and its next one waits until {name} has ended",
            "two TfJobs that have succeeded",
            WAIT,
            since=created(other),
        )

    return meanwhile


def made_way(name: str) -> Check:
    """The patient one's Pod was preempted, and the urgent one has run in its place."""

    def judge(seen: Seen) -> Finding | None:
        job = next(iter(seen.cluster.children("jobs", seen.object)), {})
        pod, other = seen.pod, TfJob(name).find(seen.cluster) or {}
        if not succeeded(other):
            return converging(
                "urgent-runs",
                f"TfJob {name} has not succeeded yet",
                "two TfJobs that have succeeded",
                "Wait for its end:",
                f"$ kubectl get tfjob {name}",
                since=created(other),
            )
        return (
            _not_second(seen, job, pod, name)
            or _by_hand(seen, job, name)
            or _not_instead(seen, other)
        )

    title = f"Its first Pod made way for {name}."
    return Check("preempted", title, judge, _READS)


def _not_second(seen: Seen, job: Object, pod: Object, urgent: str) -> Finding | None:
    made, began = created(pod), created(job)
    if not (made and began) or made - began > FIRST:
        return None
    found = "its first Pod has trained to the end: nobody pushed it away"
    return _run_again(seen, urgent, "none", found)


def _by_hand(seen: Seen, job: Object, urgent: str) -> Finding | None:
    """A Pod that somebody deletes counts as a failure of its Job; one that makes way does not."""
    if not at(job, "status", "failed"):
        return None
    found = "its first Pod was deleted or failed: it did not make way"
    return _run_again(seen, urgent, "deleted", found)


def _not_instead(seen: Seen, other: Object) -> Finding | None:
    """Whether the urgent one's Pod ran between the two Pods of the patient one."""
    pod = next(iter(TfJob(name_of(other)).pods(seen.cluster, other)), {})
    ended = time_at(_state(pod), "finishedAt")
    began = time_at(_state(seen.pod), "startedAt")
    if ended and began and ended > began + FIRST:
        urgent = name_of(other)
        return _run_again(seen, urgent, "beside", f"{urgent} did not run in its place")
    if _preempted_by_events(seen) is False:
        return could_not_check(
            "unclear",
            "its first Pod has gone, and no event says that it made way",
            "a Pod that was preempted",
            "If the check has not said done before, run it again:",
            *seen.subject.redo(seen.cluster, seen.object, seen.exercise.file),
        )
    return None


def _preempted_by_events(seen: Seen) -> bool | None:
    """None where events have expired, or cannot be read."""
    made = created(seen.pod)
    events = seen.cluster.items_if_readable("events")
    if not events or not made or seen.cluster.taken - made > EVENTS_LAST:
        return None
    prefix = f"{seen.subject.name[:40]}-master-"
    return any(
        text(e, "reason") == "Preempted" and text(e, "involvedObject", "name").startswith(prefix)
        for e in events
    )


def _run_again(seen: Seen, urgent: str, cause: str, found: str) -> Finding:
    """Both TfJobs, one after the other: the second one after a checkpoint of the first."""
    patient = seen.subject.name
    return seen.wrong(
        cause,
        found,
        "a Pod that makes way for the urgent one, after step 200",
        "Delete both TfJobs, and run the patient one:",
        f"$ kubectl delete tfjob {patient} {urgent} --ignore-not-found",
        f"$ kubectl apply -f {seen.exercise.file}",
        "Follow its log (Ctrl-C ends that). Run the urgent one after step 200:",
        f"$ kubectl logs --follow -l tf_job_name={patient} --tail=-1",
        f"$ kubectl apply -f {{checkout}}/my-{urgent}.yaml",
    ).but(redo=False)


def resumed(least: int) -> Check:
    """The second Pod went on where the first one was: at this step or later."""

    def judge(seen: Seen) -> Finding | None:
        log = seen.log(seen.pod, text(main_container(mapping(seen.pod, "spec")), "name"))
        start = evidence.read(log).start
        if start >= least:
            return None
        return seen.wrong(
            "early" if start else "none",
            f"the second Pod began at step {start}",
            f"a training that goes on at step {least} or later",
            "Apply the urgent one later: after step 200.",
        )

    return Check("resumed", f"Its second Pod went on at step {least} or later.", judge, _READS)


def _state(pod: Object) -> Object:
    statuses = listed(pod, "status", "containerStatuses")
    states = (mapping(s, "state") for s in statuses)
    return next((s.get("terminated") or s.get("running") or {} for s in states), {})


def _template(tfjob: Object) -> Object:
    return pod_spec(next(iter(replica_specs(tfjob)), {}))
