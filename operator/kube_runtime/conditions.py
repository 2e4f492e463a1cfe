"""Conditions in the status of an object: found, merged and compared, as all Kubernetes APIs do."""

from collections.abc import Collection, Mapping
from datetime import datetime
from operator import itemgetter

from .kube import Json
from .times import timestamp

MAX_MESSAGE = 1024  # characters, as events have

NewCondition = tuple[bool, str, str]  # is true, reason, message


def find(status: Json, kind: str) -> Json:
    """The condition of a type, or {}."""
    return next((c for c in status.get("conditions") or [] if c["type"] == kind), {})


def true_conditions(status: Json) -> dict[str, Json]:
    """The conditions that are True, by type."""
    return {c["type"]: c for c in status.get("conditions") or [] if c.get("status") == "True"}


def holds(status: Json, kind: str) -> bool:
    """Whether the condition of a type is True."""
    return bool(find(status, kind).get("status") == "True")


def merge(
    status: Json,
    new_conditions: Mapping[str, NewCondition],
    now: datetime,
    always: Collection[str] = (),
    last: Collection[tuple[str, str]] = (),
) -> Json:
    """Merge new conditions, by type, into a status.

    lastTransitionTime moves when the value changes, lastUpdateTime when anything changes. False is
    written only over True, except for the types in ``always``: their False says what is missing.
    The newest condition is the last one, except that those in ``last``, as (type, value), stay at
    the end while they have this value: a printed column shows the last one.
    """
    conditions, stamp = {c["type"]: c for c in status.get("conditions") or []}, timestamp(now)
    for kind, (is_true, reason, message) in new_conditions.items():
        old, value = conditions.get(kind, {}), "True" if is_true else "False"
        new = {"type": kind, "status": value, "reason": reason, "message": message[:MAX_MESSAGE]}
        matters = is_true or kind in always or old.get("status") == "True"
        if matters and any(old.get(key) != new[key] for key in new):
            since = old.get("lastTransitionTime", stamp) if old.get("status") == value else stamp
            conditions.pop(kind, None)
            conditions[kind] = {**new, "lastUpdateTime": stamp, "lastTransitionTime": since}
    ordered = sorted(conditions.values(), key=lambda c: (c["type"], c["status"]) in last)
    return {**status, "conditions": ordered}


def changed(old: Json, new: Json) -> list[Json]:
    """The conditions of a status that have another value or reason than before."""
    key = itemgetter("type", "status", "reason")
    before = {key(condition) for condition in old.get("conditions") or []}
    return [each for each in new.get("conditions") or [] if key(each) not in before]
