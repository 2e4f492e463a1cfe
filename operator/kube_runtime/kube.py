"""The client of the API server: requests and responses as data, and the verbs that we use.

``transport.HttpTransport`` is the real ``Transport``; tests use an in-memory API server. ``Kube``
adds a limit of requests in flight, and errors in the API server's own words. Nothing here
retries: the controller's queue does.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Json = dict[str, Any]
Query = Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """One HTTP request. ``path`` begins with /api or /apis; ``query`` values are not escaped."""

    method: str
    path: str
    query: Query = field(default_factory=dict)
    body: Json | None = None
    content_type: str = "application/json"


@dataclass(frozen=True)
class Response:
    """One HTTP response. Keys of ``headers`` are in lower case; an empty ``body`` is {}."""

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
    """A response other than 2xx; its text is the API server's message."""

    def __init__(self, response: Response) -> None:
        body = response.body
        super().__init__(body.get("message") or f"the API server answered {response.status}")
        self.status = response.status
        self.reason: str = body.get("reason", "")
        details = body.get("details") or {}
        self.causes = {cause.get("reason") for cause in details.get("causes") or []}
        self.name: str = details.get("name", "")  # of the object that the error is about
        after = response.headers.get("retry-after", "")
        self.retry_after_seconds = float(after) if after.isdigit() else None


def in_words(error: Exception) -> str:
    """The error's text or, as a TimeoutError has none, its name."""
    return str(error) or type(error).__name__


@dataclass(frozen=True)
class Resource:
    """The API path of a kind: ``prefix`` is /api/v1 or /apis/<group>/<version>."""

    kind: str
    prefix: str
    plural: str

    @property
    def api_version(self) -> str:
        """What objects of this kind have as apiVersion: v1, or <group>/<version>."""
        return self.prefix.removeprefix("/apis/").removeprefix("/api/")

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

MANAGER = "tf-job-operator"  # our name in managedFields, which is the User-Agent
PAGE = 500  # objects in one response to a list
MERGE_PATCH = "application/merge-patch+json"
MAX_IN_FLIGHT = 64  # creations and deletions; more only cost memory (bench/README.md)


class Kube:
    """The verbs. Each raises ApiError, TimeoutError or OSError; none retries."""

    def __init__(self, transport: Transport, max_in_flight: int = MAX_IN_FLIGHT) -> None:
        self.transport = transport
        self._in_flight = asyncio.Semaphore(max_in_flight)

    async def send(self, request: Request) -> Json:
        response = await self.transport.send(request)
        if not 200 <= response.status < 300:
            raise ApiError(response)
        return response.body

    async def create(self, resource: Resource, body: Json) -> Json:
        """Create an object. An unknown field is an error (400), not a warning.

        Only creations and deletions are limited, so that no status write waits for them.
        """
        path = resource.path(body["metadata"]["namespace"])
        async with self._in_flight:
            return await self.send(Request("POST", path, {"fieldValidation": "Strict"}, body))

    async def get(self, resource: Resource, namespace: str, name: str) -> Json:
        return await self.send(Request("GET", resource.path(namespace, name)))

    async def update(self, resource: Resource, body: Json, subresource: str = "") -> Json:
        """Replace an object; 409 if its uid or resourceVersion is another one.

        Unknown fields are dropped: to look for them is a tenth of the API server's work.
        """
        meta = body["metadata"]
        path = resource.path(meta["namespace"], meta["name"], subresource)
        return await self.send(Request("PUT", path, {"fieldValidation": "Ignore"}, body))

    async def patch(self, resource: Resource, namespace: str, name: str, change: Json) -> Json:
        """Merge a change into an object; an error if the change names another metadata.uid."""
        path = resource.path(namespace, name)
        return await self.send(Request("PATCH", path, body=change, content_type=MERGE_PATCH))

    async def delete(
        self, resource: Resource, namespace: str, name: str, uid: str, *, foreground: bool = False
    ) -> Json:
        """Delete the object with this UID, then its children.

        ``foreground``: its children first; until then the object stays, with a deletionTimestamp.
        Returns the response: the object, if it still exists.
        """
        policy = "Foreground" if foreground else "Background"
        body = {"preconditions": {"uid": uid}, "propagationPolicy": policy}
        async with self._in_flight:
            return await self.send(Request("DELETE", resource.path(namespace, name), body=body))

    async def list(
        self, resource: Resource, namespace: str, query: Query
    ) -> tuple[list[Json], str]:
        """All objects of a kind, read in pages, and the resourceVersion of the list."""
        items: list[Json] = []
        page: Query = {**query, "limit": str(PAGE)}
        while True:
            response = await self.send(Request("GET", resource.path(namespace), page))
            items += response.get("items") or []
            meta = response.get("metadata") or {}
            if not meta.get("continue"):
                return items, meta["resourceVersion"]
            page = {**page, "continue": meta["continue"]}

    def watch(self, resource: Resource, namespace: str, query: Query) -> AsyncIterator[Json]:
        query = {**query, "watch": "true", "allowWatchBookmarks": "true"}
        return self.transport.stream(Request("GET", resource.path(namespace), query))


async def unless_gone(call: Awaitable[Json]) -> Json | None:
    """The response; None if the object is gone. Other errors, such as another UID, are raised."""
    try:
        return await call
    except ApiError as error:
        if error.status != 404:
            raise
        return None
