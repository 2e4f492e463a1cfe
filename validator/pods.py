"""Why a Pod does not do its work: node, init containers, containers, volumes, last line of its log.

The lower half of every diagnosis: ``diagnosis`` leads from an object to its Pods.
"""

from __future__ import annotations

import re
from datetime import datetime

from validator import evidence
from validator.case import CONTROLLER_SECONDS, NODE_SECONDS, Case, nobody_works
from validator.hints import container_hint, one_line
from validator.images import PULL_REASONS, pull_trouble
from validator.scheduling import unscheduled
from validator.snapshot import (
    Object,
    Unreadable,
    at,
    condition,
    created,
    listed,
    mapping,
    name_of,
    text,
    time_at,
)
from validator.tfjobs import (
    SAMPLE_IMAGE,
    command_line,
    containers,
    main_container,
    native_side_cars,
    words,
)
from validator.verdicts import Finding, Verdict, could_not_check, wrong

# A program that prints nothing for so long does not train.
SILENT_SECONDS = 300.0
PERMANENT_EXIT_CODES = range(1, 128)
# What an exit code means where the last line of the log does not say more.
_EXIT_CODES = {
    126: "A program that it calls may not be run. Read the whole log, and correct `command`:",
    127: "A program that it calls does not exist. Read the whole log, and correct `command`:",
    137: "The program was killed from outside. Read the whole log:",
    139: "The program crashed (segmentation fault). Read the whole log:",
    143: "The program was asked to end. Read the whole log:",
}
_EVICTIONS = {"Evicted": "evicted", "NodeLost": "node-gone", "NodeShutdown": "node-gone"}
# Of a mount, these do not heal: others are a cache that is late, a volume still held elsewhere.
_LASTING_MOUNTS = ("not found", "type check failed", "permission denied", "no such file", "denied")


def pod_trouble(case: Case, pod: Object) -> Finding | None:
    """The first broken link of a Pod; None where it has ended well or stands ready."""
    if text(pod, "status", "phase") == "Succeeded":
        return None
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        since = time_at(scheduled, "lastTransitionTime") or created(pod)
        return unscheduled(case, pod, text(scheduled, "message"), since)
    return (
        _ended_by_others(case, pod)
        or _without_node(case, pod)
        or _on_a_lost_node(case, pod)
        or _init(case, pod)
        or _containers(case, pod)
    )


def worst(found: list[Finding]) -> Finding | None:
    """The first in the order of the verdicts, wrong before converging; None for none."""
    return next((f for verdict in Verdict for f in found if f.verdict is verdict), None)


def _ended_by_others(case: Case, pod: Object) -> Finding | None:
    """The Pod's own reason: evicted, its node gone, refused by the kubelet."""
    reason, message = text(pod, "status", "reason"), text(pod, "status", "message")
    if text(pod, "status", "phase") != "Failed" or not reason:
        return None
    found = f"Pod {name_of(pod)} was ended ({reason}){_colon(one_line(message))}"
    if reason == "DeadlineExceeded":
        return wrong(
            "pod-deadline",
            found,
            "a Pod that may run until its work is done",
            "Delete activeDeadlineSeconds from the Pod's template, or raise it.",
            redo=True,
        )
    return case.until_over(
        _EVICTIONS.get(reason, "pod-failed"),
        found,
        "Wait: a new Pod replaces it. If the new one is ended too:",
        "Give the container more of what the message names, or let it use less.",
        since=created(pod),
    )


def _without_node(case: Case, pod: Object) -> Finding | None:
    """A Pod that no scheduler has looked at."""
    waits = text(pod, "status", "phase") == "Pending" and not text(pod, "spec", "nodeName")
    if not waits or condition(pod, "PodScheduled"):
        return None
    if case.cluster.age_seconds(created(pod)) > CONTROLLER_SECONDS:
        return nobody_works(f"Pod {name_of(pod)} has no node", "the scheduler")
    return case.on_its_way(
        "unscheduled.new", f"Pod {name_of(pod)} waits for a node", since=created(pod)
    )


