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


def holds(status: Json, kind: str) -> bool:
    """Whether a condition is there and true."""
    return bool(condition(status, kind).get("status") == "True")


def timestamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def started(job: TfJob, now: datetime) -> Json:
    """What every status of a job at work says."""
    return {
        "state": "Unknown",
        "reason": "",
        **job.status,
        "phase": job.status.get("phase") or "Creating",
        "runtimeId": job.runtime_id,
        "observedGeneration": job.generation,
        "startTime": job.status.get("startTime") or timestamp(now),
    }


def at_work(job: TfJob, verdicts: Verdicts, blocked: str, now: datetime) -> Json:
    """Status of a job whose children all exist; ``blocked`` says why a Pod could not be made."""
    status = started(job, now) | replica_fields(job, verdicts)
    chief = (False, CHIEF_WAITING, "No chief runs")
    if verdicts[job.chief].state == "Running":
        status |= {"phase": "Running", "state": "Running"}
        chief = (True, CHIEF_RUNNING, "The chief runs")
    made = f"Created a Service and a Job for each of {len(verdicts)} replicas"
    retry = next((verdict.retry for verdict in verdicts.values() if verdict.retry), "")
    told = {
        "Created": (False, FAILED_CREATE, blocked) if blocked else (True, SUCCESSFUL_CREATE, made),
        "Running": chief,
        "Restarting": (True, RESTARTING, retry)
        if retry
        else (False, RECOVERED, "All replicas run"),
    }
    return with_conditions(status, told, now)


def blocked(job: TfJob, reason: str, message: str, now: datetime) -> Json:
    """Status of a job of which a child cannot be made for now; it is tried again."""
    return with_conditions(started(job, now), {"Created": (False, reason, message)}, now)


def suspended(job: TfJob, now: datetime) -> Json:
    """Status of a suspended job: its time has not begun, or begins anew when it goes on."""
    status = started(job, now) | {"phase": "", "state": "Unknown"}
    for field in ("startTime", "replicas", "replicaStatuses"):
        status.pop(field, None)
    told = dict.fromkeys(("Running", "Restarting"), (False, SUSPENDED, "The job is suspended"))
    told["Suspended"] = (True, SUSPENDED, "spec.runPolicy.suspend is true")
    return with_conditions(status, told, now)


def resumed(job: TfJob, now: datetime) -> Json:
    """Status of a job that goes on, told before it has children again."""
    status = started(job, now)
    return with_conditions(status, {"Suspended": (False, RESUMED, "The job goes on")}, now)


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
    over = (False, FINISHED, "The job has ended")
    told = dict.fromkeys(("Running", "Restarting", "Suspended"), over)
    return with_conditions(status, told | {state: (True, reason, message)}, now)


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


def with_conditions(status: Json, told: Mapping[str, tuple[bool, str, str]], now: datetime) -> Json:
    """Merge conditions (whether it holds, reason, message) by their type.

    Times move only with what they tell about. That it does not hold is said of Created, and of what
    held before.
    """
    conditions, stamp = {c["type"]: c for c in status.get("conditions") or []}, timestamp(now)
    for kind, (is_true, reason, message) in told.items():
        old, value = conditions.get(kind, {}), "True" if is_true else "False"
        new = {"type": kind, "status": value, "reason": reason, "message": message}
        is_news = is_true or kind == "Created" or old.get("status") == "True"
        if is_news and any(old.get(key) != new[key] for key in new):
            since = old.get("lastTransitionTime", stamp) if old.get("status") == value else stamp
            conditions.pop(kind, None)
            conditions[kind] = {**new, "lastUpdateTime": stamp, "lastTransitionTime": since}
    return {**status, "conditions": [*conditions.values()]}
