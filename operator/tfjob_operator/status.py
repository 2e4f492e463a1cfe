"""The TfJob's status: phase and state as in 2017, conditions as in TFJob 1.9.

Each function takes the job and returns a whole new status, so one write per pass is enough.
``reconcile`` writes it only if it differs from the old one.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from kube_runtime import conditions, indexes
from kube_runtime.conditions import MAX_MESSAGE, NewCondition
from kube_runtime.kube import Json
from kube_runtime.times import timestamp
from tfjob_api import reasons
from tfjob_api.spec import TfJob

from .restart import Verdict

Verdicts = Mapping[tuple[str, int], Verdict]
COUNTS = ("replicas", "replicaStatuses", "completedIndexes", "disruptedIndexes")
ALWAYS_WRITTEN = ("Created", "TensorBoardReady")  # conditions whose False says what is missing
NOT_WHILE_IDLE = ("Running", "Restarting", "Waiting", "Altered", "ChangeRefused")
ENDS_AND_PAUSES = ("Waiting", "ChangeRefused", "Suspended", "Succeeded", "Failed")
# The printed column shows the last condition. These stay last, while they have this value.
LAST = {("Created", "False"), *((kind, "True") for kind in ENDS_AND_PAUSES)}


@dataclass(frozen=True)
class Progress:
    """What one pass observed of an active job.

    ``is_complete``: all children exist. ``blocked``: why a Pod could not be created, or "".
    ``waiting``: the condition Waiting. ``notes``: sentences for the condition Created. ``altered``:
    for the condition Altered.
    """

    verdicts: Verdicts
    is_complete: bool = True
    blocked: str = ""
    waiting: NewCondition = reasons.NO_POD_WAITS
    notes: tuple[str, ...] = ()
    failed_pods: int = 0
    altered: tuple[str, ...] = ()


def base_status(job: TfJob, now: datetime) -> Json:
    """The old status with the fields that every status has; the functions below start from it."""
    return {
        "state": "Unknown",
        "reason": "",
        **job.status,
        "phase": job.status.get("phase") or "Creating",
        "runtimeId": job.runtime_id,
        "observedGeneration": job.generation,
        "startTime": job.status.get("startTime") or timestamp(now),
        **job.scale_status,
    }


def merge(status: Json, new: Mapping[str, NewCondition], now: datetime) -> Json:
    return conditions.merge(status, new, now, ALWAYS_WRITTEN, LAST)


def first_status(job: TfJob, verdicts: Verdicts, now: datetime) -> Json:
    """Status of a valid new job, written before its children are created."""
    created = False, reasons.CREATING, "The children are being created"
    status = base_status(job, now) | replica_fields(job, verdicts)
    return merge(status, {"Created": created}, now)


def active_status(job: TfJob, progress: Progress, now: datetime) -> Json:
    """Status of a job that has been started and has not ended."""
    status = base_status(job, now) | replica_fields(job, progress.verdicts)
    status |= {"state": "Unknown", **_restarts(job, progress)}
    if progress.verdicts[job.chief].state == "Running":
        status |= {"phase": "Running", "state": "Running"}
    return merge(status, dict(_active_conditions(job, progress)), now)


def is_minor(old: Json, new: Json) -> bool:
    """Whether only counts change, or the condition Created becomes True: nobody waits for that."""

    def compared(status: Json) -> Json:
        kept = {key: value for key, value in status.items() if key not in COUNTS}
        others = [each for each in status.get("conditions") or () if each["type"] != "Created"]
        return kept | {"conditions": others}

    return conditions.holds(new, "Created") and compared(old) == compared(new)


def _active_conditions(job: TfJob, progress: Progress) -> Iterator[tuple[str, NewCondition]]:
    if progress.blocked:
        yield "Created", (False, reasons.FAILED_CREATE, progress.blocked)
    elif progress.is_complete:
        yield "Created", _created_condition(job, progress.notes)
    if progress.verdicts[job.chief].state == "Running":
        yield "Running", (True, reasons.CHIEF_RUNNING, "The chief runs")
    else:
        yield "Running", (False, reasons.CHIEF_WAITING, "No chief runs")
    if retries := _retries(progress):
        yield "Restarting", (True, reasons.RESTARTING, retries)
    elif all(verdict.state != "Unknown" for verdict in progress.verdicts.values()):
        before = conditions.find(job.status, "Restarting").get("message", "")
        message = f"All replicas run again, after: {before}"
        yield "Restarting", (False, reasons.RECOVERED, message)
    yield "Waiting", progress.waiting
    if progress.altered:
        message = "; ".join(progress.altered) + reasons.ADVICE_ON_ALTERED
        yield "Altered", (True, reasons.CHANGED_BY_OTHERS, message)
    else:
        yield "Altered", (False, reasons.UNCHANGED, "No child is changed by others")


def _created_condition(job: TfJob, notes: tuple[str, ...] = ()) -> NewCondition:
    return True, reasons.SUCCESSFUL_CREATE, "; ".join([f"Created {job.children_in_words}", *notes])


def _restarts(job: TfJob, progress: Progress) -> Json:
    """The field restarts: Pods so far that failed or were stopped; the number never falls.

    The Jobs count failed Pods, and begin at 0 when they are created again, so the growth of
    failedPods is added. (An older operator wrote no failedPods.) Pods that they do not count are
    counted here: disruptedIndexes has their replicas, the old message of Restarting their names. A
    Pod of another name is a second one. If that message was cut, it is taken for the same.
    """
    verdicts, text = progress.verdicts, conditions.find(job.status, "Restarting").get("message", "")
    pods = {task: each.uncounted_pod for task, each in verdicts.items() if each.uncounted_pod}
    before = pods.keys() & indexes.read_all(job.status.get("disruptedIndexes") or {})
    same = {k for k in before if f"Pod {pods[k]} " in text or len(text) == MAX_MESSAGE}
    restarts, failed = int(job.status.get("restarts", 0)), progress.failed_pods
    new_failures = max(0, failed - job.status.get("failedPods", restarts))
    count = restarts + len(pods.keys() - same) + new_failures
    fields = {"restarts": count, "failedPods": failed, "disruptedIndexes": indexes.write_all(pods)}
    return fields if count else {}


def _retries(progress: Progress) -> str:
    """Why replicas have to run again, as many as the message of a condition holds, or ""."""
    found = "; ".join(each.retry for each in progress.verdicts.values() if each.retry)
    return found[:MAX_MESSAGE]


def suspended(job: TfJob, is_empty: bool, now: datetime) -> Json:
    """Status of a suspended job. It has no startTime; resuming sets a new one.

    Not ``is_empty``: some of its Pods still run, so its templates must not change yet.
    """
    status = base_status(job, now) | {"phase": "", "state": "Unknown", **job.kept_indexes}
    for field in ("startTime", "replicas", "replicaStatuses", "disruptedIndexes"):
        status.pop(field, None)
    no_longer = (False, reasons.SUSPENDED, "The job is suspended")
    new: dict[str, NewCondition] = dict.fromkeys(NOT_WHILE_IDLE, no_longer)
    new["Suspended"] = (True, reasons.SUSPENDED, "spec.runPolicy.suspend is true")
    if not is_empty:
        new["Suspended"] = (True, reasons.SUSPENDING, "Its Pods are being stopped")
    return merge(status, new, now)


def resumed(job: TfJob, now: datetime) -> Json:
    """Status of a resumed job, written before its children are created again."""
    not_suspended = (False, reasons.RESUMED, "The job goes on")
    return merge(base_status(job, now), {"Suspended": not_suspended}, now)


def succeeded(job: TfJob, verdicts: Verdicts, now: datetime, note: str = "") -> Json:
    """Status of a job that has succeeded. Its phase is CleanUp, and Done after that."""
    new: dict[str, NewCondition] = {}
    before = conditions.find(job.status, "Created").get("reason")
    if before in (None, reasons.CREATING):  # it was so short that no pass saw it running
        new["Created"] = _created_condition(job)
    message = f"{job.chief[0]} {job.chief[1]} succeeded{note}"
    new["Succeeded"] = (True, reasons.SUCCEEDED, message)
    return _ended(job, verdicts, new, now) | {"phase": "CleanUp", "state": "Succeeded"}


def failed(
    job: TfJob, reason: str, message: str, now: datetime, verdicts: Verdicts | None = None
) -> Json:
    """Status of a job that has failed for good; ``message`` is a sentence for the user."""
    text = f"{reason}: {message}"[:MAX_MESSAGE]
    ended = _ended(job, verdicts, {"Failed": (True, reason, message)}, now)
    return ended | {"phase": "Failed", "state": "Failed", "reason": text}


def _ended(
    job: TfJob, verdicts: Verdicts | None, new: Mapping[str, NewCondition], now: datetime
) -> Json:
    """The fields of both ends. ``new``: conditions; the last one says how the job ended."""
    status = base_status(job, now) | (replica_fields(job, verdicts) if verdicts else {})
    status["completionTime"] = timestamp(now)
    status.pop("disruptedIndexes", None)
    no_longer = (False, reasons.FINISHED, "The job has ended")
    ended = dict.fromkeys((*NOT_WHILE_IDLE, "Suspended"), no_longer)
    return merge(status, {**ended, **new}, now)


def replica_fields(job: TfJob, verdicts: Verdicts) -> Json:
    """replicaStatuses as in 2017, the printed column "running or succeeded/all", and
    completedIndexes, which are kept when the children are gone. They are written even if
    empty: a worker that is removed and added again must run."""
    entries = []
    for replica in job.replica_specs:
        counts = Counter(verdicts[replica.type, i].state for i in range(replica.replicas))
        entry = {"tf_replica_type": replica.type, "state": _overall(counts)}
        entries.append(entry | {"ReplicasStates": dict(sorted(counts.items()))})
    done = indexes.write_all(task for task, each in verdicts.items() if each.state == "Succeeded")
    good = sum(verdict.state in ("Running", "Succeeded") for verdict in verdicts.values())
    text = f"{good}/{len(verdicts)}"
    return {"replicaStatuses": entries, "replicas": text, "completedIndexes": done}


def has_running(status: Json) -> bool:
    return any("Running" in each["ReplicasStates"] for each in status.get("replicaStatuses", ()))


def _overall(states: Counter[str]) -> str:
    if len(states) == 1 and "Succeeded" in states:
        return "Succeeded"
    return next((state for state in ("Failed", "Running") if state in states), "Unknown")