def _on_a_lost_node(case: Case, pod: Object) -> Finding | None:
    """A Pod whose node is gone or away: what its containers' statuses say is old."""
    name = text(pod, "spec", "nodeName")
    nodes = case.cluster.items_if_readable("nodes")
    if not name or not nodes or text(pod, "status", "phase") == "Failed":
        return None
    node = next((n for n in nodes if name_of(n) == name), None)
    ready = condition(node, "Ready") if node else {"status": "False"}
    if not ready or ready.get("status") == "True":
        return None
    state = "is not ready" if node else "is gone"
    found = f"Pod {name_of(pod)} is on node {name}, which {state}"
    since = time_at(ready, "lastTransitionTime") or created(pod)
    if case.over or case.cluster.age_seconds(since) < NODE_SECONDS:
        return case.on_its_way("node-gone", found, since=since)
    return could_not_check(
        "node-gone",
        found,
        "a Pod on a node that is ready",
        "See the state of the nodes:",
        "$ kubectl get nodes",
        "On the workshop's own cluster, this command starts what does not run:",
        "$ python -m cluster up",
    )


def _init(case: Case, pod: Object) -> Finding | None:
    """The first init container that keeps the others waiting; a native side-car does not."""
    natives = native_side_cars(mapping(pod, "spec"))
    for status in listed(pod, "status", "initContainerStatuses"):
        state = mapping(status, "state")
        has_begun = text(status, "name") in natives and status.get("started") is True
        if at(state, "terminated", "exitCode") == 0 or has_begun:
            continue
        if "running" in state:
            return _init_running(case, pod, status)
        finding = _container(case, pod, status)
        if finding and at(state, "waiting", "reason") != "PodInitializing":
            found = finding.found.replace("container", "init container", 1)
            if found == finding.found:
                found += f" (init container {text(status, 'name')})"
            return finding.but(cause=f"init.{finding.cause}", found=found)
    return None


def _init_running(case: Case, pod: Object, status: Object) -> Finding:
    name = text(status, "name")
    return case.on_its_way(
        "init.running",
        f"Pod {name_of(pod)} is still running its init container {name}",
        since=time_at(status, "state", "running", "startedAt"),
        late=_last_words(case, pod, name),
    )


def _containers(case: Case, pod: Object) -> Finding | None:
    """The container that does the work, then the others: a side-car may keep all waiting."""
    main = text(main_container(mapping(pod, "spec")), "name")
    statuses = listed(pod, "status", "containerStatuses")
    ordered = sorted(statuses, key=lambda status: status.get("name") != main)
    if not ordered:
        return _not_started(case, pod, "")
    if case.ends and at(ordered[0], "state", "terminated", "exitCode") == 0:
        aside = [s for s in ordered[1:] if "running" in mapping(s, "state")]
        if aside:
            return _kept_alive(case, pod, text(aside[0], "name"))
    return worst([f for status in ordered if (f := _container(case, pod, status))])


def _kept_alive(case: Case, pod: Object, aside: str) -> Finding:
    """The work has ended well, and a side-car keeps the Pod running."""
    return case.until_over(
        "side-car",
        f"the work in Pod {name_of(pod)} has ended, but its container {aside} still runs",
        f"Wait until {aside} ends. If it never does:",
        f"Make {aside} a native side-car: move it to `initContainers`, with "
        "`restartPolicy: Always`. Or delete it.",
        since=_end_of(pod),
    )


def _end_of(pod: Object) -> datetime | None:
    """When the first of its containers ended."""
    statuses = listed(pod, "status", "containerStatuses")
    times = [time_at(s, "state", "terminated", "finishedAt") for s in statuses]
    return min((t for t in times if t), default=None)


