"""A snapshot: what was read of a cluster, as plain data, and the questions that checks ask of it.

``cluster`` makes the data from a live cluster, ``__main__`` loads it from a
file; the checks see only this class, so that both are judged alike. Nothing
here performs input or output.

The data::

    {"version": 2, "taken": "2026-01-31T12:00:00Z",       # by the API server's clock
     "context": "lab", "namespace": "default",
     "flags": ["--namespace=ann"],                        # what pasted commands need
     "identity": {"user", "cluster", "checkout", "name"}, # who, which cluster, which version
     "groups": ["apps", "batch", ...],                    # API groups that are served
     "objects": {"tfjobs": [...], "pods": [...], ...},    # of the learner's namespace
     "elsewhere": {"tfjobs": {"module5-ex1": ["ann"]}},   # namespaces that have the exercise's name
     "operator": {"deployments": [...], "configmaps": [...], "pods": [...],
                  "leases": [...], "helm": [...]},        # in whatever namespace it is
     "logs": {"<pod>/<container>": {"head": "<time> <line>\\n...", "tail": "...", "cut": false}},
     "answers": {"<service>:<port>/<path>": {"status": 200, "body": "..."}},
     "missing": {"nodes": {"status": 403, "message": "..."}}}
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

VERSION = 2
# Version 1 had one text for a log and no part that is missing here.
READABLE_VERSIONS = (1, 2)
SECTIONS = ("objects", "elsewhere", "operator", "logs", "missing")
Object = dict[str, Any]


class Unreadable(Exception):
    """A check asked for something that could not be read."""

    def __init__(self, what: str, status: int, message: str) -> None:
        super().__init__(message)
        self.what, self.status, self.message = what, status, message


# The label by which a Pod of an Indexed Job says which of its replicas it is.
INDEX = "batch.kubernetes.io/job-completion-index"


class LogLine(NamedTuple):
    """One line of a container's log; ``time`` is None when the line carries none."""

    time: datetime | None
    text: str


class Log(NamedTuple):
    """What was read of a container's log; ``cut``: lines between head and tail are missing."""

    lines: tuple[LogLine, ...]
    cut: bool = False


class Answer(NamedTuple):
    """What a server said to one GET through the API server's proxy."""

    status: int
    body: str


