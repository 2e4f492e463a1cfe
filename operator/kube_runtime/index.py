"""A store of the objects of one kind, reduced to small views and indexed by owner.

A ``Reflector`` writes what the watch shows, and the operator the responses to its own writes.
The key is the UID, so an object that was created again under its name is another one. An older
resourceVersion never replaces a newer one.
"""

from collections.abc import Callable
from typing import Any

from .kube import Json
from .objects import changed_by_others, uid_of

OnChange = Callable[[str, Any, bool], None]


class Index:
    """Views by owner and UID. With ``notes_changes`` also what others have changed: ``altered``.

    ``on_change(owner, view, deleted)`` is called when a view is new, different or deleted.
    """

    def __init__(
        self,
        view: Callable[[Json], Any],
        owner: Callable[[Json], str],
        on_change: OnChange,
        *,
        notes_changes: bool = False,
    ) -> None:
        self._view, self._owner, self._on_change = view, owner, on_change
        self._notes_changes = notes_changes
        self._by_owner: dict[str, dict[str, Any]] = {}
        self._known: dict[str, tuple[str, int]] = {}  # UID → owner and resourceVersion
        self._altered: dict[str, str] = {}  # UID → which fields somebody else changed
        self._deleted: set[str] = set()  # deleted by us, but not yet by the watch
        self.version = 0  # the last resourceVersion of the watch

    def of(self, owner: str) -> dict[str, Any]:
        """The views of an owner's objects, by UID."""
        return self._by_owner.get(owner, {})

    def uids(self, owner: str) -> dict[str, str]:
        """The UIDs of an owner's objects by name, if each view is a pair: a name and a detail."""
        return {name: uid for uid, (name, _) in self.of(owner).items()}

    def details(self, owner: str) -> dict[str, Any]:
        """The details of such views, by name."""
        return dict(self.of(owner).values())

    def altered(self, owner: str) -> list[str]:
        """Of an owner's objects that somebody else changed: which, who and what."""
        views = self.of(owner) if self._altered else {}
        return [self._altered[uid] for uid in views if uid in self._altered]

    def owners(self) -> list[str]:
        return list(self._by_owner)

    def owner_of(self, uid: str) -> str:
        return self._known.get(uid, ("", 0))[0]

    def upsert(self, obj: Json) -> None:
        """Store an object from a watch."""
        uid, version, owner = uid_of(obj), _version(obj), self._owner(obj)
        known, known_version = self._known.get(uid, ("", 0))
        if known_version >= version:
            return
        if uid in self._deleted and "deletionTimestamp" not in obj["metadata"]:
            return  # an event from before our deletion
        if known and known != owner:
            self._forget(uid)  # its owner was changed or removed
        if owner:
            altered = changed_by_others(obj) if self._notes_changes else ""
            self._put(uid, owner, version, self._view(obj), altered)

    def _put(self, uid: str, owner: str, version: int, view: Any, altered: str) -> None:
        views = self._by_owner.setdefault(owner, {})
        changed = views.get(uid) != view or self._altered.get(uid, "") != altered
        views[uid] = view
        self._altered.pop(uid, None)
        if altered:
            self._altered[uid] = altered
        self._known[uid] = (owner, version)
        if changed:
            self._on_change(owner, view, False)

    def upsert_from_response(self, obj: Json) -> None:
        """Store the API server's response to our own write.

        A response older than the watch is dropped: the object may have been deleted since.
        """
        if _version(obj) > self.version:
            self.upsert(obj)

    def delete_local(self, uid: str) -> None:
        """Remove an object that we have deleted; late events do not bring it back."""
        if uid in self._known:
            self._deleted.add(uid)
        self._forget(uid)

    def delete(self, uid: str) -> None:
        """Remove an object that the watch shows as deleted."""
        self._deleted.discard(uid)
        self._forget(uid)

    def _forget(self, uid: str) -> None:
        owner, _ = self._known.pop(uid, ("", 0))
        self._altered.pop(uid, None)
        if owner:
            view = self._by_owner[owner].pop(uid)
            if not self._by_owner[owner]:
                del self._by_owner[owner]
            self._on_change(owner, view, True)

    def remove_missing(self, uids: set[str], version: int) -> None:
        """Remove the objects that a complete list of ``version`` lacks, unless they are newer."""
        gone = [uid for uid, (_, v) in self._known.items() if uid not in uids and v <= version]
        for uid in gone:
            self.delete(uid)
        self._deleted &= uids


def _version(obj: Json) -> int:
    return int(obj["metadata"]["resourceVersion"])