def _container(case: Case, pod: Object, status: Object) -> Finding | None:
    state = mapping(status, "state")
    if "waiting" in state:
        return _waiting(case, pod, status)
    if "terminated" in state:
        return _terminated(case, pod, status)
    return _running(case, pod, status) if "running" in state else None


def _waiting(case: Case, pod: Object, status: Object) -> Finding | None:
    reason = text(status, "state", "waiting", "reason")
    message = text(status, "state", "waiting", "message")
    if reason == "CrashLoopBackOff":
        return _crash_loop(case, pod, status)
    return _hint(case, pod, status, reason, message) or _not_started(case, pod, reason)


def _crash_loop(case: Case, pod: Object, status: Object) -> Finding:
    """What the last try ended with says more than that there were several."""
    ended = mapping(status, "lastState", "terminated")
    hint = _hint(case, pod, status, text(ended, "reason"), text(ended, "message"))
    if hint:
        return hint
    name, code = text(status, "name"), ended.get("exitCode", "unknown")
    read_only = _read_only(name, _last_line(case, pod, name))
    if read_only:
        return read_only
    return wrong(
        "crash-loop",
        f"container {name} keeps crashing and being restarted (exit code {code})"
        + _colon(_last_words(case, pod, name)),
        "a container that keeps running, or ends with exit code 0",
        "Read what it printed last:",
        f"$ kubectl logs {name_of(pod)} --container={name} --previous",
        redo=True,
    )


def _hint(case: Case, pod: Object, status: Object, reason: str, message: str) -> Finding | None:
    """What the kubelet's reason means, in words for the learner."""
    name, spec = text(status, "name"), mapping(pod, "spec")
    both = [*containers(spec), *listed(spec, "initContainers")]
    container = next((c for c in both if c.get("name") == name), {})
    if reason in PULL_REASONS:
        return pull_trouble(case, pod, container, reason, message)
    return container_hint(
        reason,
        message,
        container=name,
        image=text(container, "image") or "?",
        limit=str(at(container, "resources", "limits", "memory") or ""),
        sample=SAMPLE_IMAGE,
    )


def _not_started(case: Case, pod: Object, reason: str) -> Finding | None:
    """No container has begun: a volume that cannot be mounted, else still on its way."""
    name = name_of(pod)
    if text(pod, "status", "phase") not in ("Pending", ""):
        return None
    for event in case.cluster.events(pod, "FailedMount", "FailedAttachVolume"):
        if any(words in event.lower() for words in _LASTING_MOUNTS):
            return case.graced(_mount_hint(name, event), created(pod))
        if "Multi-Attach" in event:
            return _on_two_nodes(case, pod)
    words = f"Pod {name} is starting ({reason})" if reason else f"Pod {name} is starting"
    since = time_at(pod, "status", "startTime") or created(pod)
    return case.on_its_way("starting", words, since=since, late=case.last_warning(pod))


def _on_two_nodes(case: Case, pod: Object) -> Finding:
    return case.on_its_way(
        "multi-attach",
        f"Pod {name_of(pod)} waits for a volume that a Pod on another node uses (Multi-Attach)",
        "Wait until the other Pod ends. If both have to run, the claim needs `accessModes: "
        "[ReadWriteMany]` and a class that can do this. This command shows the claim:",
        "$ kubectl get persistentvolumeclaims",
        since=created(pod),
    )


def _mount_hint(pod: str, event: str) -> Finding:
    return wrong(
        "volume",
        f"Pod {pod} cannot mount a volume: {one_line(event)}",
        "volumes that exist, on the node or in the cluster",
        "Correct the volume in the manifest, or create what the message names.",
        redo=True,
    )


