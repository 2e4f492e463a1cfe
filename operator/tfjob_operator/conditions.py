"""Conditions of a TfJob: their reasons, and how a new one takes the place of an old one.

``status`` writes them; ``events`` and ``metrics`` follow from the reasons.
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
# What becomes an event as well, and of which type.
NORMAL = (SUCCESSFUL_CREATE, SUSPENDED, RESUMED, SUCCEEDED)
WARNING = (RESTARTING, FAILED_CREATE, NAME_TAKEN, *FAILURES)

Claim = tuple[bool, str, str]  # whether a condition holds, reason, message


def find(status: Json, kind: str) -> Json:
    """The condition of a type if it is there, else {}."""
    return next((c for c in status.get("conditions") or [] if c["type"] == kind), {})


def holds(status: Json, kind: str) -> bool:
    """Whether a condition is there and true."""
    return bool(find(status, kind).get("status") == "True")


def timestamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def merge(status: Json, claims: Mapping[str, Claim], now: datetime) -> Json:
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
