"""Keeps one index equal to the API server by one watch, for ever.

The controller runs one per kind. A watch begins with all that is there (a streaming list), so no
list is ever in memory. A dropped watch goes on where it was; only when the server no longer knows
that place (410) does everything come again.
"""

import asyncio
import logging
import math
from collections.abc import Mapping

from .index import Index
from .kube import ApiError, Json, Kube, Resource

log = logging.getLogger(__name__)

WATCH_SECONDS = 100  # less than the transport takes for silence: events have no bookmarks
MAX_PAUSE_SECONDS = 10.0
FROM_THE_BEGINNING = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
END_OF_BEGINNING = "k8s.io/initial-events-end"


class Reflector:
    """``synced`` is set when all was told once; ``last_seen`` is the loop's time of the last news.

    Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists
    """

    def __init__(
        self, kube: Kube, namespace: str, resource: Resource, query: Mapping[str, str], index: Index
    ) -> None:
        self._kube, self._resource, self._namespace = kube, resource, namespace
        self._query, self._index = query, index
        self._version = ""  # how far the watch has come; "" is before the end of its beginning
        self._pause = 0.0
        self.name = resource.plural
        self.synced = asyncio.Event()
        self.last_seen = math.inf  # before it runs

    async def run(self) -> None:
        self.last_seen = asyncio.get_running_loop().time()
        while True:
            try:
                await self._watch()
            except ApiError as error:
                if error.status == 410:
                    self._version = ""
                await self._rest(error, error.retry_after_seconds or 0.0)
            except OSError as error:  # TimeoutError and ConnectionError are OSErrors
                await self._rest(error)

    async def _rest(self, error: Exception, at_least_seconds: float = 0.0) -> None:
        """Pause longer each time, from nothing, until there is news again."""
        log.info("watch of %s: %s", self.name, error or type(error).__name__)
        await asyncio.sleep(max(self._pause, at_least_seconds))
        self._pause = min(2 * self._pause or 0.2, MAX_PAUSE_SECONDS)

    async def _watch(self) -> None:
        start = {"resourceVersion": self._version} if self._version else FROM_THE_BEGINNING
        query = {**self._query, **start, "timeoutSeconds": str(WATCH_SECONDS)}
        told: set[str] = set()
        async for event in self._kube.watch(self._resource, self._namespace, query):
            if event["type"] == "ERROR":
                self._version = ""  # whatever it was, the beginning mends it
                raise OSError(event["object"].get("message", "the watch failed"))
            self._take(event["type"], event["object"], told)
        self._news()  # it ended as agreed, so it was alive

    def _take(self, kind: str, obj: Json, told: set[str]) -> None:
        """Take one event; ``told`` gathers the UIDs of the beginning."""
        meta, began = obj["metadata"], bool(self._version)
        version = meta["resourceVersion"]
        if kind == "DELETED":
            self._index.remove(meta["uid"])
        elif kind != "BOOKMARK":
            self._index.put(obj)
            if not began:
                told.add(meta["uid"])
        elif END_OF_BEGINNING in (meta.get("annotations") or {}):
            self._index.keep_only(told, int(version))
            self.synced.set()
            began = True
        if began:
            self._version, self._index.version = version, int(version)
        self._news()

    def _news(self) -> None:
        self._pause = 0.0
        self.last_seen = asyncio.get_running_loop().time()
