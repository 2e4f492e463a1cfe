"""What the cluster shows of a job's children, cut down to the fields that decisions need.

The controller's caches hold thousands of these, so they are small; reconcile reads nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .spec import CONTAINER, Json


@dataclass(frozen=True, slots=True)
class Pod:
    """One Pod. ``exit_code`` is of the container tensorflow, None while it has not ended."""

    name: str
    uid: str
    created: str
    phase: str
    deleting: bool = False
    disrupted: bool = False
    exit_code: int | None = None
    reason: str = ""

    @property
    def is_finished(self) -> bool:
        return self.phase in ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Job:
    """One batch/v1 Job. ``failure`` is "" unless the Job gave up."""

    name: str
    uid: str
    deleting: bool = False
    suspended: bool = False
    failed: int = 0
    succeeded: bool = False
    completed_at: str = ""
    failure: str = ""

    @property
    def is_finished(self) -> bool:
        return self.succeeded or bool(self.failure)

    @property
    def starts_pods(self) -> bool:
        return not (self.is_finished or self.suspended)


@dataclass(frozen=True)
class Children:
    """All that one TfJob owns: Jobs, and UIDs of the rest, by name; Pods by the UID of their Job.

    ``warnings`` says, by the UID of a Job, why its Pod could not be made. Of all TfJobs together is
    whether the Job controller is behind: it has yet to make Pods for many Jobs.
    """

    jobs: Mapping[str, Job] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    deployments: Mapping[str, str] = field(default_factory=dict)
    pods: Mapping[str, tuple[Pod, ...]] = field(default_factory=dict)
    warnings: Mapping[str, str] = field(default_factory=dict)
    job_controller_is_behind: bool = False

    def newest_pod(self, job: Job) -> Pod | None:
        """The Pod that speaks for a Job: an earlier failure says nothing once there is another."""
        pods = self.pods.get(job.uid, ())
        return max(pods, key=lambda pod: (pod.created, not pod.is_finished, pod.name), default=None)


def owner(obj: Mapping[str, Any]) -> str:
    """UID of the controlling owner, or ""."""
    references = obj["metadata"].get("ownerReferences") or []
    return next((str(ref["uid"]) for ref in references if ref.get("controller")), "")


def pod(obj: Json) -> Pod:
    """Cut down a Pod as the API shows it."""
    meta, status = obj["metadata"], obj.get("status") or {}
    ended = _ended(status)
    return Pod(
        name=meta["name"],
        uid=meta["uid"],
        created=meta.get("creationTimestamp", ""),
        phase=_phase(status),
        deleting="deletionTimestamp" in meta,
        disrupted="DisruptionTarget" in _true_conditions(status),
        exit_code=ended.get("exitCode"),
        reason=ended.get("reason") or status.get("reason") or "",
    )


def job(obj: Json) -> Job:
    """Cut down a Job as the API shows it."""
    meta, status = obj["metadata"], obj.get("status") or {}
    conditions = _true_conditions(status)
    failed = conditions.get("Failed") or conditions.get("FailureTarget") or {}
    return Job(
        name=meta["name"],
        uid=meta["uid"],
        deleting="deletionTimestamp" in meta,
        suspended=(obj.get("spec") or {}).get("suspend", False),
        failed=status.get("failed", 0),
        succeeded="Complete" in conditions or status.get("succeeded", 0) > 0,
        completed_at=status.get("completionTime", ""),
        failure=f"{failed.get('reason') or 'Failed'} {failed.get('message', '')}".strip()
        if failed
        else "",
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


def _true_conditions(status: Json) -> dict[str, Json]:
    conditions = status.get("conditions") or []
    return {entry["type"]: entry for entry in conditions if entry.get("status") == "True"}
