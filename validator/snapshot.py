"""A snapshot: what was read of a cluster, as plain data, and the questions that checks ask of it.

``cluster`` makes the data from a live cluster, ``__main__`` loads it from a
file; the checks see only this class, so that both are judged alike. Nothing
here performs input or output.

The data::

    {"version": 1, "taken": "2026-01-31T12:00:00Z", "context": "lab", "namespace": "default",
     "objects": {"tfjobs": [...], "pods": [...], ...},     # of the learner's namespace
     "elsewhere": {"tfjobs": [...metadata only...]},        # of all other namespaces
     "operator": {"deployments": [...], "configmaps": [...], "pods": [...]},   # any namespace
     "logs": {"<pod>/<container>": "<time> <line>\\n..."},
     "missing": {"nodes": {"status": 403, "message": "..."}}}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

VERSION = 1
SECTIONS = ("objects", "elsewhere", "operator", "logs", "missing")
Object = dict[str, Any]


class Unreadable(Exception):
    """A check asked for a kind that could not be read."""

    def __init__(self, what: str, status: int, message: str) -> None:
        super().__init__(message)
        self.what, self.status, self.message = what, status, message


class LogLine(NamedTuple):
    """One line of a container's log; ``time`` is None when the line carries none."""

    time: datetime | None
    text: str


class Snapshot:
    """The learner's namespace and what surrounds it, at one moment."""

    def __init__(self, data: object) -> None:
        """Take the data as they are. Raises: ValueError if they are not a snapshot."""
        if not isinstance(data, dict) or data.get("version") != VERSION:
            raise ValueError(f"not a snapshot of version {VERSION}")
        for section in SECTIONS:
            if not isinstance(data.get(section), dict):
                raise ValueError(f"the snapshot has no {section}")
        self.data = data
        self.namespace = str(data.get("namespace", "default"))
        self.context = str(data.get("context", ""))
        self.taken = parse_time(data.get("taken")) or datetime.now(UTC)

    def items(self, kind: str, section: str = "objects") -> list[Object]:
        """All objects of a kind (plural, lower case). Raises: Unreadable."""
        name = kind if section == "objects" else f"{section} {kind}"
        problem = self.data["missing"].get(name)
        if problem:
            raise Unreadable(name, int(at(problem, "status") or 0), text(problem, "message"))
        found = self.data[section].get(kind)
        return [item for item in found if isinstance(item, dict)] if found else []

    def served(self, kind: str) -> bool:
        """Whether the API knows the kind. Raises: Unreadable when that cannot be told."""
        problem = self.data["missing"].get(kind)
        if problem and at(problem, "status") == 404:
            return False
        self.items(kind)
        return True

    def find(self, kind: str, name: str) -> Object | None:
        """The object of that name in the learner's namespace."""
        return next((item for item in self.items(kind) if name_of(item) == name), None)

    def namespaces_with(self, kind: str, name: str) -> list[str]:
        """The other namespaces that have an object of that name; [] also when unreadable."""
        try:
            others = self.items(kind, "elsewhere")
        except Unreadable:
            return []
        spaces = {text(item, "metadata", "namespace") for item in others if name_of(item) == name}
        return sorted(spaces - {self.namespace, ""})

    def children(self, kind: str, owner: Object) -> list[Object]:
        """The objects that ``owner`` controls, oldest first; by UID: never an older namesake's."""
        uid = text(owner, "metadata", "uid")
        mine = [i for i in self.items(kind) if uid and uid in set(_owners(i))]
        return sorted(mine, key=lambda item: text(item, "metadata", "creationTimestamp"))

    def events(self, about: Object, reason: str = "") -> list[str]:
        """Messages of the events of one object, newest first; [] when events cannot be read."""
        try:
            events = self.items("events")
        except Unreadable:
            return []
        uid = text(about, "metadata", "uid")
        mine = [e for e in events if text(e, "involvedObject", "uid") == uid]
        mine = [e for e in mine if not reason or text(e, "reason") == reason]
        return [text(e, "message") for e in sorted(mine, key=_event_time, reverse=True)]

    def log(self, pod: Object, container: str = "tensorflow") -> list[LogLine]:
        """The end of a container's log. Raises: Unreadable if the log could not be fetched."""
        key = f"{name_of(pod)}/{container}"
        problem = self.data["missing"].get(f"log {key}")
        if problem:
            raise Unreadable(
                f"log {key}", int(at(problem, "status") or 0), text(problem, "message")
            )
        written = self.data["logs"].get(key)
        return [_log_line(line) for line in str(written or "").splitlines()]


def at(node: Any, *path: str | int) -> Any:
    """The value at ``path``; None where the path ends, whatever is there instead."""
    for step in path:
        if isinstance(step, int):
            node = node[step] if isinstance(node, list) and -len(node) <= step < len(node) else None
        else:
            node = node.get(step) if isinstance(node, dict) else None
    return node


def text(node: Any, *path: str | int) -> str:
    """The string at ``path``; "" where there is none."""
    value = at(node, *path)
    return value if isinstance(value, str) else ""


def listed(node: Any, *path: str | int) -> list[Object]:
    """The objects in the list at ``path``; whatever is not an object is left out."""
    value = at(node, *path)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def mapping(node: Any, *path: str | int) -> Object:
    """The object at ``path``; {} where there is none."""
    value = at(node, *path)
    return value if isinstance(value, dict) else {}


def name_of(item: Object) -> str:
    """metadata.name"""
    return text(item, "metadata", "name")


def condition(item: Object, kind: str) -> Object:
    """The condition of that type in an object's status; {} when absent."""
    return next((c for c in listed(item, "status", "conditions") if c.get("type") == kind), {})


def is_true(item: Object, kind: str) -> bool:
    """Whether the condition of that type is True."""
    return condition(item, kind).get("status") == "True"


def parse_time(value: object) -> datetime | None:
    """An RFC 3339 time, with any number of decimals; None if it is not one."""
    if not isinstance(value, str):
        return None
    cut = re.sub(r"(\.\d{6})\d+", r"\1", value)
    try:
        parsed = datetime.fromisoformat(cut)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _owners(item: Object) -> Iterator[str]:
    for reference in listed(item, "metadata", "ownerReferences"):
        if reference.get("controller"):
            yield text(reference, "uid")


def _event_time(event: Object) -> str:
    times = ("lastTimestamp", "eventTime", "firstTimestamp")
    return next((text(event, t) for t in times if text(event, t)), "")


def _log_line(line: str) -> LogLine:
    stamp, _, rest = line.partition(" ")
    time = parse_time(stamp) if stamp[:2].isdigit() else None
    return LogLine(time, rest) if time else LogLine(None, line)
