"""The seam to the API server: requests and answers as data, and the few verbs that we use.

``Transport`` is what tests replace by an in-memory API server; ``transport.HttpTransport`` is the
real one. ``Kube`` adds what every caller wants: the in-flight bound, and errors in the API's own
words. Nothing here retries: the controller's queue does, key by key.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One call: ``path`` begins with /api or /apis, ``query`` holds plain (unquoted) values."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json | None = None
    content_type: str = "application/json"


@dataclass(frozen=True)
class Response:
    """One answer: ``headers`` by lower-case keys, ``body`` {} when there was none."""

    status: int
    body: Json = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport(Protocol):
    """Carries requests to an API server; raises TimeoutError or OSError when it cannot."""

    async def send(self, request: Request) -> Response: ...

    def stream(self, request: Request) -> AsyncIterator[Json]:
        """Yield watch events ({"type", "object"}) until the server closes; ApiError if not 2xx."""
        ...


class ApiError(Exception):
    """An answer other than 2xx, with the API server's own sentence as its text."""

    def __init__(self, response: Response) -> None:
        status = response.body
        super().__init__(status.get("message") or f"the API server answered {response.status}")
        self.status = response.status
        self.reason: str = status.get("reason", "")
        causes = (status.get("details") or {}).get("causes") or []
        self.causes = {cause.get("reason") for cause in causes}
        self.retry_after_seconds = _seconds(response.headers.get("retry-after", ""))


def _seconds(text: str) -> float | None:
    return float(text) if text.isdigit() else None


@dataclass(frozen=True)
class Resource:
    """Where a kind is served: ``prefix`` is /api/v1 or /apis/<group>/<version>."""

    kind: str
    prefix: str
    plural: str

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        parts = [self.prefix, *(["namespaces", namespace] if namespace else []), self.plural]
        return "/".join([*parts, *(part for part in (name, subresource) if part)])


JOBS = Resource("Job", "/apis/batch/v1", "jobs")
PODS = Resource("Pod", "/api/v1", "pods")
SERVICES = Resource("Service", "/api/v1", "services")
CONFIG_MAPS = Resource("ConfigMap", "/api/v1", "configmaps")
DEPLOYMENTS = Resource("Deployment", "/apis/apps/v1", "deployments")
EVENTS = Resource("Event", "/api/v1", "events")
LEASES = Resource("Lease", "/apis/coordination.k8s.io/v1", "leases")

PAGE = 500  # objects in one answer to a list
MERGE_PATCH = "application/merge-patch+json"
MAX_IN_FLIGHT = 64  # creations and deletions; more gain nothing and hold memory (bench/README.md)


class Kube:
    """The verbs. Each raises ApiError, TimeoutError or OSError; none retries."""

    def __init__(self, transport: Transport, max_in_flight: int = MAX_IN_FLIGHT) -> None:
        self.transport = transport
        self._bound = asyncio.Semaphore(max_in_flight)

    async def send(self, request: Request) -> Json:
        response = await self.transport.send(request)
        if not 200 <= response.status < 300:
            raise ApiError(response)
        return response.body

    async def create(self, resource: Resource, body: Json) -> Json:
        """Create strictly: an unknown field is an error (400), not a warning.

        Only creations and deletions are bounded, so that no status write waits behind them.
        """
        path = resource.path(body["metadata"]["namespace"])
        async with self._bound:
            return await self.send(Request("POST", path, {"fieldValidation": "Strict"}, body))

    async def get(self, resource: Resource, namespace: str, name: str) -> Json:
        return await self.send(Request("GET", resource.path(namespace, name)))

    async def update(self, resource: Resource, body: Json, subresource: str = "") -> Json:
        """Replace the object that has this uid and resourceVersion; a 409 if it is another."""
        meta = body["metadata"]
        path = resource.path(meta["namespace"], meta["name"], subresource)
        return await self.send(Request("PUT", path, body=body))

    async def patch(self, resource: Resource, namespace: str, name: str, change: Json) -> Json:
        """Merge a change into an object; with a metadata.uid, an error unless it has that one."""
        path = resource.path(namespace, name)
        return await self.send(Request("PATCH", path, body=change, content_type=MERGE_PATCH))

    async def delete(
        self, resource: Resource, namespace: str, name: str, uid: str, *, foreground: bool = False
    ) -> Json:
        """Delete this very object (never its successor of the same name), then its children.

        ``foreground``: its children first; until they are gone it stays, with a deletionTimestamp.
        Returns what the API server answers: the object, if something still holds it.
        """
        policy = "Foreground" if foreground else "Background"
        body = {"preconditions": {"uid": uid}, "propagationPolicy": policy}
        async with self._bound:
            return await self.send(Request("DELETE", resource.path(namespace, name), body=body))

    async def list(
        self, resource: Resource, namespace: str, query: Mapping[str, str]
    ) -> tuple[list[Json], str]:
        """All objects of a kind, in pages, and the resourceVersion at which they are so."""
        items: list[Json] = []
        page: Mapping[str, str] = {**query, "limit": str(PAGE)}
        while True:
            answer = await self.send(Request("GET", resource.path(namespace), page))
            items += answer.get("items") or []
            meta = answer.get("metadata") or {}
            if not meta.get("continue"):
                return items, meta["resourceVersion"]
            page = {**page, "continue": meta["continue"]}

    def watch(
        self, resource: Resource, namespace: str, query: Mapping[str, str]
    ) -> AsyncIterator[Json]:
        query = {**query, "watch": "true", "allowWatchBookmarks": "true"}
        return self.transport.stream(Request("GET", resource.path(namespace), query))
