"""Why a TfJob has not succeeded: the first broken link of the chain that leads to its end.

TfJob → Job → Pod → container → event → last log line. A learner who reads the
first broken link knows what to mend; all that is broken below it is only its
consequence, so nothing of that is said.
"""

from __future__ import annotations

from validator import evidence
from validator.hints import LOAD, container_hint, creation_hint, one_line, unscheduled
from validator.snapshot import (
    Object,
    Snapshot,
    condition,
    is_true,
    listed,
    name_of,
    parse_time,
    text,
)
from validator.verdicts import Finding, Verdict, converging, wrong

WANTED = "a TfJob that succeeds: kubectl get tfjobs says Succeeded"
# A TfJob without a status for so long was not looked at by any operator.
UNSEEN_SECONDS = 30
PERMANENT_EXIT_CODES = range(1, 128)


def diagnose(cluster: Snapshot, tfjob: Object) -> Finding | None:
    """The first broken link; None when the TfJob has succeeded."""
    if succeeded(tfjob):
        return None
    return (
        _left_alone(cluster, tfjob)
        or _refused(tfjob)
        or _replicas(cluster, tfjob)
        or _failed(tfjob)
        or converging(
            found=f"TfJob {name_of(tfjob)} is {_state(tfjob) or 'new'}",
            wanted=WANTED,
            next_step="wait: add --watch to this command to see it end",
        )
    )


def succeeded(tfjob: Object) -> bool:
    """Whether the operator says so, in the condition of today or the state of 2017."""
    return is_true(tfjob, "Succeeded") or _state(tfjob) == "Succeeded"


def failed(tfjob: Object) -> bool:
    """Whether the operator has given up on it."""
    return is_true(tfjob, "Failed") or _state(tfjob) == "Failed"


def newest_pods(cluster: Snapshot, tfjob: Object) -> list[Object]:
    """The newest Pod of each of the TfJob's Jobs, chief first."""
    pods = [cluster.children("pods", job) for job in cluster.children("jobs", tfjob)]
    newest = [each[-1] for each in pods if each]
    return sorted(newest, key=lambda pod: text(pod, "metadata", "labels", "job_type") not in _CHIEF)


_CHIEF = ("MASTER", "CHIEF")


def _state(tfjob: Object) -> str:
    return text(tfjob, "status", "state")


def _left_alone(cluster: Snapshot, tfjob: Object) -> Finding | None:
    """Suspended, handed to someone else, or not yet looked at."""
    policy = tfjob.get("spec", {}).get("runPolicy") or {}
    if policy.get("suspend"):
        return wrong(
            found="spec.runPolicy.suspend: true; the operator keeps this TfJob waiting",
            wanted="a TfJob that runs",
            next_step="set spec.runPolicy.suspend to false and apply again",
        )
    if policy.get("managedBy"):
        return wrong(
            found=f"spec.runPolicy.managedBy: {policy['managedBy']}; the operator leaves it alone",
            wanted="a TfJob that the workshop's operator runs",
            next_step="delete the TfJob, take managedBy out of the manifest, and apply again",
        )
    if tfjob.get("status"):
        return None
    created = parse_time(text(tfjob, "metadata", "creationTimestamp"))
    age = (cluster.taken - created).total_seconds() if created else 0
    if age > UNSEEN_SECONDS:
        return wrong(
            found=f"a TfJob without a status, {age:.0f} s after it was created",
            wanted="an operator that sees it within a second",
            next_step="`kubectl logs deployment/tf-job-operator` (in the operator's namespace) "
            "says why it does not",
        )
    return None


def _refused(tfjob: Object) -> Finding | None:
    """What the operator said of the spec, in its own words."""
    said = condition(tfjob, "Failed")
    reason = text(said, "reason") or text(tfjob, "status", "reason")
    if not (failed(tfjob) and reason.startswith("Invalid")):
        return None
    message = text(said, "message") or text(tfjob, "status", "reason")
    return wrong(
        found=f"the operator refused the spec ({reason}): {message}",
        wanted="a spec from which the operator can make Jobs",
        next_step=f"mend that field in the manifest, `kubectl delete tfjob {name_of(tfjob)}` and "
        "apply again",
    )


def _replicas(cluster: Snapshot, tfjob: Object) -> Finding | None:
    """The first replica that is wrong; else the first that is on its way."""
    jobs = cluster.children("jobs", tfjob)
    if not jobs:
        return _no_job(cluster, tfjob)
    found = [finding for job in jobs if (finding := _replica(cluster, tfjob, job))]
    return next((f for f in found if f.verdict is Verdict.WRONG), found[0] if found else None)


