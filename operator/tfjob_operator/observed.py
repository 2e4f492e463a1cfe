"""The children of a TfJob as small views: the cache holds thousands of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kube_runtime import indexes, pods
from kube_runtime.conditions import true_conditions
from kube_runtime.kube import Json
from kube_runtime.objects import controller_of, job_of
from tfjob_api.spec import CONTAINER

UID_ANNOTATION = "tensorflow.org/tfjob-uid"  # on each Pod, to find its TfJob if its Job is gone
INDEX_LABEL = "batch.kubernetes.io/job-completion-index"  # on a Pod of an Indexed Job


@dataclass(frozen=True, slots=True)
class Pod:
    """One Pod. ``exit_code`` and ``reason`` are those of the container tensorflow.

    ``exit_code`` is None until the container ends. ``interrupted``: an eviction, a preemption, a
    deadline or a deletion has stopped it; before the container's end a deletion does not count.
    ``disrupted``: it also has DisruptionTarget, so its Job does not count it. ``cause``: in words.
    ``waiting`` is the (reason, message) why it cannot run, or None. ``has_owner`` is False if its
    Job was deleted without its Pods.
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
    tfjob_uid: str = ""
    job_name: str = ""
    has_owner: bool = True
    index: int | None = None

    @property
    def is_finished(self) -> bool:
        return self.phase in ("Succeeded", "Failed")

    @property
    def waits_for_side_car(self) -> bool:
        """Whether tensorflow has ended, and only other containers still run."""
        return self.exit_code is not None and not self.is_finished


@dataclass(frozen=True, slots=True)
class Job:
    """One batch/v1 Job. ``failed``: its number of failed Pods. ``failure``: why the Job failed.

    ``completed`` is the set of indexes that have succeeded; None if the Job is not Indexed.
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
    """All objects that one TfJob owns.

    ``jobs`` by name; ``services`` and the like: UID by name; ``pods`` by the UID of their Job.
    ``unavailable``, by the name of a Deployment: (reason, message) why a Pod of it is not ready.
    ``warnings``, by the UID of a Job: when and why the Job controller could not create its Pod.
    ``leftovers``, by the name of a Job that is gone: its Pod, which has not ended.
    ``gang_sizes``, by the name of a PodGroup: how many Pods start together.
    ``altered``: which children somebody else has changed, and how, in words.
    """

    jobs: Mapping[str, Job] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    deployments: Mapping[str, str] = field(default_factory=dict)
    config_maps: Mapping[str, str] = field(default_factory=dict)
    pod_groups: Mapping[str, str] = field(default_factory=dict)
    unavailable: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    pods: Mapping[str, tuple[Pod, ...]] = field(default_factory=dict)
    warnings: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    leftovers: Mapping[str, Pod] = field(default_factory=dict)
    gang_sizes: Mapping[str, int] = field(default_factory=dict)
    altered: tuple[str, ...] = ()

    @property
    def orphans(self) -> dict[str, str]:
        """UID by name of the leftovers that nobody deletes: they have no owner any more."""
        return {p.name: p.uid for p in self.leftovers.values() if not (p.has_owner or p.deleting)}

    def newest_pod(self, job: Job) -> Pod | None:
        """The Pod by which a Job is judged: earlier attempts no longer matter."""
        return max(self.pods.get(job.uid, ()), key=_creation_order, default=None)

    def attempts(self, job: Job) -> list[Pod]:
        """The Pods of a Job, oldest first."""
        return sorted(self.pods.get(job.uid, ()), key=_creation_order)

    def newest_pods(self, job: Job) -> dict[int, Pod]:
        """The newest Pod of each index of an Indexed Job."""
        return {pod.index: pod for pod in self.attempts(job) if pod.index is not None}


def _creation_order(pod: Pod) -> tuple[str, bool, str]:
    """Sort key, oldest first. Of two Pods of the same second the unfinished one is newer."""
    return pod.created, not pod.is_finished, pod.name


def pod(obj: Json) -> Pod:
    """Reduce a Pod from the API server to what is needed."""
    meta, status = obj["metadata"], obj.get("status") or {}
    index = (meta.get("labels") or {}).get(INDEX_LABEL, "")
    ended = pods.terminated_state(status, CONTAINER)
    interrupted, cause = pods.interruption(meta, status, ended)
    return Pod(
        name=meta["name"],
        uid=meta["uid"],
        created=meta.get("creationTimestamp", ""),
        phase=pods.phase(status),
        deleting="deletionTimestamp" in meta,
        disrupted=interrupted and "DisruptionTarget" in true_conditions(status),
        exit_code=ended.get("exitCode"),
        reason=ended.get("reason") or status.get("reason") or "",
        interrupted=interrupted,
        cause=cause,
        waiting=pods.waiting(status),
        deleted_at=meta.get("deletionTimestamp", ""),
        node=(obj.get("spec") or {}).get("nodeName", ""),
        tfjob_uid=(meta.get("annotations") or {}).get(UID_ANNOTATION, ""),
        job_name=job_of(obj).get("name", ""),
        has_owner=bool(controller_of(obj)),
        index=int(index) if index.isdigit() else None,
    )


def job(obj: Json) -> Job:
    """Reduce a Job from the API server to what is needed."""
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    is_indexed = spec.get("completionMode") == "Indexed"
    conditions = true_conditions(status)
    failed, failure = conditions.get("Failed") or conditions.get("FailureTarget"), ""
    if failed:
        failure = f"{failed.get('reason') or 'Failed'} {failed.get('message', '')}".strip()
    return Job(
        name=meta["name"],
        uid=meta["uid"],
        deleting="deletionTimestamp" in meta,
        suspended=spec.get("suspend", False),
        failed=status.get("failed", 0),
        # Of a Job with one Pod, status.succeeded is set earlier than the condition.
        succeeded="Complete" in conditions or (status.get("succeeded", 0) > 0 and not is_indexed),
        completed_at=status.get("completionTime", ""),
        failure=failure,
        completions=spec.get("completions") or 1,
        completed=indexes.read(status.get("completedIndexes") or "") if is_indexed else None,
    )
