"""Storage of the fake API server: objects, resource versions and the log that watches read.

The API (api_server.py) adds HTTP, admission and authorisation on top; the fake controllers read
and write here directly, as components with all rights.
"""

import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tests.fakes import refusals
from tests.fakes.objects import NAMESPACES, PODS, SERVICES, Object, Resource, copy, key

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
_SERVER_OWNED = ("uid", "creationTimestamp", "deletionTimestamp", "generation", "resourceVersion")


@dataclass(frozen=True)
class Change:
    """One entry of the log: what a watch event is made of."""

    version: int
    kind: str
    resource: Resource
    obj: Object
    before: Object | None
    at: float


class Store:
    """All objects. Whatever goes in or out is a copy, so nobody edits another's object."""

    def __init__(self, now: Callable[[], datetime], elapsed: Callable[[], float]):
        self._now, self._elapsed = now, elapsed
        self._objects: dict[Resource, dict[tuple[str, str], Object]] = {}
        self._uids = (str(uuid.UUID(int=i, version=4)) for i in itertools.count(1))
        self.version = 1
        self.log: list[Change] = []
        self.compacted = 0
        self.listeners: list[Callable[[Change], None]] = []

    def timestamp(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")

    # ------------------------------------------------------------------ reading

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """Raises: Refused 404."""
        return copy(self._stored(resource, namespace, name))

    def find(self, resource: Resource, namespace: str, name: str) -> Object | None:
        found = self._table(resource).get((namespace, name))
        return copy(found) if found else None

    def all(self, resource: Resource, namespace: str | None = None) -> list[Object]:
        """Objects in the order of their keys; all namespaces when none is given."""
        return [copy(obj) for obj in self.peek(resource, namespace)]

    def peek(self, resource: Resource, namespace: str | None = None) -> Iterator[Object]:
        """As all, without the copies: for reading only."""
        table = self._table(resource)
        return (table[k] for k in sorted(table) if namespace is None or k[0] == namespace)

    def everything(self) -> list[tuple[Resource, Object]]:
        """All objects, for reading only."""
        return [(r, obj) for r, table in self._objects.items() for obj in list(table.values())]

    # ------------------------------------------------------------------ writing

    def create(self, resource: Resource, obj: Object) -> Object:
        """Raises: Refused 409 AlreadyExists."""
        obj = copy(obj)
        meta = obj["metadata"]
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"] + f"{self.version:05x}"[-5:]
        if key(obj) in self._table(resource):
            raise refusals.already_exists(resource, meta["name"])
        meta.update(uid=next(self._uids), creationTimestamp=self.timestamp())
        meta.pop("deletionTimestamp", None)
        if resource.has_status and resource is not SERVICES:
            meta["generation"] = 1
        return self._put("ADDED", resource, obj, None)

    def update(self, resource: Resource, obj: Object, *, subresource: str = "") -> Object:
        """Replace; a resourceVersion or uid that is given must be the stored one.

        ``subresource`` "status" writes only the status, "" everything but the status.
        Raises: Refused 404 or 409.
        """
        old = self._stored(resource, *key(obj))
        self._check_preconditions(resource, old, obj["metadata"])
        new = self._merged(resource, old, copy(obj), subresource)
        if new == old:
            return copy(old)
        if self._is_released(old, new):
            return self._remove(resource, old)
        return self._put("MODIFIED", resource, new, old)

    def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        propagation: str = "Background",
        preconditions: Object | None = None,
        now: bool = False,
    ) -> Object:
        """Delete, or mark as terminating what has finalizers or runs on a node.

        Raises: Refused 404, or 409 when the preconditions (uid, resourceVersion) do not hold.
        """
        old = self._stored(resource, namespace, name)
        self._check_preconditions(resource, old, preconditions or {})
        new = copy(old)
        finalizer = {"Foreground": FOREGROUND, "Orphan": ORPHAN}.get(propagation)
        finalizers = new["metadata"].setdefault("finalizers", [])
        if finalizer and finalizer not in finalizers:
            finalizers.append(finalizer)
        if not finalizers:
            del new["metadata"]["finalizers"]
            if now or not self._ends_gracefully(resource, new):
                return self._remove(resource, old)
        new["metadata"].setdefault("deletionTimestamp", self.timestamp())
        if resource is NAMESPACES:
            new.setdefault("status", {})["phase"] = "Terminating"
        return copy(old) if new == old else self._put("MODIFIED", resource, new, old)

    def remove(self, resource: Resource, namespace: str, name: str) -> None:
        """Remove at once what is terminating: the kubelet's and the controllers' last word."""
        old = self._table(resource).get((namespace, name))
        if old:
            self._remove(resource, old)

    def compact(self) -> None:
        """Forget the log: a watch from an earlier version is answered by 410 Expired."""
        self.compacted = self.version

    # ------------------------------------------------------------------ inside

    def _table(self, resource: Resource) -> dict[tuple[str, str], Object]:
        return self._objects.setdefault(resource, {})

    def _stored(self, resource: Resource, namespace: str, name: str) -> Object:
        found = self._table(resource).get((namespace, name))
        if found is None:
            raise refusals.not_found(resource, name)
        return found

    def _check_preconditions(self, resource: Resource, old: Object, wanted: Object) -> None:
        name, meta = old["metadata"]["name"], old["metadata"]
        if wanted.get("uid") and wanted["uid"] != meta["uid"]:
            why = (
                f"Precondition failed: UID in precondition: {wanted['uid']}, "
                f"UID in object meta: {meta['uid']}"
            )
            raise refusals.conflict(resource, name, why)
        version = wanted.get("resourceVersion")
        if version and version != meta["resourceVersion"]:
            raise refusals.conflict(resource, name)

    def _merged(self, resource: Resource, old: Object, new: Object, subresource: str) -> Object:
        if subresource == "status":
            return {**copy(old), "status": new.get("status", {})}
        for field in _SERVER_OWNED:
            new["metadata"].pop(field, None)
            if field in old["metadata"]:
                new["metadata"][field] = old["metadata"][field]
        if resource.has_status:
            new.pop("status", None)
            new |= {"status": copy(old["status"])} if "status" in old else {}
        if "generation" in old["metadata"] and new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] += 1
        return new

    def _is_released(self, old: Object, new: Object) -> bool:
        held = bool(old["metadata"].get("finalizers"))
        going = "deletionTimestamp" in new["metadata"]
        return held and going and not new["metadata"].get("finalizers")

    def _ends_gracefully(self, resource: Resource, obj: Object) -> bool:
        if resource is NAMESPACES:
            return True
        finished = obj.get("status", {}).get("phase") in ("Succeeded", "Failed")
        return resource is PODS and bool(obj["spec"].get("nodeName")) and not finished

    def _remove(self, resource: Resource, old: Object) -> Object:
        del self._table(resource)[key(old)]
        return self._record("DELETED", resource, copy(old), old)

    def _put(self, kind: str, resource: Resource, obj: Object, before: Object | None) -> Object:
        self._table(resource)[key(obj)] = obj
        return self._record(kind, resource, obj, before)

    def _record(self, kind: str, resource: Resource, obj: Object, before: Object | None) -> Object:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        obj |= {"apiVersion": resource.api_version, "kind": resource.kind}
        change = Change(self.version, kind, resource, obj, before, self._elapsed())
        self.log.append(change)
        for listener in self.listeners:
            listener(change)
        return copy(obj)