def _no_job(cluster: Snapshot, tfjob: Object) -> Finding | None:
    for message in cluster.events(tfjob, "FailedCreate"):
        return creation_hint(f"TfJob {name_of(tfjob)}", message)
    return None


def _replica(cluster: Snapshot, tfjob: Object, job: Object) -> Finding | None:
    pods = cluster.children("pods", job)
    if pods:
        return _pod(cluster, tfjob, pods[-1])
    for message in cluster.events(job, "FailedCreate"):
        return creation_hint(f"Job {name_of(job)}", message)
    return None


def _pod(cluster: Snapshot, tfjob: Object, pod: Object) -> Finding | None:
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return unscheduled(cluster, pod, text(scheduled, "message"))
    status = evidence.training_status(pod)
    state = status.get("state") or {}
    if "waiting" in state:
        return _waiting(cluster, pod, state["waiting"] or {})
    if "terminated" in state:
        return _terminated(cluster, tfjob, pod, state["terminated"] or {})
    return _running(cluster, pod) if "running" in state else None


def _waiting(cluster: Snapshot, pod: Object, waiting: Object) -> Finding:
    reason, message = text(waiting, "reason"), text(waiting, "message")
    hint = container_hint(pod, reason, message)
    if hint:
        return hint
    # Others heal: a cache that is late, a volume that is still being detached elsewhere.
    lasting = ("not found", "type check failed")
    for event in cluster.events(pod, "FailedMount"):
        if not any(words in event for words in lasting):
            continue
        return wrong(
            found=f"Pod {name_of(pod)} cannot mount a volume: {one_line(event)}",
            wanted="volumes that exist on the node or in the cluster",
            next_step="correct the volume in the manifest, delete the TfJob and apply again",
        )
    return converging(
        found=f"Pod {name_of(pod)} is starting ({reason or 'waiting'})",
        wanted=WANTED,
        next_step="wait: add --watch to this command to see it end",
    )


def _terminated(cluster: Snapshot, tfjob: Object, pod: Object, ended: Object) -> Finding | None:
    code = ended.get("exitCode")
    if code == 0:
        return None
    reason = text(ended, "reason")
    hint = container_hint(pod, reason, text(ended, "message"))
    if hint:
        return hint
    last = evidence.read(cluster.log(pod)).last_line
    found = f"Pod {name_of(pod)} ended with exit code {code}" + (
        f": {one_line(last)}" if last else ""
    )
    if code in PERMANENT_EXIT_CODES or failed(tfjob):
        return wrong(
            found=found,
            wanted="a training that ends with exit code 0",
            next_step=f"`kubectl logs {name_of(pod)}` shows the whole log; mend the cause, "
            f"`kubectl delete tfjob {name_of(tfjob)}` and apply again",
        )
    return converging(
        found=found,
        wanted="a training that ends with exit code 0",
        next_step="wait: from 128 upwards the operator tries again",
    )


def _running(cluster: Snapshot, pod: Object) -> Finding:
    progress = evidence.read(cluster.log(pod)).progress()
    return converging(
        found=f"Pod {name_of(pod)} runs: {progress}",
        wanted=WANTED,
        next_step="wait: add --watch to this command to see it end",
    )


def _failed(tfjob: Object) -> Finding | None:
    """Failed, and nothing below says why: deadline, backoff limit, or the Pods are gone."""
    if not failed(tfjob):
        return None
    said = condition(tfjob, "Failed")
    reason = text(said, "reason") or text(tfjob, "status", "reason") or "no reason given"
    return wrong(
        found=f"TfJob {name_of(tfjob)} has failed ({reason}) {text(said, 'message')}".strip(),
        wanted=WANTED,
        next_step=f"`kubectl describe tfjob {name_of(tfjob)}` shows its events; mend the cause, "
        "delete it and apply again",
    )


def pulls_in_vain(cluster: Snapshot, tfjob: Object) -> Finding | None:
    """The finding when an image of this TfJob cannot be had; None otherwise."""
    for pod in newest_pods(cluster, tfjob):
        for status in listed(pod, "status", "containerStatuses"):
            waiting = (status.get("state") or {}).get("waiting") or {}
            hint = container_hint(pod, text(waiting, "reason"), text(waiting, "message"))
            if hint and LOAD in hint.next_step:
                return hint
    return None
