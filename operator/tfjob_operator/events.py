"""Events, as ``kubectl describe`` shows them: one for each important change of a condition.

``apply`` records them after a status write. ``EventRecorder`` sends them in the background, and
counts a repeated event in the existing object, as client-go does.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from datetime import datetime

import prometheus_client as prometheus

from kube_runtime.kube import EVENTS, ApiError, Kube

from . import conditions
from .kinds import API_VERSION, KIND
from .spec import Json, TfJob

log = logging.getLogger(__name__)

MAX_WAITING = 1000  # events; more are dropped
MAX_REMEMBERED = 4096  # events of which the count is kept


def new_events(old: Json, new: Json) -> list[Json]:
    """The changed conditions that are recorded as events."""
    recorded = (*conditions.NORMAL, *conditions.WARNING)
    before = {(c["type"], c["status"], c["reason"]) for c in old.get("conditions") or []}
    return [
        c
        for c in new.get("conditions") or []
        if (c["reason"] in recorded or (c["type"], c["status"]) == ("Waiting", "True"))
        and (c["type"], c["status"], c["reason"]) not in before
    ]


def event_object(job: TfJob, condition: Json, now: datetime) -> Json:
    """The Event object. Its name is a hash of its content, so equal events share one object."""
    reason, message, stamp = condition["reason"], condition["message"], conditions.timestamp(now)
    digest = hashlib.sha256(f"{job.uid}/{reason}/{message}".encode()).hexdigest()[:16]
    involved = {"apiVersion": API_VERSION, "kind": KIND, "namespace": job.namespace}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{job.name}.{digest}", "namespace": job.namespace},
        "involvedObject": {**involved, "name": job.name, "uid": job.uid},
        "type": "Normal" if reason in conditions.NORMAL else "Warning",
        "reason": reason,
        "message": message[:1024],
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
        "source": {"component": "tf-job-operator"},
    }


class EventRecorder:
    """Sends events one by one. ``dropped`` counts those that were not sent."""

    def __init__(
        self, kube: Kube, clock: Callable[[], datetime], dropped: prometheus.Counter
    ) -> None:
        self._kube, self._clock, self._dropped = kube, clock, dropped
        self._waiting: asyncio.Queue[Json] = asyncio.Queue(MAX_WAITING)
        self._counts: dict[str, int] = {}  # how often each event was sent, by its name

    def record(self, job: TfJob, condition: Json) -> None:
        if self._waiting.full():
            self._dropped.inc()
        else:
            self._waiting.put_nowait(event_object(job, condition, self._clock()))

    async def run(self) -> None:
        """Send until cancelled. A failed event is dropped, not retried."""
        while True:
            event = await self._waiting.get()
            try:
                await self._send(event)
            except (ApiError, OSError) as error:
                self._dropped.inc()
                log.debug("event %s %s: %s", event["reason"], event["metadata"]["name"], error)

    async def _send(self, event: Json) -> None:
        """Create the event, or count it in the one that exists."""
        name, namespace = event["metadata"]["name"], event["metadata"]["namespace"]
        count = self._counts.pop(name, 0) + 1
        self._counts[name] = count
        if len(self._counts) > MAX_REMEMBERED:
            del self._counts[next(iter(self._counts))]
        if count == 1:
            try:
                await self._kube.create(EVENTS, event)
                return
            except ApiError as error:
                if error.status != 409:
                    raise
                count = self._counts[name] = 2  # it was created before the operator restarted
        change = {"count": count, "lastTimestamp": event["lastTimestamp"]}
        await self._kube.patch(EVENTS, namespace, name, change)
