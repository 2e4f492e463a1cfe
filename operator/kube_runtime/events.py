"""The event recorder: events about an object, as ``kubectl describe`` shows them.

They are sent in the background. A repeated event is counted in the existing object, as client-go
does. An event that cannot be sent is dropped, because the object's status says the same.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from datetime import datetime

from .conditions import MAX_MESSAGE
from .kube import EVENTS, ApiError, Json, Kube, unless_gone
from .times import Clock, timestamp

log = logging.getLogger(__name__)

MAX_WAITING = 1000  # events; more are dropped
MAX_REMEMBERED = 4096  # events of which the count is kept


def event_object(
    involved: Json, kind: str, reason: str, message: str, component: str, now: datetime
) -> Json:
    """The Event object. Its name is a hash of its content, so equal events share one object.

    ``involved``: apiVersion, kind, namespace, name and uid of the object. ``kind``: Normal or
    Warning. ``component``: who records it.
    """
    stamp = timestamp(now)
    digest = hashlib.sha256(f"{involved['uid']}/{reason}/{message}".encode()).hexdigest()[:16]
    name, namespace = f"{involved['name']}.{digest}", involved["namespace"]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": involved,
        "type": kind,
        "reason": reason,
        "message": message[:MAX_MESSAGE],
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
        "source": {"component": component},
    }


class EventRecorder:
    """Sends events one by one. ``on_drop`` is called for each that is not sent."""

    def __init__(
        self, kube: Kube, component: str, clock: Clock, on_drop: Callable[[], object]
    ) -> None:
        self._kube, self._component, self._clock, self._on_drop = kube, component, clock, on_drop
        self._waiting: asyncio.Queue[Json] = asyncio.Queue(MAX_WAITING)
        self._counts: dict[str, int] = {}  # how often each event was sent, by its name

    def record(self, involved: Json, kind: str, reason: str, message: str) -> None:
        """Queue an event; the arguments are those of ``event_object``."""
        if self._waiting.full():
            self._on_drop()
            return
        now = self._clock()
        event = event_object(involved, kind, reason, message, self._component, now)
        self._waiting.put_nowait(event)

    async def run(self) -> None:
        """Send until cancelled. A failed event is dropped, not retried."""
        while True:
            event = await self._waiting.get()
            try:
                await self._send(event)
            except (ApiError, OSError) as error:
                self._on_drop()
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
        counted = await unless_gone(self._kube.patch(EVENTS, namespace, name, change))
        if counted is None:  # the API server deletes events after an hour
            self._counts[name] = 1
            await self._kube.create(EVENTS, event)
