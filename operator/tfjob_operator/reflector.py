"""Keeps one index equal to the API server: list once, then watch, for ever.

The controller runs one per kind. A dropped watch goes on where it was; only when the server no
longer knows that place (410) is everything listed again.
"""

import asyncio
import logging
from collections.abc import Mapping

from .cache import Index
from .kube import ApiError, Kube, Resource

log = logging.getLogger(__name__)

WATCH_SECONDS = 100  # less than the transport takes for silence: events have no bookmarks
MAX_PAUSE_SECONDS = 10.0


class Reflector:
    """``synced`` is set after the first list; ``last_seen`` is the loop's time of the last news."""

    def __init__(
        self, kube: Kube, resource: Resource, namespace: str, query: Mapping[str, str], index: Index
    ) -> None:
        self._kube, self._resource, self._namespace = kube, resource, namespace
        self._query, self._index = query, index
        self._version = ""
        self._pause = 0.0
        self.name = resource.plural
        self.synced = asyncio.Event()
        self.last_seen = 0.0

    async def run(self) -> None:
        self.last_seen = asyncio.get_running_loop().time()
        while True:
            try:
                if not self._version:
                    await self._list()
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

    async def _list(self) -> None:
        seen: set[str] = set()
        version = ""
        async for page in self._kube.pages(self._resource, self._namespace, self._query):
            version = page["metadata"]["resourceVersion"]
            for item in page.get("items") or []:
                seen.add(item["metadata"]["uid"])
                self._index.put(item)
            del page
            await asyncio.sleep(0)
        self._index.keep_only(seen, int(version))
        self._news(version)
        self.synced.set()

    async def _watch(self) -> None:
        query = {
            **self._query,
            "resourceVersion": self._version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        async for event in self._kube.watch(self._resource, self._namespace, query):
            if event["type"] == "ERROR":
                self._version = ""  # whatever it was, a new list mends it
                raise OSError(event["object"].get("message", "the watch failed"))
            self._take(event["type"], event["object"])
        self._news(self._version)  # it ended as agreed, so it was alive

    def _take(self, kind: str, obj: dict) -> None:  # type: ignore[type-arg]
        if kind == "DELETED":
            self._index.remove(obj["metadata"]["uid"])
        elif kind != "BOOKMARK":
            self._index.put(obj)
        self._news(obj["metadata"]["resourceVersion"])

    def _news(self, version: str) -> None:
        self._version, self._index.version = version, int(version)
        self._pause = 0.0
        self.last_seen = asyncio.get_running_loop().time()
