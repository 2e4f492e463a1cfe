"""Events: what a person would look for in ``kubectl describe``, each told once.

They follow from the conditions that a status write changes. ``Announcer`` sends them behind
everything else, and drops what is too much: the status has said it all.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from datetime import datetime

from kube_runtime.kube import EVENTS, ApiError, Kube

from . import status
from .kinds import API_VERSION, KIND
from .spec import Json, TfJob

log = logging.getLogger(__name__)

MAX_WAITING = 1000
NORMAL = (status.SUCCESSFUL_CREATE, status.SUSPENDED, status.RESUMED, status.SUCCEEDED)
WARNING = (status.RESTARTING, status.FAILED_CREATE, status.NAME_TAKEN, *status.FAILURES)


def news(old: Json, new: Json) -> list[Json]:
    """Conditions that say something new, and that a person would look for."""
    before = {(c["type"], c["status"], c["reason"]) for c in old.get("conditions") or []}
    return [
        c
        for c in new.get("conditions") or []
        if c["reason"] in (*NORMAL, *WARNING)
        and (c["type"], c["status"], c["reason"]) not in before
    ]


def event_object(job: TfJob, condition: Json, now: datetime) -> Json:
    """An Event whose name follows from what it says, so that it exists once however often sent."""
    reason, message, stamp = condition["reason"], condition["message"], status.timestamp(now)
    digest = hashlib.sha256(f"{job.uid}/{reason}/{message}".encode()).hexdigest()[:16]
    involved = {"apiVersion": API_VERSION, "kind": KIND, "namespace": job.namespace}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{job.name}.{digest}", "namespace": job.namespace},
        "involvedObject": {**involved, "name": job.name, "uid": job.uid},
        "type": "Normal" if reason in NORMAL else "Warning",
        "reason": reason,
        "message": message[:1024],
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

    def announce(self, job: TfJob, condition: Json) -> None:
        if not self._waiting.full():
            self._waiting.put_nowait(event_object(job, condition, self._clock()))

    async def run(self) -> None:
        """Send for ever; an event that fails is not worth a retry."""
        while True:
            event = await self._waiting.get()
            try:
                await self._kube.create(EVENTS, event)
            except (ApiError, OSError) as error:
                log.debug("event %s %s: %s", event["reason"], event["metadata"]["name"], error)
