"""The reasons of a TfJob's conditions; events and metrics have the same words.

``status`` writes them into conditions. ``apply`` asks which changes to record as events.
"""

from kube_runtime import conditions

from .spec import Json

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
# Reasons that are also recorded as events, by the event's type.
NORMAL = (SUCCESSFUL_CREATE, SUSPENDED, RESUMED, SUCCEEDED)
WARNING = (RESTARTING, FAILED_CREATE, NAME_TAKEN, *FAILURES)


def new_events(old: Json, new: Json) -> list[Json]:
    """The changed conditions that are recorded as events."""
    return [c for c in conditions.changed(old, new) if _is_recorded(c)]


def _is_recorded(condition: Json) -> bool:
    a_pod_waits = (condition["type"], condition["status"]) == ("Waiting", "True")
    return a_pod_waits or condition["reason"] in (*NORMAL, *WARNING)


def event_type(reason: str) -> str:
    return "Normal" if reason in NORMAL else "Warning"
