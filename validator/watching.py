"""``--watch``: one list and one watch per kind, and no request while nothing changes.

The lists are read once. Their changes arrive on streams that stay open, and so
do the lines of the logs of containers that run. What follows from a change (a
new Pod's log, near misses) is read when the change arrives. Who may list and
not watch gets the lists read again every few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from validator import container_engine
from validator.api import Api
from validator.cluster import (
    Data,
    Wanted,
    Watchable,
    first_round,
    put_all,
    read_with,
    reads_engine,
    second_round,
)
from validator.connect.connection import Connection
from validator.connect.stream import Stream
from validator.engine import Exercise
from validator.followed import Followed, Watch, attempt, runs
from validator.snapshot import Snapshot, at, listed, name_of

# Changes come in groups: a Pod that starts changes its Job and its TfJob too.
GATHER_SECONDS = 0.15
# Lists that may not be watched are read so often.
READ_AGAIN_SECONDS = 5.0
# After a failure of a watch, the lists are read again, but not more often than this.
ANEW_SECONDS = 1.0
# A kind that has just been defined is served a moment later, and nothing tells when.
RETRY_SECONDS, RETRY_FOR_SECONDS = 1.0, 15.0
# These change all the time (a Lease is renewed, a node reports), and nothing follows from them.
_NO_SEQUEL = frozenset({"events", "nodes", "operator leases", "operator configmaps"})
_DEFINES = frozenset({"customresourcedefinitions", "operator deployments"})


class Watching:
    """A cluster that is being watched; ``data`` is always as new as what has arrived."""

    def __init__(self, connection: Connection, exercises: Sequence[Exercise]) -> None:
        """Read everything once, and open the watches. Raises: NoCluster."""
        self._api = Api(connection)
        self._exercises = exercises
        self._watches: list[Watch] = []
        self._logs: dict[str, Followed] = {}
        self._unwatched: dict[str, Wanted] = {}
        self._retry_until = 0.0
        self.data: Data = {}
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def wait(self, timeout_seconds: float) -> bool:
        """Wait for a change. Returns: whether there was one. Raises: NoCluster."""
        end = time.monotonic() + timeout_seconds
        changed = self._wait_until(min(end, self._next_reading()))
        if time.monotonic() >= self._next_reading():
            changed = self._read_unwatched() or changed
        self._let_time_pass()
        return changed

    def read_again(self) -> None:
        """Read everything again: a watch could not go on, or a verdict is to be sure.

        Raises: NoCluster.
        """
        for stream in self._streams():
            stream.close()
        self._watches, self._logs = [], {}
        time.sleep(max(0.0, self._read_at + ANEW_SECONDS - time.monotonic()))
        self._begin()

    def snapshot(self) -> Snapshot:
        """What is known now."""
        return Snapshot(self.data)

    def close(self) -> None:
        """Close everything."""
        for stream in self._streams():
            stream.close()
        self._api.close()

    def _begin(self) -> None:
        self.data, lists = read_with(self._api, self._exercises)
        self._read_at = self._listed_at = time.monotonic()
        self._taken = datetime.fromisoformat(self.data["taken"])
        self._watch(lists)
        self._follow_logs()
        self._tell_unwatched()

    def _watch(self, lists: Sequence[Watchable]) -> None:
        """Watch lists that were just read, in place of an older watch of the same kind."""
        fresh = {each.label for each in lists}
        for old in [watch for watch in self._watches if watch.label in fresh]:
            old.stream.close()
            self._watches.remove(old)
        allowed = [each for each in lists if each.label not in self._unwatched]
        self._watches += [Watch(self._api.stream, each) for each in allowed]

    def _streams(self) -> list[Stream]:
        return [watch.stream for watch in self._watches] + [
            log.stream for log in self._logs.values() if not log.stream.ended
        ]

    def _wait_until(self, end: float) -> bool:
        streams = self._streams()
        if not streams:
            time.sleep(max(0.0, end - time.monotonic()))
            return False
        ready = self._api.wait(streams, max(0.0, end - time.monotonic()))
        if not ready:
            return False
        until = time.monotonic() + GATHER_SECONDS
        changed = self._take(ready)
        while (left := until - time.monotonic()) > 0 and self._streams():
            ready = self._api.wait(self._streams(), left)
            changed = self._take(ready) or changed
        return changed

    def _let_time_pass(self) -> None:
        passed = timedelta(seconds=time.monotonic() - self._read_at)
        self.data["taken"] = (self._taken + passed).isoformat()

    def _take(self, ready: Sequence[Stream]) -> bool:
        """Take what has arrived into the data. Returns: whether anything has changed."""
        mine = [watch for watch in self._watches if watch.stream in ready]
        changes = {watch.label: watch.take(self.data) for watch in mine}
        logs = [log.take(self.data, key) for key, log in self._logs.items() if log.stream in ready]
        failed = [watch for watch in mine if changes[watch.label] is None]
        for watch in failed:
            self._give_up(watch)
        if any(not watch.refused for watch in failed):
            self.read_again()
            return True
        changed = {label for label, change in changes.items() if change}
        if changed - _NO_SEQUEL:
            self._read_what_follows(changed)
        return bool(changed) or bool(failed) or any(logs)

    def _give_up(self, watch: Watch) -> None:
        watch.stream.close()
        self._watches.remove(watch)
        if watch.refused:
            self._unwatched[watch.label] = Wanted(watch.label, watch.source.ask)
            self._tell_unwatched()

    def _tell_unwatched(self) -> None:
        if self._unwatched:
            kinds = ", ".join(sorted(self._unwatched))
            every = f"read again every {READ_AGAIN_SECONDS:.0f} s"
            self.data["notes"] = [f"no permission to watch {kinds}: {every}"]

    def _next_reading(self) -> float:
        """When something has to be read again; never, where all is watched and followed."""
        if time.monotonic() < self._retry_until and self._lost():
            return self._listed_at + RETRY_SECONDS
        again = self._unwatched or self._asks_servers() or reads_engine(self._exercises)
        return self._listed_at + READ_AGAIN_SECONDS if again else float("inf")

    def _asks_servers(self) -> bool:
        """What a learner's server says changes without a change of any object."""
        missing = (what for what in self.data["missing"] if what.startswith("answer "))
        return bool(self.data["answers"]) or any(missing)

    def _read_unwatched(self) -> bool:
        """Read what may not be watched, and what is not served yet, again."""
        self._listed_at = time.monotonic()
        self._read([*self._unwatched.values(), *self._lost()])
        if reads_engine(self._exercises):
            container_engine.read_into(self.data)
        self._read_what_follows(set())
        return True

    def _lost(self) -> list[Wanted]:
        """The first round's lists that were not there, and may be by now."""
        first = first_round(self._api.connection.namespace, self._exercises)
        missing = self.data["missing"]
        return [w for w in first if at(missing, w.label, "status") not in (None, 401, 403)]

    def _read(self, wanted: Sequence[Wanted]) -> None:
        if not wanted:
            return
        answers = self._api.fetch([one.ask for one in wanted])
        for one, answer in zip(wanted, answers, strict=True):
            key = one.label.rpartition(" ")[0] if one.label.startswith("log ") else one.label
            if answer.status == 200:
                self.data["missing"].pop(key, None)
        self._watch(put_all(self.data, wanted, answers))

    def _read_what_follows(self, changed: set[str]) -> None:
        """The second round, without the lists that are watched and the logs that are followed."""
        if changed & _DEFINES:
            self._retry_until = time.monotonic() + RETRY_FOR_SECONDS
            groups = [w for w in first_round("", self._exercises) if w.label == "groups"]
            self._read([*self._lost(), *groups])
        self._forget_logs()
        self.data["elsewhere"] = {}
        second = second_round(self._api.connection, self._exercises, self.data)
        known = {(watch.label, watch.path) for watch in self._watches}
        self._read(
            [w for w in second if (w.label, w.ask.path) not in known and not self._is_followed(w)]
        )
        self._follow_logs()

    def _is_followed(self, wanted: Wanted) -> bool:
        """Whether a log needs no reading: it runs and is followed, or was read to its end."""
        section, _, rest = wanted.label.partition(" ")
        key = rest.rpartition(" ")[0]
        followed = self._logs.get(key) if section == "log" else None
        if followed is None or followed.attempt != attempt(self.data, key):
            return False
        return followed.whole or (runs(self.data, key) and not followed.stream.ended)

    def _forget_logs(self) -> None:
        """Close the logs of Pods that are gone."""
        pods = {name_of(pod) for pod in listed(self.data["objects"], "pods")}
        for key in [k for k in self._logs if k.partition("/")[0] not in pods]:
            self._logs.pop(key).stream.close()

    def _follow_logs(self) -> None:
        """Follow the logs of what runs; what has ended was read whole just now."""
        for key in list(self.data["logs"]):
            known = self._logs.get(key)
            if runs(self.data, key):
                # One that ended as agreed has ended with its container: its Pod will say so.
                lost = known and known.stream.ended and known.stream.message
                if known is None or lost or known.attempt != attempt(self.data, key):
                    self._logs[key] = Followed(self._api.stream, self.data, key)
                if known and self._logs[key] is not known:
                    known.stream.close()
            elif known:
                known.whole = True
                known.stream.close()
