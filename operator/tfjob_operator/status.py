"""What the user sees: phase and state as in 2017, conditions as in TFJob 1.9.

Each function takes the job and returns a whole new status, so that one write per pass is enough;
``reconcile`` compares it with the old one and writes only a difference.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from .restart import Verdict
from .spec import Json, TfJob

# Reasons of conditions; events carry the same words.
SUCCESSFUL_CREATE = "SuccessfulCreate"
FAILED_CREATE = "FailedCreate"
NAME_TAKEN = "NameTaken"
CHIEF_RUNNING = "ChiefRunning"
CHIEF_WAITING = "ChiefWaiting"
RESTARTING = "Restarting"
RECOVERED = "Recovered"
SUSPENDED = "Suspended"
RESUMED = "Resumed"
SUCCEEDED = "Succeeded"
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


def is_finished(status: Json) -> bool:
    """Whether the job has ended, which nothing may undo."""
    return status.get("phase") in ("CleanUp", "Done", "Failed")


def failed_for_its_spec(status: Json) -> bool:
    """Whether another spec may make good what failed."""
    return condition(status, "Failed").get("reason") in (INVALID_SPEC, INVALID_TEMPLATE)


def condition(status: Json, kind: str) -> Json:
    """The condition of a type if it is there, else {}."""
    return next((c for c in status.get("conditions") or [] if c["type"] == kind), {})


def timestamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def started(job: TfJob, now: datetime) -> Json:
    """What every status of a job at work says; one that had failed for its spec begins anew."""
    old = {} if is_finished(job.status) else job.status
    return {
        "phase": "Creating",
        "state": "Unknown",
        "reason": "",
        **old,
        "runtimeId": job.runtime_id,
        "observedGeneration": job.generation,
        "startTime": old.get("startTime") or timestamp(now),
    }


def at_work(job: TfJob, verdicts: Verdicts, blocked: str, now: datetime) -> Json:
    """Status of a job whose children all exist; ``blocked`` says why a Pod could not be made."""
    chief, retry = verdicts[job.chief], next((v.retry for v in verdicts.values() if v.retry), "")
    status = started(job, now) | replica_fields(job, verdicts)
    status["phase"] = status["phase"] or "Creating"
    if blocked:
        status = set_condition(status, "Created", False, FAILED_CREATE, blocked, now)
    else:
        made = f"Created a Service and a Job for each of {len(verdicts)} replicas"
        status = set_condition(status, "Created", True, SUCCESSFUL_CREATE, made, now)
    status = _take_back(status, ["Suspended"], RESUMED, "The job goes on", now)
    if chief.state == "Running":
        status |= {"phase": "Running", "state": "Running"}
        status = set_condition(status, "Running", True, CHIEF_RUNNING, "The chief runs", now)
    else:
        status = _take_back(status, ["Running"], CHIEF_WAITING, "No chief runs", now)
    if retry:
        return set_condition(status, "Restarting", True, RESTARTING, retry, now)
    return _take_back(status, ["Restarting"], RECOVERED, "All replicas run", now)


def blocked(job: TfJob, reason: str, message: str, now: datetime) -> Json:
    """Status of a job of which a child cannot be made for now; it is tried again."""
    return set_condition(started(job, now), "Created", False, reason, message, now)


def suspended(job: TfJob, now: datetime) -> Json:
    """Status of a suspended job: its time has not begun, or begins anew when it goes on."""
    status = started(job, now) | {"phase": "", "state": "Unknown"}
    for field in ("startTime", "replicas", "replicaStatuses"):
        status.pop(field, None)
    kinds = ["Running", "Restarting"]
    status = _take_back(status, kinds, SUSPENDED, "The job is suspended", now)
    why = "spec.runPolicy.suspend is true"
    return set_condition(status, "Suspended", True, SUSPENDED, why, now)


def succeeded(job: TfJob, verdicts: Verdicts, now: datetime) -> Json:
    """Status of a job that has ended well; what still runs is cleaned up before it is Done."""
    message = f"{job.chief[0]} {job.chief[1]} succeeded"
    return _ended(job, verdicts, "Succeeded", SUCCEEDED, message, now) | {"phase": "CleanUp"}


def failed(
    job: TfJob, reason: str, message: str, now: datetime, verdicts: Verdicts | None = None
) -> Json:
    """Status of a job that has failed for good; ``message`` is a sentence for the user."""
    told = {"phase": "Failed", "reason": f"{reason}: {message}"}
    return _ended(job, verdicts, "Failed", reason, message, now) | told


def _ended(
    job: TfJob, verdicts: Verdicts | None, state: str, reason: str, message: str, now: datetime
) -> Json:
    status = started(job, now) | (replica_fields(job, verdicts) if verdicts else {})
    status |= {"state": state, "completionTime": timestamp(now)}
    kinds = ["Running", "Restarting", "Suspended"]
    status = _take_back(status, kinds, FINISHED, "The job has ended", now)
    return set_condition(status, state, True, reason, message, now)


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


def set_condition(
    status: Json, kind: str, is_true: bool, reason: str, message: str, now: datetime
) -> Json:
    """Merge one condition by its type; times move only with what they tell about."""
    old, stamp = condition(status, kind), timestamp(now)
    value = "True" if is_true else "False"
    new = {"type": kind, "status": value, "reason": reason, "message": message}
    if all(old.get(key) == new[key] for key in new):
        return status
    since = old.get("lastTransitionTime", stamp) if old.get("status") == value else stamp
    new |= {"lastUpdateTime": stamp, "lastTransitionTime": since}
    others = [c for c in status.get("conditions") or [] if c["type"] != kind]
    return {**status, "conditions": [*others, new]}


def _take_back(status: Json, kinds: list[str], reason: str, message: str, now: datetime) -> Json:
    """Say of the conditions that were told that they hold no longer."""
    for kind in kinds:
        if condition(status, kind):
            status = set_condition(status, kind, False, reason, message, now)
    return status
