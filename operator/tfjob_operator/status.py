"""What the user sees: phase and state as in 2017, conditions as in TFJob 1.9.

Each function takes the job and returns a whole new status, so that one write per pass is enough;
``reconcile`` compares it with the old one and writes only a difference.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from . import indexes
from .restart import Verdict
from .spec import Json, TfJob

MAX_MESSAGE = 1024  # characters, as events have

# Reasons of conditions; events have the same words.
CREATING = "Creating"
SUCCESSFUL_CREATE = "SuccessfulCreate"
FAILED_CREATE = "FailedCreate"
NAME_TAKEN = "NameTaken"
CHIEF_RUNNING = "ChiefRunning"
CHIEF_WAITING = "ChiefWaiting"
NOTHING_WAITS = "NothingWaits"
RESTARTING = "Restarting"
RECOVERED = "Recovered"
SUSPENDING = "Suspending"
SUSPENDED = "Suspended"
RESUMED = "Resumed"
SUCCEEDED = "Succeeded"
AVAILABLE = "Available"
UNAVAILABLE = "Unavailable"
INVALID_SPEC = "InvalidSpec"
INVALID_TEMPLATE = "InvalidTemplate"
REPLICA_FAILED = "ReplicaFailed"
BACKOFF_LIMIT_EXCEEDED = "BackoffLimitExceeded"
DEADLINE_EXCEEDED = "DeadlineExceeded"
FINISHED = "Finished"
FAILURES = (
    *(INVALID_SPEC, INVALID_TEMPLATE, REPLICA_FAILED),
    *(BACKOFF_LIMIT_EXCEEDED, DEADLINE_EXCEEDED),
)

Verdicts = Mapping[tuple[str, int], Verdict]
Claim = tuple[bool, str, str]  # whether a condition holds, reason, message


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
    return condition(status, "Failed").get("reason") in (INVALID_SPEC, INVALID_TEMPLATE)


def condition(status: Json, kind: str) -> Json:
    """The condition of a type if it is there, else {}."""
    return next((c for c in status.get("conditions") or [] if c["type"] == kind), {})


def holds(status: Json, kind: str) -> bool:
    """Whether a condition is there and true."""
    return bool(condition(status, kind).get("status") == "True")


def completed(status: Json, replica_type: str) -> frozenset[int]:
    """Indexes of a type that have succeeded, as the status remembers them."""
    return indexes.read((status.get("completedIndexes") or {}).get(replica_type, ""))


def timestamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def base_status(job: TfJob, now: datetime) -> Json:
    """The fields that every status of an active job has."""
    return {
        "state": "Unknown",
        "reason": "",
        **job.status,
        "phase": job.status.get("phase") or "Creating",
        "runtimeId": job.runtime_id,
        "observedGeneration": job.generation,
        "startTime": job.status.get("startTime") or timestamp(now),
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
    claim = (False, CREATING, "The children are being created")
    return with_conditions(status, {"Created": claim}, now)


def active_status(job: TfJob, progress: Progress, now: datetime) -> Json:
    """Status of a job that has been started and has not ended."""
    status = base_status(job, now) | replica_fields(job, progress.verdicts)
    status |= {"state": "Unknown", **_memory(job, progress)}
    if progress.verdicts[job.chief].state == "Running":
        status |= {"phase": "Running", "state": "Running"}
    return with_conditions(status, dict(_claims(job, progress)), now)


def _claims(job: TfJob, progress: Progress) -> Iterator[tuple[str, Claim]]:
    """What an active job's conditions say."""
    if progress.blocked:
        yield "Created", (False, FAILED_CREATE, progress.blocked)
    elif progress.is_complete:
        yield "Created", created(progress.verdicts, progress.notes)
    if progress.verdicts[job.chief].state == "Running":
        yield "Running", (True, CHIEF_RUNNING, "The chief runs")
    else:
        yield "Running", (False, CHIEF_WAITING, "No chief runs")
    retry = next((verdict.retry for verdict in progress.verdicts.values() if verdict.retry), "")
    if retry:
        yield "Restarting", (True, RESTARTING, retry)
    elif all(verdict.state != "Unknown" for verdict in progress.verdicts.values()):
        before = condition(job.status, "Restarting").get("message", "")
        yield "Restarting", (False, RECOVERED, f"All replicas run again, after: {before}")
    if progress.waiting:
        yield "Waiting", (True, *progress.waiting)
    else:
        yield "Waiting", (False, NOTHING_WAITS, "No Pod waits")
    if progress.board_ready is not None:
        yield "TensorBoardReady", board_claim(progress.board_ready)


