"""What the user sees: phase and state as in 2017, conditions as in TFJob 1.9.

Each function takes the job and returns a whole new status, so that one write per pass is enough;
``reconcile`` compares it with the old one and writes only a difference.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from . import conditions, indexes
from .conditions import Claim
from .restart import Verdict
from .spec import Json, TfJob

Verdicts = Mapping[tuple[str, int], Verdict]


@dataclass(frozen=True)
class Progress:
    """What one pass saw of a job that has not ended.

    ``is_complete``: all children exist. ``blocked`` says why a Pod could not be made, or "".
    ``waiting`` is (reason, message) of the first Pod that cannot run, or None. ``notes`` are
    sentences about the children. ``board_ready`` is None where there is no TensorBoard.
    """

    verdicts: Verdicts
    is_complete: bool = True
    blocked: str = ""
    waiting: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()
    board_ready: bool | None = None
    failed_pods: int = 0


def is_finished(status: Json) -> bool:
    """Whether the job has ended, which nothing may undo."""
    return status.get("phase") in ("CleanUp", "Done", "Failed")


def failed_for_its_spec(status: Json) -> bool:
    """Whether another spec may make good what failed."""
    reason = conditions.find(status, "Failed").get("reason")
    return reason in (conditions.INVALID_SPEC, conditions.INVALID_TEMPLATE)


def completed(status: Json, replica_type: str) -> frozenset[int]:
    """Indexes of a type that have succeeded, as the status remembers them."""
    return indexes.read((status.get("completedIndexes") or {}).get(replica_type, ""))


def base_status(job: TfJob, now: datetime) -> Json:
    """The fields that every status of an active job has."""
    return {
        "state": "Unknown",
        "reason": "",
        **job.status,
        "phase": job.status.get("phase") or "Creating",
        "runtimeId": job.runtime_id,
        "observedGeneration": job.generation,
        "startTime": job.status.get("startTime") or conditions.timestamp(now),
        **_scale(job),
    }


def _scale(job: TfJob) -> Json:
    """What kubectl scale and autoscalers read."""
    if not job.dynamic_workers:
        return {}
    count = sum(each.replicas for each in job.replicas if each.type == "WORKER")
    selector = f"tf_job_name={job.name},runtime_id={job.runtime_id},job_type=WORKER"
    return {"workers": count, "workerSelector": selector}


def first_status(job: TfJob, verdicts: Verdicts, now: datetime) -> Json:
    """Status of a job that was accepted, before its children are created."""
    status = base_status(job, now) | replica_fields(job, verdicts)
    claim = (False, conditions.CREATING, "The children are being created")
    return conditions.merge(status, {"Created": claim}, now)


def active_status(job: TfJob, progress: Progress, now: datetime) -> Json:
    """Status of a job that has been started and has not ended."""
    status = base_status(job, now) | replica_fields(job, progress.verdicts)
    status |= {"state": "Unknown", **_memory(job, progress)}
    if progress.verdicts[job.chief].state == "Running":
        status |= {"phase": "Running", "state": "Running"}
    return conditions.merge(status, dict(_claims(job, progress)), now)


def _claims(job: TfJob, progress: Progress) -> Iterator[tuple[str, Claim]]:
    """What an active job's conditions say."""
    if progress.blocked:
        yield "Created", (False, conditions.FAILED_CREATE, progress.blocked)
    elif progress.is_complete:
        yield "Created", created(progress.verdicts, progress.notes)
    if progress.verdicts[job.chief].state == "Running":
        yield "Running", (True, conditions.CHIEF_RUNNING, "The chief runs")
    else:
        yield "Running", (False, conditions.CHIEF_WAITING, "No chief runs")
    retry = next((verdict.retry for verdict in progress.verdicts.values() if verdict.retry), "")
    if retry:
        yield "Restarting", (True, conditions.RESTARTING, retry)
    elif all(verdict.state != "Unknown" for verdict in progress.verdicts.values()):
        before = conditions.find(job.status, "Restarting").get("message", "")
        message = f"All replicas run again, after: {before}"
        yield "Restarting", (False, conditions.RECOVERED, message)
    if progress.waiting:
        yield "Waiting", (True, *progress.waiting)
    else:
        yield "Waiting", (False, conditions.NOTHING_WAITS, "No Pod waits")
    if progress.board_ready is not None:
        yield "TensorBoardReady", board_claim(progress.board_ready)


def created(verdicts: Verdicts, notes: tuple[str, ...] = ()) -> Claim:
    made = f"Created a Service and a Job for each of {len(verdicts)} replicas"
    return True, conditions.SUCCESSFUL_CREATE, "; ".join([made, *notes])


def board_claim(is_ready: bool) -> Claim:
    if is_ready:
        return True, conditions.AVAILABLE, "TensorBoard answers"
    return False, conditions.UNAVAILABLE, "TensorBoard does not answer yet"


