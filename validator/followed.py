"""One list whose changes are watched, one log that is followed: what arrives on their streams."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from validator.cluster import METADATA_ONLY, TAIL_LINES, Data, Watchable, join_tail, place, slim
from validator.connect.stream import Stream
from validator.snapshot import Object, at, listed, mapping, name_of, text

Open = Callable[[str, str], Stream]

# The API server ends a watch by itself after some minutes; we ask for an hour.
WATCH_SECONDS = 3600
# A watch that ends so soon, so often, is one that something on the way does not let through.
SHORT_SECONDS = 1.0
MOST_SHORT = 3
MOST_LINES = 2000
# The API server's answers to who may list and not watch.
REFUSALS = (400, 401, 403, 405)


class Watch:
    """One kind's stream of changes."""

    def __init__(self, open_stream: Open, source: Watchable) -> None:
        self._open_stream, self.source = open_stream, source
        self.label, self._version = source.label, source.version
        self.refused = False
        self._short = 0
        self.stream = self._open()

    @property
    def path(self) -> str:
        return self.source.ask.path

    def take(self, data: Data) -> bool | None:
        """Apply what has arrived. Returns: whether anything changed; None if all must be read."""
        changed = False
        for line in self.stream.lines():
            kind, item = _event(line)
            if kind == "ERROR":
                return None
            self._short = 0
            self._version = text(item, "metadata", "resourceVersion") or self._version
            if kind != "BOOKMARK":
                self._apply(data, kind, item)
                changed = True
        if self.stream.ended and not self._goes_on():
            return None
        return changed

    def _goes_on(self) -> bool:
        """Open it again where the server ended it as agreed. Returns: whether it did."""
        if self.stream.status != 200 or self.stream.message:
            self.refused = self.stream.status in REFUSALS
            return False
        short = time.monotonic() - self._opened < SHORT_SECONDS
        self._short = self._short + 1 if short else 0
        self.refused = self._short >= MOST_SHORT
        if self.refused:
            return False
        self.stream = self._open()
        return True

    def _open(self) -> Stream:
        self._opened = time.monotonic()
        path = self.path + ("&" if "?" in self.path else "?")
        path += "watch=true&allowWatchBookmarks=true"
        path += f"&resourceVersion={self._version}&timeoutSeconds={WATCH_SECONDS}"
        return self._open_stream(path, self.source.ask.accept.replace("List;", ";"))

    def _apply(self, data: Data, kind: str, item: Object) -> None:
        section, plural = place(self.label)
        uid = text(item, "metadata", "uid")
        kept = [i for i in listed(data[section], plural) if text(i, "metadata", "uid") != uid]
        if kind != "DELETED":
            metadata_alone = self.source.ask.accept == METADATA_ONLY
            kept.append({"metadata": mapping(item, "metadata")} if metadata_alone else slim(item))
        data[section][plural] = kept


class Followed:
    """The log of a container that runs: its head as it was read, and the lines since."""

    def __init__(self, open_stream: Open, data: Data, key: str) -> None:
        pod, _, container = key.partition("/")
        where = f"/api/v1/namespaces/{data['namespace']}/pods/{pod}/log?container={container}"
        where += f"&timestamps=true&follow=true&tailLines={TAIL_LINES}"
        self.stream = open_stream(where, "*/*")
        self.attempt = attempt(data, key)
        # Whether all of the log has been read, after the container's end.
        self.whole = False
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._head = data["logs"][key]["head"]

    def take(self, data: Data, key: str) -> bool:
        """Put the new lines into the data. Returns: whether there were any."""
        new = [line.decode("utf-8", "replace") for line in self.stream.lines()]
        self._lines.extend(new)
        if new and key in data["logs"] and not self.whole:
            log: dict[str, Any] = {"head": self._head, "tail": "", "cut": True}
            join_tail(log, "".join(f"{line}\n" for line in self._lines), False)
            data["logs"][key] = log
        return bool(new)


def runs(data: Data, key: str) -> bool:
    """Whether the container of a log is running."""
    return "running" in mapping(_status(data, key), "state")


def attempt(data: Data, key: str) -> int:
    """How often the container of a log has been started again in its Pod."""
    return int(at(_status(data, key), "restartCount") or 0)


def _status(data: Data, key: str) -> Object:
    pod_name, _, container = key.partition("/")
    for pod in listed(data["objects"], "pods"):
        if name_of(pod) == pod_name:
            both = listed(pod, "status", "containerStatuses")
            both += listed(pod, "status", "initContainerStatuses")
            return next((s for s in both if s.get("name") == container), {})
    return {}


def _event(line: bytes) -> tuple[str, Object]:
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError):
        return "ERROR", {}
    return text(parsed, "type"), mapping(parsed, "object")
