"""What the cluster shows of a job's children, cut down to the fields that decisions need.

The controller's caches hold thousands of these, so they are small; reconcile reads nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from . import indexes
from .spec import CONTAINER, Json, time_of

TFJOB_UID = "tensorflow.org/tfjob-uid"  # annotation of a Pod: whose it is when its Job is gone
INDEX = "batch.kubernetes.io/job-completion-index"  # label of a Pod of an Indexed Job
STARTING = ("ContainerCreating", "PodInitializing")  # what every Pod waits for at first
INTERRUPTED = ("Evicted", "Preempting", "Preempted", "DeadlineExceeded", "Terminated")


@dataclass(frozen=True, slots=True)
class Pod:
    """One Pod. ``exit_code`` is of the container tensorflow, None while it has not ended.

    ``interrupted``: it was deleted, evicted, preempted or ended by its own deadline before its
    program had ended. ``disrupted`` is the same, as the Job controller sees it (DisruptionTarget);
    ``cause`` says why. ``waiting`` is (reason, message) of what it waits for, or None.
    """

    name: str
    uid: str
    created: str
    phase: str
    deleting: bool = False
    disrupted: bool = False
    exit_code: int | None = None
    reason: str = ""
    interrupted: bool = False
    cause: str = ""
    waiting: tuple[str, str] | None = None
    deleted_at: str = ""
    node: str = ""
    tfjob: str = ""
    job: str = ""
    index: int | None = None

    @property
    def is_finished(self) -> bool:
        return self.phase in ("Succeeded", "Failed")

    @property
    def has_side_car(self) -> bool:
        """Whether tensorflow has ended, and another container runs on."""
        return self.exit_code is not None and not self.is_finished


@dataclass(frozen=True, slots=True)
class Job:
    """One batch/v1 Job. ``failure`` is "" unless the Job gave up.

    ``completed`` are the indexes of an Indexed Job that have succeeded, None for another Job.
    """

    name: str
    uid: str
    deleting: bool = False
    suspended: bool = False
    failed: int = 0
    succeeded: bool = False
    completed_at: str = ""
    failure: str = ""
    completions: int = 1
    completed: frozenset[int] | None = None

    @property
    def is_indexed(self) -> bool:
        return self.completed is not None

    @property
    def is_finished(self) -> bool:
        return self.succeeded or bool(self.failure)

    @property
    def starts_pods(self) -> bool:
        return not (self.is_finished or self.suspended)


@dataclass(frozen=True)
class Children:
    """All that one TfJob owns: Jobs, and UIDs of the rest, by name; Pods by the UID of their Job.

    ``warnings`` says, by the UID of a Job, why its Pod could not be made. ``leftovers`` are Pods
    that have not ended although their Job is gone, by the name of that Job.
    """

    jobs: Mapping[str, Job] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    deployments: Mapping[str, str] = field(default_factory=dict)
    config_maps: Mapping[str, str] = field(default_factory=dict)
    pod_groups: Mapping[str, str] = field(default_factory=dict)
    ready_deployments: frozenset[str] = frozenset()
    pods: Mapping[str, tuple[Pod, ...]] = field(default_factory=dict)
    warnings: Mapping[str, str] = field(default_factory=dict)
    leftovers: Mapping[str, Pod] = field(default_factory=dict)

    def newest_pod(self, job: Job) -> Pod | None:
        """The Pod that speaks for a Job: an earlier failure says nothing once there is another."""
        pods = self.pods.get(job.uid, ())
        return max(pods, key=_age, default=None)

    def newest_pods(self, job: Job) -> dict[int, Pod]:
        """The same for each index of an Indexed Job."""
        pods = sorted(self.pods.get(job.uid, ()), key=_age)
        return {pod.index: pod for pod in pods if pod.index is not None}


def _age(pod: Pod) -> tuple[str, bool, str]:
    return pod.created, not pod.is_finished, pod.name


def owner(obj: Mapping[str, Any]) -> str:
    """UID of the controlling owner, or ""."""
    return str(_controller(obj).get("uid", ""))


def _controller(obj: Mapping[str, Any]) -> Json:
    references = obj["metadata"].get("ownerReferences") or []
    return next((ref for ref in references if ref.get("controller")), {})


def pod(obj: Json) -> Pod:
    """Cut down a Pod as the API shows it."""
    meta, status = obj["metadata"], obj.get("status") or {}
    labels = meta.get("labels") or {}
    ended, disruption = _ended(status), _true_conditions(status).get("DisruptionTarget")
    return Pod(
        name=meta["name"],
        uid=meta["uid"],
        created=meta.get("creationTimestamp", ""),
        phase=_phase(status),
        deleting="deletionTimestamp" in meta,
        disrupted=disruption is not None,
        exit_code=ended.get("exitCode"),
        reason=ended.get("reason") or status.get("reason") or "",
        interrupted=_is_interrupted(meta, status, ended),
        cause=_cause(meta, status, disruption or {}),
        waiting=_waiting(status),
        deleted_at=meta.get("deletionTimestamp", ""),
        node=(obj.get("spec") or {}).get("nodeName", ""),
        tfjob=(meta.get("annotations") or {}).get(TFJOB_UID, ""),
        job=_controller(obj).get("name", ""),
        index=int(labels[INDEX]) if labels.get(INDEX, "").isdigit() else None,
    )


def deployment(obj: Json) -> tuple[str, bool]:
    """(name, whether it is available) of a Deployment."""
    return obj["metadata"]["name"], ((obj.get("status") or {}).get("availableReplicas") or 0) > 0


def job(obj: Json) -> Job:
    """Cut down a Job as the API shows it."""
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    is_indexed = spec.get("completionMode") == "Indexed"
    conditions = _true_conditions(status)
    failed = conditions.get("Failed") or conditions.get("FailureTarget") or {}
    return Job(
        name=meta["name"],
        uid=meta["uid"],
        deleting="deletionTimestamp" in meta,
        suspended=spec.get("suspend", False),
        failed=status.get("failed", 0),
        succeeded="Complete" in conditions or (status.get("succeeded", 0) > 0 and not is_indexed),
        completed_at=status.get("completionTime", ""),
        failure=f"{failed.get('reason') or 'Failed'} {failed.get('message', '')}".strip()
        if failed
        else "",
        completions=spec.get("completions") or 1,
        completed=indexes.read(status.get("completedIndexes") or "") if is_indexed else None,
    )


def _phase(status: Json) -> str:
    """The phase that the Pod is in or will be: containers' ends are reported before the phase.

    Taken for a Pod that still runs, it would be deleted at the job's end, and its log lost.
    Children's Pods never restart a container.
    """
    states = [container.get("state") or {} for container in status.get("containerStatuses") or []]
    ends = [state["terminated"] for state in states if state.get("terminated")]
    if not ends or len(ends) < len(states) or status.get("phase") != "Running":
        return str(status.get("phase", "Pending"))
    return "Failed" if any(end.get("exitCode") for end in ends) else "Succeeded"


def _ended(status: Json) -> Json:
    for container in status.get("containerStatuses") or []:
        if container["name"] == CONTAINER:
            return (container.get("state") or {}).get("terminated") or {}
    return {}


def _is_interrupted(meta: Json, status: Json, ended: Json) -> bool:
    """Whether the Pod was stopped before its program had ended by itself."""
    if "DisruptionTarget" in _true_conditions(status) or status.get("reason") in INTERRUPTED:
        return True
    if "deletionTimestamp" not in meta or not ended:
        return False  # a Pod that is being deleted and runs still is no success anyway
    grace = timedelta(seconds=meta.get("deletionGracePeriodSeconds") or 0)
    asked = time_of(meta["deletionTimestamp"]) - grace
    return bool(ended.get("finishedAt")) and time_of(ended["finishedAt"]) >= asked


def _cause(meta: Json, status: Json, disruption: Json) -> str:
    """Why the Pod goes, or went, before its time: "" if it did not."""
    if disruption:
        return f"{disruption.get('reason', '')}: {disruption.get('message', '')}".strip(": ")
    if status.get("reason") in INTERRUPTED:
        return f"{status['reason']}: {status.get('message', '')}".strip(": ")
    return "it was deleted" if "deletionTimestamp" in meta else ""


def _waiting(status: Json) -> tuple[str, str] | None:
    """(reason, message) of what keeps the Pod from running, if it is more than starting up."""
    containers = [
        *(status.get("initContainerStatuses") or []),
        *(status.get("containerStatuses") or []),
    ]
    for container in containers:
        found = (container.get("state") or {}).get("waiting") or {}
        if found.get("reason") and found["reason"] not in STARTING:
            return found["reason"], found.get("message", "")
    for entry in status.get("conditions") or []:
        if entry["type"] == "PodScheduled" and entry.get("status") == "False":
            return entry.get("reason") or "Unschedulable", entry.get("message", "")
    return None


def _true_conditions(status: Json) -> dict[str, Json]:
    conditions = status.get("conditions") or []
    return {entry["type"]: entry for entry in conditions if entry.get("status") == "True"}