def _memory(job: TfJob, progress: Progress) -> Json:
    """What must outlive the children: which replicas have succeeded, and the restarts."""
    done: dict[str, set[int]] = {}
    for (kind, index), verdict in progress.verdicts.items():
        if verdict.state == "Succeeded":
            done.setdefault(kind, set()).add(index)
    fields: Json = {}
    if done:
        fields["completedIndexes"] = {kind: indexes.write(found) for kind, found in done.items()}
    restarts = _restarts(job, progress)
    return fields | ({"restarts": restarts} if restarts else {})


def _restarts(job: TfJob, progress: Progress) -> int:
    """Failed Pods, and disrupted ones, which the Jobs do not count; it never gets smaller."""
    before = conditions.find(job.status, "Restarting").get("message", "")
    disruptions = {v.retry for v in progress.verdicts.values() if "was disrupted" in v.retry}
    is_new = any(text not in before for text in sorted(disruptions)[:1])
    return max(int(job.status.get("restarts", 0)) + is_new, progress.failed_pods)


def blocked_status(job: TfJob, reason: str, message: str, now: datetime) -> Json:
    """Status of a job of which a child cannot be made for now; it is tried again."""
    return conditions.merge(base_status(job, now), {"Created": (False, reason, message)}, now)


def suspended(job: TfJob, is_empty: bool, now: datetime) -> Json:
    """Status of a suspended job. It has no startTime; resuming sets a new one.

    Until ``is_empty`` some of its Pods still run, and its templates must not change.
    """
    status = base_status(job, now) | {"phase": "", "state": "Unknown"}
    for field in ("startTime", "replicas", "replicaStatuses"):
        status.pop(field, None)
    over = (False, conditions.SUSPENDED, "The job is suspended")
    claims: dict[str, Claim] = dict.fromkeys(("Running", "Restarting", "Waiting"), over)
    claims["Suspended"] = (True, conditions.SUSPENDED, "spec.runPolicy.suspend is true")
    if not is_empty:
        claims["Suspended"] = (True, conditions.SUSPENDING, "Its Pods are being stopped")
    return conditions.merge(status, claims, now)


def resumed(job: TfJob, now: datetime) -> Json:
    """Status of a job that goes on, written before it has children again."""
    claim = (False, conditions.RESUMED, "The job goes on")
    return conditions.merge(base_status(job, now), {"Suspended": claim}, now)


def succeeded(job: TfJob, verdicts: Verdicts, now: datetime, note: str = "") -> Json:
    """Status of a job that has ended well; what still runs is cleaned up before it is Done."""
    message = f"{job.chief[0]} {job.chief[1]} succeeded{note}"
    before = conditions.find(job.status, "Created").get("reason")
    if before in (None, conditions.CREATING):  # a short job
        job = job.with_status(conditions.merge(job.status, {"Created": created(verdicts)}, now))
    ended = _ended(job, verdicts, "Succeeded", conditions.SUCCEEDED, message, now)
    return ended | {"phase": "CleanUp"}


def failed(
    job: TfJob, reason: str, message: str, now: datetime, verdicts: Verdicts | None = None
) -> Json:
    """Status of a job that has failed for good; ``message`` is a sentence for the user."""
    fields = {"phase": "Failed", "reason": f"{reason}: {message}"[: conditions.MAX_MESSAGE]}
    return _ended(job, verdicts, "Failed", reason, message, now) | fields


def _ended(
    job: TfJob, verdicts: Verdicts | None, state: str, reason: str, message: str, now: datetime
) -> Json:
    status = base_status(job, now) | (replica_fields(job, verdicts) if verdicts else {})
    status |= {"state": state, "completionTime": conditions.timestamp(now)}
    over = (False, conditions.FINISHED, "The job has ended")
    claims: dict[str, Claim] = dict.fromkeys(
        ("Running", "Restarting", "Suspended", "Waiting"), over
    )
    return conditions.merge(status, claims | {state: (True, reason, message)}, now)


def replica_fields(job: TfJob, verdicts: Verdicts) -> Json:
    """replicaStatuses as in 2017, and "running or done/all" for a printed column."""
    entries = []
    for replica in job.replicas:
        states = Counter(verdicts[replica.type, i].state for i in range(replica.replicas))
        entry = {"tf_replica_type": replica.type, "state": _overall(states)}
        entries.append(entry | {"ReplicasStates": dict(sorted(states.items()))})
    good = sum(verdict.state in ("Running", "Succeeded") for verdict in verdicts.values())
    return {"replicaStatuses": entries, "replicas": f"{good}/{len(verdicts)}"}


def _overall(states: Counter[str]) -> str:
    if len(states) == 1 and "Succeeded" in states:
        return "Succeeded"
    return next((state for state in ("Failed", "Running") if state in states), "Unknown")