class Snapshot:
    """The learner's namespace and what surrounds it, at one moment."""

    def __init__(self, data: object) -> None:
        """Take the data as they are. Raises: ValueError if they are not a snapshot."""
        if not isinstance(data, dict) or data.get("version") not in READABLE_VERSIONS:
            raise ValueError(f"it has no version that this validator reads ({VERSION})")
        for section in SECTIONS:
            if not isinstance(data.get(section), dict):
                raise ValueError(f"it has no {section}")
        self.data = data
        self.namespace = str(data.get("namespace", "default"))
        self.context = str(data.get("context", ""))
        flags = data.get("flags")
        self.flags = tuple(map(str, flags)) if isinstance(flags, list) else ()
        self.taken = parse_time(data.get("taken")) or datetime.now(UTC)

    def items(self, kind: str, section: str = "objects") -> list[Object]:
        """All objects of a kind (plural, lower case). Raises: Unreadable."""
        name = kind if section == "objects" else f"{section} {kind}"
        problem = self.data["missing"].get(name)
        if problem:
            raise Unreadable(name, int(at(problem, "status") or 0), text(problem, "message"))
        return listed(self.data[section], kind)

    def items_if_readable(self, kind: str, section: str = "objects") -> list[Object]:
        """All objects of a kind; [] where it could not be read, for checks that can do without."""
        try:
            return self.items(kind, section)
        except Unreadable:
            return []

    def served(self, kind: str) -> bool:
        """Whether the API knows the kind. Raises: Unreadable when that is not known."""
        problem = self.data["missing"].get(kind)
        if problem and at(problem, "status") == 404:
            return False
        self.items(kind)
        return True

    def serves_group(self, group: str) -> bool:
        """Whether the API server serves an API group, such as "kubeflow.org"."""
        groups = self.data.get("groups")
        return isinstance(groups, list) and group in groups

    def find(self, kind: str, name: str) -> Object | None:
        """The object of that name in the learner's namespace. Raises: Unreadable."""
        return next((item for item in self.items(kind) if name_of(item) == name), None)

    def namespaces_with(self, kind: str, name: str) -> list[str]:
        """The other namespaces of the learner's that have an object of that name."""
        found = at(self.data["elsewhere"], kind, name)
        return sorted(map(str, found)) if isinstance(found, list) else []

    def children(self, kind: str, owner: Object) -> list[Object]:
        """The objects that ``owner`` controls, oldest first; by UID: never an older namesake's."""
        uid = text(owner, "metadata", "uid")
        mine = [i for i in self.items(kind) if uid and uid in owners(i)]
        return sorted(mine, key=lambda item: text(item, "metadata", "creationTimestamp"))

    def newest_pods(self, job: Object) -> list[Object]:
        """The newest Pod of a Job, in a list; of an Indexed Job, that of each index."""
        newest = {text(p, "metadata", "labels", INDEX): p for p in self.children("pods", job)}
        return [newest[index] for index in sorted(newest)]

    def events(self, about: Object, *reasons: str, warnings: bool = False) -> list[str]:
        """Messages of the events of one object, newest first; [] when events cannot be read."""
        uid = text(about, "metadata", "uid")
        mine = [
            event
            for event in self.items_if_readable("events")
            if uid and text(event, "involvedObject", "uid") == uid
            if not reasons or text(event, "reason") in reasons
            if not warnings or text(event, "type") == "Warning"
        ]
        return [text(e, "message") for e in sorted(mine, key=_event_time, reverse=True)]

    def log(self, pod: Object, container: str) -> Log:
        """What was read of a container's log. Raises: Unreadable if nothing was."""
        key = f"{name_of(pod)}/{container}"
        problem = self.data["missing"].get(f"log {key}")
        if problem:
            raise Unreadable(
                f"log {key}", int(at(problem, "status") or 0), text(problem, "message")
            )
        written = self.data["logs"].get(key)
        if written is None:
            raise Unreadable(f"log {key}", 0, "it is not part of what was read")
        if isinstance(written, str):
            return Log(_log_lines(written))
        lines = _log_lines(text(written, "head")) + _log_lines(text(written, "tail"))
        return Log(lines, bool(at(written, "cut")))

    def answer(self, request: str) -> Answer:
        """What a server said to "<service>:<port>/<path>". Raises: Unreadable."""
        problem = self.data["missing"].get(f"answer {request}")
        given = mapping(self.data, "answers", request)
        if problem or not given:
            message = text(problem, "message") or "it is not part of what was read"
            raise Unreadable(f"answer {request}", int(at(problem, "status") or 0), message)
        return Answer(int(at(given, "status") or 0), text(given, "body"))

    def age_seconds(self, since: datetime | None) -> float:
        """How long ago a time was, by the cluster's clock; 0 for none."""
        return (self.taken - since).total_seconds() if since else 0.0


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


def owners(item: Object) -> set[str]:
    """The UID of the object that controls this one; nothing where none does."""
    references = listed(item, "metadata", "ownerReferences")
    return {text(each, "uid") for each in references if each.get("controller")}


def name_of(item: Object) -> str:
    """metadata.name"""
    return text(item, "metadata", "name")


def condition(item: Object, kind: str) -> Object:
    """The condition of that type in an object's status; {} when absent."""
    return next((c for c in listed(item, "status", "conditions") if c.get("type") == kind), {})


def time_at(item: Any, *path: str | int) -> datetime | None:
    """The time at ``path``; None where there is none."""
    return parse_time(at(item, *path))


def created(item: Object) -> datetime | None:
    """metadata.creationTimestamp"""
    return time_at(item, "metadata", "creationTimestamp")


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


def _event_time(event: Object) -> str:
    times = ("lastTimestamp", "eventTime", "firstTimestamp")
    return next((text(event, t) for t in times if text(event, t)), "")


def _log_lines(written: str) -> tuple[LogLine, ...]:
    # At line feeds alone: a carriage return within a line must not make lines without a time.
    return tuple(_log_line(line) for line in written.split("\n") if line)


def _log_line(line: str) -> LogLine:
    stamp, _, rest = line.partition(" ")
    time = parse_time(stamp) if stamp[:2].isdigit() else None
    return LogLine(time, rest) if time else LogLine(None, line)
