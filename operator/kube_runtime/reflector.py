"""Keeps one index in step with the API server, by list and watch.

The controller runs one per kind. The first watch is a streaming list: it begins with all existing
objects, so no whole list is in memory. After a lost connection the watch resumes at its last
resourceVersion. On 410 (version too old) the streaming list starts again. Where the API server
has no streaming lists, the objects are listed in pages, then watched.
"""

import asyncio
import logging
import math

from .index import Index
from .kube import ApiError, Json, Kube, Query, Resource, in_words

log = logging.getLogger(__name__)

WATCH_SECONDS = 100  # a watch of Events is silent without events, so it ends before sock_read
SHORT_WATCH_SECONDS = 1.0  # a watch that ends sooner, without an event, is a failure
MAX_PAUSE_SECONDS = 10.0
STREAMING_LIST = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
END_OF_LIST = "k8s.io/initial-events-end"


class Reflector:
    """``synced`` is set when the index is complete. ``settled`` is also set when the API server
    forbids the watch or does not serve its kind; then ``refusal`` is the message. ``last_seen`` is
    the loop's time of the last event.

    Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists
    """

    def __init__(
        self, kube: Kube, namespace: str, resource: Resource, query: Query, index: Index
    ) -> None:
        self._kube, self._resource, self._namespace = kube, resource, namespace
        self._query, self._index = query, index
        self._version = ""  # resourceVersion to resume at; "" until the index is complete
        self._pause = 0.0
        self._streams = True  # False once a streaming list did not work
        self.name, self.refusal = resource.plural, ""
        self.synced, self.settled = asyncio.Event(), asyncio.Event()
        self.last_seen = math.inf  # before it runs

    async def run(self) -> None:
        self._mark_alive()
        while True:
            try:
                await self._list_and_watch()
            except ApiError as error:
                self._handle_error(error)
                await self._back_off(error, error.retry_after_seconds or 0.0)
            except OSError as error:  # TimeoutError and ConnectionError are OSErrors
                await self._back_off(error)

    def _handle_error(self, error: ApiError) -> None:
        """Decide how the next attempt differs, after a response other than 200."""
        if error.status == 410:
            self._version = ""
        if error.status in (400, 422) and not self._version:
            self._streams = False  # the API server has no streaming lists
        if error.status in (401, 403, 404):  # 404: the cluster has no such API
            if not self.refusal:
                log.warning("watch of %s is refused: %s", self.name, error)
            self.refusal = str(error)
            self.settled.set()

    async def _back_off(self, error: Exception, at_least_seconds: float = 0.0) -> None:
        """Pause longer after each failure in a row; the first pause is zero."""
        log.info("watch of %s: %s", self.name, in_words(error))
        await asyncio.sleep(max(self._pause, at_least_seconds))
        self._pause = min(2 * self._pause or 0.2, MAX_PAUSE_SECONDS)

    async def _list_and_watch(self) -> None:
        if not self._version and not self._streams:
            await self._list()
        start = {"resourceVersion": self._version} if self._version else STREAMING_LIST
        query = {**self._query, **start, "timeoutSeconds": str(WATCH_SECONDS)}
        listed: set[str] = set()
        began, events = asyncio.get_running_loop().time(), 0
        async for event in self._kube.watch(self._resource, self._namespace, query):
            if event["type"] == "ERROR":
                self._version = ""  # a new list is right after any error
                raise OSError(event["object"].get("message", "the watch failed"))
            self._handle_event(event["type"], event["object"], listed)
            events += 1
        if not self._version:
            self._streams = False
            raise OSError("the streaming list had no end bookmark; falling back to list and watch")
        if not events and asyncio.get_running_loop().time() - began < SHORT_WATCH_SECONDS:
            raise OSError("the watch ended at once")
        self._mark_alive()  # a normal end

    async def _list(self) -> None:
        """List all objects in pages, for API servers without streaming lists."""
        items, version = await self._kube.list(self._resource, self._namespace, self._query)
        for obj in items:
            self._index.upsert(obj)
        self._complete({obj["metadata"]["uid"] for obj in items}, version)

    def _handle_event(self, kind: str, obj: Json, listed: set[str]) -> None:
        """Handle one event. ``listed`` collects the UIDs of a streaming list."""
        meta = obj["metadata"]
        version, is_complete = meta["resourceVersion"], bool(self._version)
        if kind == "DELETED":
            self._index.delete(meta["uid"])
        elif kind != "BOOKMARK":
            self._index.upsert(obj)
            if not is_complete:
                listed.add(meta["uid"])
        elif END_OF_LIST in (meta.get("annotations") or {}):
            self._complete(listed, version)
        if is_complete:
            self._version, self._index.version = version, int(version)
        self._mark_alive()

    def _complete(self, listed: set[str], version: str) -> None:
        self._index.remove_missing(listed, int(version))
        self._version, self._index.version = version, int(version)
        self.synced.set()
        self.settled.set()

    def _mark_alive(self) -> None:
        self._pause, self.refusal = 0.0, ""
        self.last_seen = asyncio.get_running_loop().time()
