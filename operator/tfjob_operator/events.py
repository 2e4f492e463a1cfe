"""Events: what a person would look for in ``kubectl describe``, each told once.

They follow from the conditions that a status write changes. ``Announcer`` sends them behind
everything else, and drops what is too much: the status has said it all.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from . import status
from .kube import EVENTS, ApiError, Kube
from .resources import API_VERSION, KIND
from .spec import Json, TfJob

log = logging.getLogger(__name__)

MAX_WAITING = 1000
ANNOUNCED = {
    status.SUCCESSFUL_CREATE: "Normal",
    status.SUSPENDED: "Normal",
    status.RESUMED: "Normal",
    status.SUCCEEDED: "Normal",
    status.RESTARTING: "Warning",
    status.FAILED_CREATE: "Warning",
    status.NAME_TAKEN: "Warning",
    status.INVALID_SPEC: "Warning",
    status.INVALID_TEMPLATE: "Warning",
    status.REPLICA_FAILED: "Warning",
    status.BACKOFF_LIMIT_EXCEEDED: "Warning",
    status.DEADLINE_EXCEEDED: "Warning",
}


@dataclass(frozen=True)
class Event:
    """``type`` is Normal or Warning."""

    type: str
    reason: str
    message: str


def news(old: Json, new: Json) -> list[Event]:
    """Conditions that say something new, as events."""
    before = {(c["type"], c["status"], c["reason"]) for c in old.get("conditions") or []}
    return [
        Event(ANNOUNCED[c["reason"]], c["reason"], c["message"])
        for c in new.get("conditions") or []
        if c["reason"] in ANNOUNCED and (c["type"], c["status"], c["reason"]) not in before
    ]


def event_object(job: TfJob, event: Event, now: datetime) -> Json:
    """An Event whose name follows from what it says, so that it exists once however often sent."""
    said = f"{job.uid}/{event.reason}/{event.message}"
    digest = hashlib.sha256(said.encode()).hexdigest()[:16]
    involved = {"apiVersion": API_VERSION, "kind": KIND, "namespace": job.namespace}
    stamp = status.timestamp(now)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{job.name}.{digest}", "namespace": job.namespace},
        "involvedObject": {**involved, "name": job.name, "uid": job.uid},
        "type": event.type,
        "reason": event.reason,
        "message": event.message[:1024],
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
        "source": {"component": "tf-job-operator"},
    }


class Announcer:
    """Sends events one by one."""

    def __init__(self, kube: Kube, clock: Callable[[], datetime]) -> None:
        self._kube, self._clock = kube, clock
        self._waiting: asyncio.Queue[Json] = asyncio.Queue(MAX_WAITING)

    def announce(self, job: TfJob, new: Json) -> None:
        """Take what the step from ``job.status`` to ``new`` has to say."""
        for event in news(job.status, new):
            if not self._waiting.full():
                self._waiting.put_nowait(event_object(job, event, self._clock()))

    async def run(self) -> None:
        """Send for ever; an event that fails is not worth a retry."""
        while True:
            event = await self._waiting.get()
            try:
                await self._kube.create(EVENTS, event)
            except (ApiError, OSError) as error:
                log.debug("event %s %s: %s", event["reason"], event["metadata"]["name"], error)
