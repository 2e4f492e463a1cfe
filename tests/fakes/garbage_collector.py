"""Garbage collection of the fake cluster: owners, propagation, namespaces.

An object whose owners are all gone goes; an owner is the object of that UID in the same namespace,
so a reference to an earlier object of the same name keeps nothing alive.
"""

import asyncio
import contextlib

from tests.fakes import refusals
from tests.fakes.objects import NAMESPACES, Object, Resource, copy, key
from tests.fakes.store import FOREGROUND, ORPHAN, Change, Store

DELAY_SECONDS = 0.01


class GarbageCollector:
    """Looks at the whole store a moment after anything was deleted or changed its owners."""

    def __init__(self, store: Store):
        self.store, self._planned = store, False
        store.listeners.append(self._notice)

    def _notice(self, change: Change) -> None:
        meta = change.obj["metadata"]
        matters = change.kind == "DELETED" or "deletionTimestamp" in meta
        if (matters or meta.get("ownerReferences")) and not self._planned:
            self._planned = True
            asyncio.get_running_loop().call_later(DELAY_SECONDS, self._collect)

    def _collect(self) -> None:
        self._planned = False
        objects = self.store.everything()
        alive = {(obj["metadata"]["uid"], key(obj)[0]) for _, obj in objects}
        for resource, obj in objects:
            if resource is NAMESPACES:
                self._empty_namespace(obj)
            elif "deletionTimestamp" in obj["metadata"]:
                self._release(resource, obj)
            elif self._is_orphan(obj, alive):
                self._delete(resource, obj)

    def _is_orphan(self, obj: Object, alive: set[tuple[str, str]]) -> bool:
        owners = obj["metadata"].get("ownerReferences") or []
        space = key(obj)[0]
        return bool(owners) and all((owner["uid"], space) not in alive for owner in owners)

    def _release(self, resource: Resource, owner: Object) -> None:
        """Do what the owner's finalizers wait for, then take them away."""
        finalizers = owner["metadata"].get("finalizers", [])
        dependents = [(r, obj) for r, obj in self.store.everything()
                      if any(o["uid"] == owner["metadata"]["uid"]
                             for o in obj["metadata"].get("ownerReferences") or [])]  # fmt: skip
        if ORPHAN in finalizers:
            for r, obj in dependents:
                self._disown(r, obj, owner)
            self._unfinalize(resource, owner, ORPHAN)
        elif FOREGROUND in finalizers:
            for r, obj in dependents:
                self._delete(r, obj)
            if not dependents:
                self._unfinalize(resource, owner, FOREGROUND)

    def _disown(self, resource: Resource, obj: Object, owner: Object) -> None:
        obj = copy(obj)
        owners = obj["metadata"]["ownerReferences"]
        kept = [o for o in owners if o["uid"] != owner["metadata"]["uid"]]
        obj["metadata"]["ownerReferences"] = kept
        self.store.update(resource, obj)

    def _unfinalize(self, resource: Resource, owner: Object, finalizer: str) -> None:
        owner = copy(owner)
        owner["metadata"]["finalizers"].remove(finalizer)
        self.store.update(resource, owner)

    def _delete(self, resource: Resource, obj: Object) -> None:
        if "deletionTimestamp" in obj["metadata"]:
            return
        with contextlib.suppress(refusals.Refused):
            self.store.delete(resource, *key(obj), preconditions={"uid": obj["metadata"]["uid"]})

    def _empty_namespace(self, space: Object) -> None:
        if "deletionTimestamp" not in space["metadata"]:
            return
        name = space["metadata"]["name"]
        inside = [(r, o) for r, o in self.store.everything() if key(o)[0] == name]
        for resource, obj in inside:
            self._delete(resource, obj)
        if not inside:
            self.store.remove(NAMESPACES, "", name)