def _terminated(case: Case, pod: Object, status: Object) -> Finding | None:
    ended, name = mapping(status, "state", "terminated"), text(status, "name")
    code, reason = ended.get("exitCode"), text(ended, "reason")
    if code == 0:
        return None
    hint = _hint(case, pod, status, reason, text(ended, "message"))
    if hint:
        return hint
    last = _last_line(case, pod, name)
    read_only = _read_only(name, last)
    if read_only:
        return read_only
    why, known = evidence.failure_hint(last)
    known = known or _EXIT_CODES.get(code or 0, "")
    cause = ".".join(filter(None, ("exit", str(code), why)))
    said = f"container {name} of Pod {name_of(pod)} ended with exit code {code}{_colon(last)}"
    fix = (known or "Read the whole log, and fix the cause:", *_logs(pod, name))
    wanted = "a program that ends with exit code 0"
    if case.over or code in PERMANENT_EXIT_CODES or not case.retries:
        return wrong(cause, said, wanted, *fix, redo=True)
    return case.on_its_way(
        cause,
        said,
        "Wait: after an exit code of 128 or more, the replica is tried again.",
        since=time_at(ended, "finishedAt"),
    )


def _read_only(container: str, last: str) -> Finding | None:
    """The program's own words for a root file system that it may not write to."""
    if not re.search(r"[Rr]ead-only file system|No usable temporary directory", last):
        return None
    return container_hint("", last, container=container, image="", limit="", sample=SAMPLE_IMAGE)


def _logs(pod: Object, container: str) -> tuple[str, ...]:
    return (f"$ kubectl logs {name_of(pod)} --container={container}",)


def _running(case: Case, pod: Object, status: Object) -> Finding | None:
    """A container at work; a side-car at work is no news."""
    name, pod_name = text(status, "name"), name_of(pod)
    if name != text(main_container(mapping(pod, "spec")), "name"):
        return None
    since = time_at(status, "state", "running", "startedAt")
    if not case.ends:
        ready = status.get("ready") is True
        words_ = f"Pod {pod_name} is running, but it is not ready yet"
        late = case.last_warning(pod)
        return None if ready else case.on_its_way("not-ready", words_, since=since, late=late)
    try:
        training = evidence.read(case.cluster.log(pod, name))
    except Unreadable:
        return case.on_its_way("running", f"Pod {pod_name} is running", since=since)
    last = one_line(training.last_line)
    if training.steps:
        words_ = f"Pod {pod_name} is running: {training.progress()}"
        latest = training.steps[-1].time or since
        return case.on_its_way("training", words_, since=latest, late=f"last line: {last}")
    if not case.trains or text(pod, "metadata", "labels", "job_type") == "PS":
        return case.on_its_way("running", f"Pod {pod_name} is running{_colon(last)}", since=since)
    if case.cluster.age_seconds(since) > SILENT_SECONDS and _replaces_training(pod, name):
        return _silent(case, pod, since)
    words_ = f"Pod {pod_name} is running; no step printed yet{_colon(last)}"
    return case.on_its_way("running", words_, since=since)


def _silent(case: Case, pod: Object, since: datetime | None) -> Finding:
    minutes = case.cluster.age_seconds(since) / 60
    return wrong(
        "silent",
        f"Pod {name_of(pod)} has printed no step for {minutes:.0f} min: "
        "`command` replaces the training",
        "the image's own training program",
        "Delete `command` from the manifest.",
        redo=True,
    )


def _replaces_training(pod: Object, name: str) -> bool:
    """Whether a command runs in place of the image's own program."""
    own = next((c for c in listed(pod, "spec", "containers") if c.get("name") == name), {})
    line = " ".join(command_line(own))
    # The painter prints steps, too, but other lines than the training.
    return bool(words(own, "command")) and not re.search(r"fashion_mnist|painting\.", line)


def _last_line(case: Case, pod: Object, container: str) -> str:
    """The last line of a log; "" where there is none, or none can be read."""
    try:
        return one_line(evidence.read(case.cluster.log(pod, container)).last_line)
    except Unreadable:
        return ""


def _last_words(case: Case, pod: Object, container: str) -> str:
    last = _last_line(case, pod, container)
    return f"last line of its log: {last}" if last else ""


def _colon(words: str) -> str:
    return f": {words}" if words else ""
