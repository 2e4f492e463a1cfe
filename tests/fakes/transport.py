"""The fake API server as the operator's Transport: time passes, watches run, faults strike.

One FakeTransport is one client: a replica of the operator before it is killed, or a test. All of
them share one ApiServer.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kube_runtime.kube import ApiError, Request, Response
from tests.fakes import rbac, refusals
from tests.fakes.api_server import ApiServer, Target, selected, verb
from tests.fakes.objects import Object, Resource, controller
from tests.fakes.store import Change

BOOKMARK_SECONDS = 60
Handler = Callable[[Request], Awaitable[Response]]
Fault = Callable[[int, Request, Handler], Awaitable[Response]]


@dataclass
class Call:
    """One request that a client made; ``status`` is 0 while there is no answer."""

    number: int
    verb: str
    request: Request
    status: int = 0

    def __str__(self) -> str:
        return f"{self.number} {self.verb} {self.request.path}"


@dataclass
class FakeTransport:
    """A client's connection.

    ``rules`` are what it may do (None: everything). ``fault`` sees each call by its number, and
    may answer in the server's place. ``watch_delay`` gives the seconds by which an event is late;
    the order of events within one watch is kept, as HTTP keeps it.
    """

    server: ApiServer
    rules: Sequence[rbac.Rule] | None = None
    fault: Fault | None = None
    watch_delay: Callable[[Change], float] = lambda change: 0.0
    latency_seconds: float = 0.002
    calls: list[Call] = field(default_factory=list)
    dropped: asyncio.Event = field(default_factory=asyncio.Event)
    dead: bool = False

    async def send(self, request: Request) -> Response:
        """Answer after the latency; a dead client's call never returns and does nothing."""
        call = self._record(request)
        response = await (
            self.fault(call.number, request, self._answer) if self.fault else self._answer(request)
        )
        call.status = response.status
        return response

    async def stream(self, request: Request) -> AsyncIterator[dict[str, Any]]:
        """Yield watch events until the server's time is over or somebody drops the watch."""
        call = self._record(request)
        answer = await (
            self.fault(call.number, request, self._opened) if self.fault else self._opened(request)
        )
        call.status = answer.status
        if answer.status != 200:
            raise ApiError(answer)
        async for event in self._events(request):
            yield event

    def drop_watches(self) -> None:
        """Break every open watch, as a restarted load balancer would."""
        self.dropped.set()
        self.dropped = asyncio.Event()

    # ------------------------------------------------------------------ inside

    def _record(self, request: Request) -> Call:
        call = Call(len(self.calls), verb(request), request)
        self.calls.append(call)
        return call

    async def _answer(self, request: Request) -> Response:
        await self._travel()
        response = self._denied(request) or self.server.handle(request)
        await self._travel()
        return response

    async def _opened(self, request: Request) -> Response:
        await self._travel()
        return self._denied(request) or Response(200)

    async def _travel(self) -> None:
        await asyncio.sleep(self.latency_seconds / 2)
        if self.dead:
            await asyncio.Event().wait()

    def _denied(self, request: Request) -> Response | None:
        if self.rules is None:
            return None
        target, action = Target(request.path), verb(request)
        resource = target.resource
        plural = "/".join(part for part in (resource.plural, target.subresource) if part)
        refused = None
        if not rbac.allows(self.rules, action, resource.group, plural, target.name):
            why = f'User "operator" cannot {action} resource "{plural}" in API group '
            why += f'"{resource.group}" in the namespace "{target.namespace}"'
            refused = refusals.forbidden(resource, target.name, why)
        elif action == "create" and self._blocks_without_right(request.body or {}):
            why = "cannot set blockOwnerDeletion if an ownerReference refers to a resource you "
            refused = refusals.forbidden(resource, "", why + "can't set finalizers on: ")
        return Response(refused.code, refused.status) if refused else None

    def _blocks_without_right(self, obj: Object) -> bool:
        """The admission plugin OwnerReferencesPermissionEnforcement, for owners that are TfJobs."""
        owner = controller(obj) or {}
        blocks = owner.get("blockOwnerDeletion") and owner.get("kind") == "TfJob"
        allowed = rbac.allows(self.rules or [], "update", "tensorflow.org", "tfjobs/finalizers")
        return bool(blocks) and not allowed

    async def _events(self, request: Request) -> AsyncIterator[dict[str, Any]]:
        """The log from the resourceVersion on, or first all that is there if that is asked for;
        410 as an ERROR event when the log is compacted."""
        store, dropped, target = self.server.store, self.dropped, Target(request.path)
        version = int(request.query.get("resourceVersion") or store.version)
        if request.query.get("sendInitialEvents") == "true":
            present, version = self.server.selection(target, request.query)
            for obj in present:
                yield {"type": "ADDED", "object": obj}
            yield bookmark(version, {"k8s.io/initial-events-end": "true"})
        loop = asyncio.get_running_loop()
        end = loop.time() + float(request.query.get("timeoutSeconds") or 3000)
        if version < store.compacted:
            message = f"too old resource version: {version} ({store.compacted})"
            yield {"type": "ERROR", "object": refusals.expired(message).status}
            return
        position = next((i for i, c in enumerate(store.log) if c.version > version),
                        len(store.log))  # fmt: skip
        while loop.time() < end - 1e-6:  # less cannot be slept
            position = next_change(store.log, position, target.resource)
            if position == len(store.log):
                bookmark_due = min(end, loop.time() + BOOKMARK_SECONDS)
                await self._wait_for_change(target.resource, dropped, bookmark_due)
                position = next_change(store.log, position, target.resource)
                if position == len(store.log) and "allowWatchBookmarks" in request.query:
                    yield bookmark(store.version)
            if dropped.is_set() or self.dead:
                raise OSError("the watch was dropped")
            if position < len(store.log):
                change = store.log[position]
                position += 1
                async for event in self._deliver(change, target, request):
                    yield event

    async def _deliver(
        self, change: Change, target: Target, request: Request
    ) -> AsyncIterator[dict[str, Any]]:
        event = event_of(change, target, request)
        if event is None:
            return
        loop = asyncio.get_running_loop()
        due = change.at + self.latency_seconds / 2 + self.watch_delay(change)
        if due > loop.time():
            await asyncio.sleep(due - loop.time())
        if not self.dead:
            yield event

    async def _wait_for_change(
        self, resource: Resource, dropped: asyncio.Event, end: float
    ) -> None:
        """Until an object of this kind changes, the watch is dropped or its time is over."""
        loop = asyncio.get_running_loop()
        grown: asyncio.Future[None] = loop.create_future()

        def wake(change: Change) -> None:
            if change.resource is resource and not grown.done():
                grown.set_result(None)

        listeners = self.server.store.listeners
        listeners.append(wake)
        drop = asyncio.ensure_future(dropped.wait())
        try:
            await asyncio.wait({grown, drop}, timeout=end - loop.time(),
                               return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
        finally:
            listeners.remove(wake)
            drop.cancel()


def next_change(log: Sequence[Change], position: int, resource: Resource) -> int:
    """The position of the first change of this kind from ``position`` on, or the log's length."""
    while position < len(log) and log[position].resource is not resource:
        position += 1
    return position


def event_of(change: Change, target: Target, request: Request) -> dict[str, Any] | None:
    """The watch event that a change of the watched kind is for this watcher: an object that no
    longer matches its selector is DELETED, one that begins to is ADDED."""
    if target.namespace not in (None, change.obj["metadata"].get("namespace", "")):
        return None
    is_in = selected(change.obj, request.query)
    was_in = change.before is not None and selected(change.before, request.query)
    if change.kind == "DELETED" or not is_in:
        return {"type": "DELETED", "object": change.obj} if was_in else None
    return {"type": "MODIFIED" if was_in else "ADDED", "object": change.obj}


def bookmark(version: int, annotations: dict[str, str] | None = None) -> dict[str, Any]:
    """The event that only says how far a quiet watch has come, or that all there is was told."""
    meta: dict[str, Any] = {"resourceVersion": str(version)}
    if annotations:
        meta["annotations"] = annotations
    return {"type": "BOOKMARK", "object": {"metadata": meta}}
