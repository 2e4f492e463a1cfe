"""The reasons of a TfJob's conditions; events and metrics have the same words."""

from collections.abc import Iterator

from kube_runtime import conditions
from kube_runtime.kube import Json

CREATING = "Creating"
SUCCESSFUL_CREATE = "SuccessfulCreate"
FAILED_CREATE = "FailedCreate"
NAME_TAKEN = "NameTaken"
CHIEF_RUNNING = "ChiefRunning"
CHIEF_WAITING = "ChiefWaiting"
NOTHING_WAITS = "NothingWaits"
JOB_SUSPENDED = "JobSuspended"
CHANGE_REFUSED = "ChangeRefused"
ACCEPTED = "Accepted"
CHANGED_BY_OTHERS = "ChangedByOthers"
UNCHANGED = "Unchanged"
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
LOG_IS_LOST = (  # the end of a message
    "; its side-car still runs, so the Pod is deleted, and its log with it. To keep the log, make "
    "it a native side-car (initContainers, restartPolicy: Always), which ends by itself"
)
ADVICE_ON_ALTERED = (  # the end of a message
    "; if that is a mistake, delete it: the operator makes it again, unless its replica is done"
)
NOTHING_REFUSED = {"ChangeRefused": (False, ACCEPTED, "All changes are accepted")}
NO_POD_WAITS = (False, NOTHING_WAITS, "No Pod waits")  # the condition Waiting
# Reasons that are also recorded as events, by the event's type.
NORMAL = (SUCCESSFUL_CREATE, SUSPENDED, RESUMED, SUCCEEDED)
WARNING = (RESTARTING, FAILED_CREATE, NAME_TAKEN, CHANGE_REFUSED, CHANGED_BY_OTHERS, *FAILURES)


def new_events(old: Json, new: Json) -> Iterator[tuple[str, Json]]:
    """The changed conditions that are recorded as events, each with the event's type."""
    for condition in conditions.changed(old, new):
        kind, reason = condition["type"], condition["reason"]
        a_pod_waits = (kind, condition["status"]) == ("Waiting", "True")
        if reason == SUSPENDED and kind != "Suspended":
            continue  # Running and others that are False because of it: one event is enough
        if a_pod_waits or reason in (*NORMAL, *WARNING):
            yield "Normal" if reason in NORMAL else "Warning", condition
