"""Why something has not ended well, or is not ready: one causal chain for every kind of subject.

Own conditions → children → Pod (init containers first) → container → event →
last line of its log. A learner who reads the first broken link knows what to
fix; what is broken below it is only its consequence, so nothing of that is
said. Where the subject's own conditions say that it is over, nothing is
"converging" any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from validator.case import CONTROLLER_SECONDS, WAIT, Case, nobody_works
from validator.hints import creation_hint, one_line, spec_hint, template_hint
from validator.pods import pod_trouble, worst
from validator.scheduling import unbound_claim
from validator.snapshot import (
    Object,
    Snapshot,
    at,
    condition,
    created,
    is_true,
    listed,
    mapping,
    name_of,
    owners,
    text,
    time_at,
)
from validator.tfjobs import (
    CHIEF_TYPES,
    MANAGED_BY,
    containers,
    gpu_resource,
    pod_spec,
    replica_specs,
    training_container,
)
from validator.verdicts import Finding, Verdict, blocked, converging, wrong

# A TfJob without a status for so long was not looked at by any operator.
UNSEEN_SECONDS = 30.0
REFUSED = ("InvalidSpec", "InvalidTemplate")
# Of the condition Progressing: the old Pods stand, and the new ones do not (yet).
_ROLLS_OUT = ("ReplicaSetUpdated", "ProgressDeadlineExceeded")
# A Job with `restartPolicy: OnFailure` takes its Pod and the log along when it gives up.
_GAVE_UP = (
    "Its Pod is gone, and the log with it. Is every word of `args` an entry of its own, and each "
    "option one that the program knows? To keep the Pod of a Job that fails, set `restartPolicy: "
    "Never`.",
)
_REASONS = {
    "DeadlineExceeded": (
        "Raise activeDeadlineSeconds in the manifest, or delete it: the time was too short.",
    ),
}


def of_tfjob(cluster: Snapshot, tfjob: Object) -> Finding | None:
    """The first broken link; None when the TfJob has succeeded."""
    if succeeded(tfjob):
        return None
    name = name_of(tfjob)
    over = failed(tfjob)
    wanted = "a TfJob that has succeeded"
    case = Case(cluster, f"TfJob {name}", wanted, over, retries=True, trains=True)
    if over:
        return _refused(cluster, tfjob) or _told(_failed(tfjob), _replicas(case, tfjob))
    return (
        _left_alone(cluster, tfjob)
        or _not_created(cluster, tfjob)
        or _replicas(case, tfjob)
        or converging(
            "running",
            _state_in_words(tfjob),
            case.wanted,
            WAIT,
            since=time_at(tfjob, "status", "startTime") or created(tfjob),
        )
    )


def of_job(cluster: Snapshot, job: Object) -> Finding | None:
    """The first broken link; None when the Job is Complete."""
    if is_true(job, "Complete"):
        return None
    over = is_true(job, "Failed")
    case = Case(cluster, f"Job {name_of(job)}", "a Job that is Complete", over, retries=True)
    if over:
        below = _child(case, job)
        own = _condition_failed(job, case)
        if below is None and own.cause == "failed.BackoffLimitExceeded":
            own = own.but(fix=_GAVE_UP)
        return _told(own, below)
    if at(job, "spec", "suspend") is True:
        return _suspended(job)
    return _child(case, job) or converging(
        "running", f"{case.what} is running", case.wanted, WAIT, since=created(job)
    )


def _suspended(job: Object) -> Finding:
    return wrong(
        "suspended",
        f"Job {name_of(job)} is suspended (spec.suspend: true)",
        "a Job that runs",
        "Resume it:",
        f'$ kubectl patch job {name_of(job)} --patch \'{{"spec": {{"suspend": false}}}}\'',
    )


def of_deployment(cluster: Snapshot, deployment: Object) -> Finding | None:
    """The first broken link; None when all its replicas are available."""
    name, wanted = name_of(deployment), at(deployment, "spec", "replicas")
    wanted = wanted if isinstance(wanted, int) else 1
    if wanted == 0:
        # Kubernetes calls a Deployment of 0 replicas Available.
        return wrong(
            "scaled-to-zero",
            f"Deployment {name} is scaled to 0 replicas",
            "one replica or more",
            "Scale it:",
            f"$ kubectl scale deployment/{name} --replicas=1",
        )
    if is_true(deployment, "Available") and _up_to_date(deployment, wanted):
        return None
    many = "one replica that is" if wanted == 1 else f"{wanted} replicas that are"
    case = Case(cluster, f"Deployment {name}", f"{many} available", ends=False)
    return (
        _not_replicated(deployment, case)
        or _first(
            pod_trouble(case, pod) for pod in pods_of_deployment(cluster, deployment)[-wanted:]
        )
        or converging(
            "starting",
            f"Deployment {name}: {at(deployment, 'status', 'readyReplicas') or 0} of {wanted} "
            "replicas are ready",
            case.wanted,
            WAIT,
            f"$ kubectl rollout status deployment/{name}",
            since=_latest_change(deployment) or created(deployment),
            late=case.last_warning(deployment),
        )
    )


def of_claim(cluster: Snapshot, claim: Object) -> Finding | None:
    """The first broken link; None when the claim is Bound."""
    name = name_of(claim)
    if text(claim, "status", "phase") == "Bound":
        return None
    said = next(iter(cluster.events(claim)), "")
    if "waiting for first consumer" in said.lower():
        return converging(
            "first-consumer",
            f"claim {name} waits for the first Pod that mounts it",
            "a claim that is Bound",
            "Go on: the claim is bound when a Pod mounts it.",
            since=created(claim),
            patience_seconds=CONTROLLER_SECONDS,
        )
    case = Case(cluster, f"claim {name}", "a claim that is Bound")
    return case.graced(unbound_claim(case, claim).but(redo=True), created(claim))


def succeeded(tfjob: Object) -> bool:
    """Whether the operator says so, in the condition of today or the state of 2017."""
    return is_true(tfjob, "Succeeded") or text(tfjob, "status", "state") == "Succeeded"


def failed(tfjob: Object) -> bool:
    """Whether the operator has given up on it."""
    return is_true(tfjob, "Failed") or text(tfjob, "status", "state") == "Failed"


def refused(tfjob: Object) -> bool:
    """Whether it failed for its spec: the operator tries a better one without a deletion."""
    return failed(tfjob) and _reason(tfjob).startswith(REFUSED)


def newest_pods(cluster: Snapshot, tfjob: Object) -> list[Object]:
    """The newest Pod of each of the TfJob's replicas, the chief's first."""
    newest = [pod for job in cluster.children("jobs", tfjob) for pod in cluster.newest_pods(job)]
    return sorted(
        newest, key=lambda pod: text(pod, "metadata", "labels", "job_type") not in CHIEF_TYPES
    )


def pods_of_deployment(cluster: Snapshot, deployment: Object) -> list[Object]:
    """Its Pods, oldest first, without those that are being deleted.

    Those of its ReplicaSets; where they cannot be read, by the labels of its selector.
    """
    uid, sets = text(deployment, "metadata", "uid"), cluster.items_if_readable("replicasets")
    mine = {text(each, "metadata", "uid") for each in sets if uid and uid in owners(each)}
    wanted = mapping(deployment, "spec", "selector", "matchLabels")
    pods = [
        pod
        for pod in cluster.items("pods")
        if (mine & owners(pod) if mine else wanted and _has_labels(pod, wanted))
        if not text(pod, "metadata", "deletionTimestamp")
    ]
    return sorted(pods, key=lambda pod: text(pod, "metadata", "creationTimestamp"))


def _has_labels(item: Object, labels: Object) -> bool:
    return labels.items() <= mapping(item, "metadata", "labels").items()


def _reason(tfjob: Object) -> str:
    return text(condition(tfjob, "Failed"), "reason") or text(tfjob, "status", "reason")


def _state_in_words(tfjob: Object) -> str:
    if text(tfjob, "status", "phase") == "Running":
        return f"TfJob {name_of(tfjob)} is running"
    return f"TfJob {name_of(tfjob)} has been accepted; its Pods have not started yet"


def _told(own: Finding, below: Finding | None) -> Finding:
    """The finding for a subject that has failed: its own reason first, then what its Pods show.

    Below it, only what is wrong can be the cause; what was on its way tells how far it came.
    """
    if below is None:
        return own
    if below.verdict is not Verdict.WRONG:
        return own.but(found=f"{own.found}. At its end: {below.found}")
    return below.but(found=f"{own.found.partition(': ')[0]}: {below.found}")


def _refused(cluster: Snapshot, tfjob: Object) -> Finding | None:
    """What the operator, or the API server, said of the spec."""
    if not refused(tfjob):
        return None
    reason = _reason(tfjob).partition(":")[0]
    message = text(condition(tfjob, "Failed"), "message") or text(tfjob, "status", "reason")
    pods = [pod_spec(spec) for spec in replica_specs(tfjob)]
    idle = [pod for pod in pods if not training_container(pod)]
    names = sorted({text(c, "name") or "(no name)" for pod in idle for c in containers(pod)})
    own = spec_hint(message, ", ".join(names))
    hint = own or template_hint("its template", message, pods, gpu_resource(cluster))
    said = f"the operator refused the TfJob ({reason})"
    if hint:
        return hint.but(cause=f"refused.{hint.cause}", found=f"{said}: {hint.found}")
    return wrong(
        "refused",
        f"{said}: {one_line(message)}",
        "a spec from which the operator can make Jobs",
        "Fix the field that the message names in the manifest.",
        redo=True,
    )


def _left_alone(cluster: Snapshot, tfjob: Object) -> Finding | None:
    """Suspended, handed to someone else, or not yet looked at."""
    name, policy = name_of(tfjob), mapping(tfjob, "spec", "runPolicy")
    if policy.get("suspend") is True:
        return wrong(
            "suspended",
            "spec.runPolicy.suspend is true: the operator keeps this TfJob waiting",
            "a TfJob that runs",
            "Resume it:",
            f"$ kubectl patch tfjob {name} --type=merge "
            '--patch \'{"spec": {"runPolicy": {"suspend": false}}}\'',
        )
    if text(tfjob, "metadata", "deletionTimestamp"):
        return converging(
            "deleting",
            f"TfJob {name} is being deleted",
            "a TfJob that runs",
            "Wait until it is gone. Then apply your manifest again.",
            since=time_at(tfjob, "metadata", "deletionTimestamp"),
        )
    if policy.get("managedBy") not in (None, "", MANAGED_BY):
        return wrong(
            "managed-by",
            f"spec.runPolicy.managedBy is {policy['managedBy']}: the operator leaves it alone",
            "a TfJob that the workshop's operator runs",
            "Take managedBy out of the manifest.",
            redo=True,
        )
    if tfjob.get("status"):
        return None
    return _unseen(cluster, tfjob)


def _unseen(cluster: Snapshot, tfjob: Object) -> Finding | None:
    """No status yet: the operator does not run, or has not looked."""
    wanted = "an operator that reacts within a second"
    age = cluster.age_seconds(created(tfjob))
    for deployment in cluster.items_if_readable("deployments", "operator"):
        if is_true(deployment, "Available") and at(deployment, "spec", "replicas") != 0:
            break
    else:
        if cluster.items_if_readable("deployments", "operator") or age > UNSEEN_SECONDS:
            return blocked(
                "operator",
                "the operator does not run, so nothing happens with this TfJob",
                wanted,
                "See what is wrong with the operator:",
                "$ python -m validator module5 --exercise 0",
            )
    if age <= UNSEEN_SECONDS:
        found = f"TfJob {name_of(tfjob)} was just created"
        return converging("new", found, wanted, WAIT, since=created(tfjob))
    return wrong(
        "unseen",
        f"the operator has not reacted to this TfJob for {age:.0f} s",
        wanted,
        "Read the operator's log, in the operator's namespace:",
        "$ kubectl logs deployment/tf-job-operator --tail=20" + _operators_namespace(cluster),
    )


def _operators_namespace(cluster: Snapshot) -> str:
    found = cluster.items_if_readable("deployments", "operator")
    namespace = next((text(d, "metadata", "namespace") for d in found), "")
    return f" --namespace={namespace}" if namespace else ""


def _not_created(cluster: Snapshot, tfjob: Object) -> Finding | None:
    """Created=False: the condition lasts longer than the events about it."""
    said = condition(tfjob, "Created")
    if said.get("status") != "False":
        return None
    message, since = text(said, "message"), time_at(said, "lastTransitionTime")
    if text(said, "reason") == "Creating":
        found = f"the operator is creating the children of TfJob {name_of(tfjob)}"
        wanted = "a Service and a Job for each replica"
        return converging("creating", found, wanted, WAIT, since=since)
    if text(said, "reason") == "NameTaken":
        return wrong(
            "name-taken",
            f"the operator cannot make a child of this TfJob: {one_line(message)}",
            "a name that nobody else uses",
            "Give the TfJob another `RuntimeId`. Or delete the object that the message names, if "
            "it is yours and you no longer need it.",
        )
    return _since(creation_hint(f"TfJob {name_of(tfjob)}", message), since or created(tfjob))


def _since(finding: Finding, since: datetime | None) -> Finding:
    return finding.but(since=since) if finding.verdict is Verdict.CONVERGING else finding


def _replicas(case: Case, tfjob: Object) -> Finding | None:
    """The first replica that is wrong; else the chief, if it is on its way; else any."""
    cluster = case.cluster
    jobs = cluster.children("jobs", tfjob)
    if not jobs:
        for message in cluster.events(tfjob, "FailedCreate"):
            return _since(creation_hint(case.what, message), created(tfjob))
        return None
    found = [finding for job in _chief_first(jobs) if (finding := _child(case, job))]
    return worst(found)


def _chief_first(jobs: Iterable[Object]) -> list[Object]:
    return sorted(
        jobs, key=lambda job: text(job, "metadata", "labels", "job_type") not in CHIEF_TYPES
    )


def _first(found: Iterable[Finding | None]) -> Finding | None:
    return next((finding for finding in found if finding), None)


def _child(case: Case, job: Object) -> Finding | None:
    """A Job and its newest Pod; of an Indexed Job, those of all replicas."""
    cluster = case.cluster
    if is_true(job, "Complete"):
        return None
    pods = cluster.newest_pods(job)
    if pods:
        return worst([found for pod in pods if (found := pod_trouble(case, pod))])
    for message in cluster.events(job, "FailedCreate"):
        return _since(creation_hint(f"Job {name_of(job)}", message), created(job))
    if case.over or is_true(job, "Failed"):
        return None
    if at(job, "spec", "suspend") is True:
        return _suspended(job)
    since = created(job)
    if cluster.age_seconds(since) > CONTROLLER_SECONDS and not at(job, "status", "active"):
        return nobody_works(f"Job {name_of(job)} has no Pod", "the Job controller")
    return converging(
        "no-pod", f"Job {name_of(job)} has no Pod yet", case.wanted, WAIT, since=since
    )


def _not_replicated(deployment: Object, case: Case) -> Finding | None:
    """A Deployment whose ReplicaSet may not make its Pods."""
    refusal = condition(deployment, "ReplicaFailure")
    if refusal.get("status") == "True":
        since = time_at(refusal, "lastTransitionTime") or created(deployment)
        return _since(creation_hint(case.what, text(refusal, "message")), since)
    return None


def _up_to_date(deployment: Object, wanted: int) -> bool:
    """Whether the controller has seen the newest spec, and all its Pods are of it and ready."""
    status, generation = mapping(deployment, "status"), at(deployment, "metadata", "generation")
    seen = status.get("observedGeneration", generation)
    if isinstance(generation, int) and isinstance(seen, int) and seen < generation:
        return False
    if text(condition(deployment, "Progressing"), "reason") in _ROLLS_OUT:
        return False
    counts = [status.get(key, wanted) for key in ("updatedReplicas", "readyReplicas")]
    return all(isinstance(count, int) and count >= wanted for count in counts)


def _latest_change(item: Object) -> datetime | None:
    times = [time_at(c, "lastTransitionTime") for c in listed(item, "status", "conditions")]
    return max((t for t in times if t), default=None)


def _condition_failed(job: Object, case: Case) -> Finding:
    """A Job's own reason: deadline, backoff limit."""
    said = condition(job, "Failed")
    reason, message = text(said, "reason"), text(said, "message")
    return _own_reason(case.what, f"job {name_of(job)}", reason, message, case.wanted)


def _failed(tfjob: Object) -> Finding:
    """A TfJob's own reason: deadline, backoff limit, a replica that may not be tried again."""
    name, reason = name_of(tfjob), _reason(tfjob).partition(":")[0]
    message = text(condition(tfjob, "Failed"), "message") or text(tfjob, "status", "reason")
    wanted = "a TfJob that has succeeded"
    return _own_reason(f"TfJob {name}", f"tfjob {name}", reason, message, wanted)


def _own_reason(what: str, kubectl: str, reason: str, message: str, wanted: str) -> Finding:
    fix = _REASONS.get(
        reason, ("See its events, and fix the cause:", f"$ kubectl describe {kubectl}")
    )
    said = one_line(message) or "it gives no message"
    return wrong(
        f"failed.{reason or 'unknown'}",
        f"{what} has failed ({reason or 'no reason given'}): {said}",
        wanted,
        *fix,
        redo=True,
    )