def created(verdicts: Verdicts, notes: tuple[str, ...] = ()) -> Claim:
    made = f"Created a Service and a Job for each of {len(verdicts)} replicas"
    return True, SUCCESSFUL_CREATE, "; ".join([made, *notes])


def board_claim(is_ready: bool) -> Claim:
    if is_ready:
        return True, AVAILABLE, "TensorBoard answers"
    return False, UNAVAILABLE, "TensorBoard does not answer yet"


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
    before = condition(job.status, "Restarting").get("message", "")
    disruptions = {v.retry for v in progress.verdicts.values() if "was disrupted" in v.retry}
    is_new = any(text not in before for text in sorted(disruptions)[:1])
    return max(int(job.status.get("restarts", 0)) + is_new, progress.failed_pods)


def blocked_status(job: TfJob, reason: str, message: str, now: datetime) -> Json:
    """Status of a job of which a child cannot be made for now; it is tried again."""
    return with_conditions(base_status(job, now), {"Created": (False, reason, message)}, now)


def suspended(job: TfJob, is_empty: bool, now: datetime) -> Json:
    """Status of a suspended job. It has no startTime; resuming sets a new one.

    Until ``is_empty`` some of its Pods still run, and its templates must not change.
    """
    status = base_status(job, now) | {"phase": "", "state": "Unknown"}
    for field in ("startTime", "replicas", "replicaStatuses"):
        status.pop(field, None)
    over = (False, SUSPENDED, "The job is suspended")
    claims: dict[str, Claim] = dict.fromkeys(("Running", "Restarting", "Waiting"), over)
    claims["Suspended"] = (True, SUSPENDED, "spec.runPolicy.suspend is true")
    if not is_empty:
        claims["Suspended"] = (True, SUSPENDING, "Its Pods are being stopped")
    return with_conditions(status, claims, now)


def resumed(job: TfJob, now: datetime) -> Json:
    """Status of a job that goes on, written before it has children again."""
    status = base_status(job, now)
    return with_conditions(status, {"Suspended": (False, RESUMED, "The job goes on")}, now)


def succeeded(job: TfJob, verdicts: Verdicts, now: datetime, note: str = "") -> Json:
    """Status of a job that has ended well; what still runs is cleaned up before it is Done."""
    message = f"{job.chief[0]} {job.chief[1]} succeeded{note}"
    if condition(job.status, "Created").get("reason") in (None, CREATING):  # a short job
        job = job.with_status(with_conditions(job.status, {"Created": created(verdicts)}, now))
    return _ended(job, verdicts, "Succeeded", SUCCEEDED, message, now) | {"phase": "CleanUp"}


def failed(
    job: TfJob, reason: str, message: str, now: datetime, verdicts: Verdicts | None = None
) -> Json:
    """Status of a job that has failed for good; ``message`` is a sentence for the user."""
    fields = {"phase": "Failed", "reason": f"{reason}: {message}"[:MAX_MESSAGE]}
    return _ended(job, verdicts, "Failed", reason, message, now) | fields


def _ended(
    job: TfJob, verdicts: Verdicts | None, state: str, reason: str, message: str, now: datetime
) -> Json:
    status = base_status(job, now) | (replica_fields(job, verdicts) if verdicts else {})
    status |= {"state": state, "completionTime": timestamp(now)}
    over = (False, FINISHED, "The job has ended")
    claims: dict[str, Claim] = dict.fromkeys(
        ("Running", "Restarting", "Suspended", "Waiting"), over
    )
    return with_conditions(status, claims | {state: (True, reason, message)}, now)


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


def with_conditions(status: Json, claims: Mapping[str, Claim], now: datetime) -> Json:
    """Merge conditions (whether it holds, reason, message) by their type.

    A time moves only when what it belongs to changes. A condition that does not hold is written
    only if it held before; Created and TensorBoardReady always are, since they say what is missing.
    """
    conditions, stamp = {c["type"]: c for c in status.get("conditions") or []}, timestamp(now)
    for kind, (is_true, reason, message) in claims.items():
        old, value = conditions.get(kind, {}), "True" if is_true else "False"
        new = {"type": kind, "status": value, "reason": reason, "message": message[:MAX_MESSAGE]}
        is_new = is_true or kind in ("Created", "TensorBoardReady") or old.get("status") == "True"
        if is_new and any(old.get(key) != new[key] for key in new):
            since = old.get("lastTransitionTime", stamp) if old.get("status") == value else stamp
            conditions.pop(kind, None)
            conditions[kind] = {**new, "lastUpdateTime": stamp, "lastTransitionTime": since}
    return {**status, "conditions": [*conditions.values()]}
