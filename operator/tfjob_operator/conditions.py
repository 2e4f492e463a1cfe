"""Conditions of a TfJob: their reasons, and how new ones are merged into a status.

``status`` sets them. ``events`` and ``metrics`` depend on the reasons only.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from .spec import Json

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
# Reasons that are also recorded as events, by the event's type.
NORMAL = (SUCCESSFUL_CREATE, SUSPENDED, RESUMED, SUCCEEDED)
WARNING = (RESTARTING, FAILED_CREATE, NAME_TAKEN, *FAILURES)

NewCondition = tuple[bool, str, str]  # is true, reason, message


def find(status: Json, kind: str) -> Json:
    """The condition of a type, or {}."""
    return next((c for c in status.get("conditions") or [] if c["type"] == kind), {})


def holds(status: Json, kind: str) -> bool:
    """Whether the condition of a type is True."""
    return bool(find(status, kind).get("status") == "True")


def timestamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def merge(status: Json, new_conditions: Mapping[str, NewCondition], now: datetime) -> Json:
    """Merge new conditions, by type, into a status.

    lastTransitionTime moves when the value changes, lastUpdateTime when anything changes. False is
    written only over True. Created and TensorBoardReady are always written: their False says what
    is missing.
    """
    conditions, stamp = {c["type"]: c for c in status.get("conditions") or []}, timestamp(now)
    for kind, (is_true, reason, message) in new_conditions.items():
        old, value = conditions.get(kind, {}), "True" if is_true else "False"
        new = {"type": kind, "status": value, "reason": reason, "message": message[:MAX_MESSAGE]}
        matters = is_true or kind in ("Created", "TensorBoardReady") or old.get("status") == "True"
        if matters and any(old.get(key) != new[key] for key in new):
            since = old.get("lastTransitionTime", stamp) if old.get("status") == value else stamp
            conditions.pop(kind, None)
            conditions[kind] = {**new, "lastUpdateTime": stamp, "lastTransitionTime": since}
    return {**status, "conditions": [*conditions.values()]}
