"""A store of one kind of object: small views of them, indexed by owner.

``Reflector`` writes what the watch shows, and the operator the answers to its own writes. Objects
are told apart by UID, so a successor of the same name is another object, and an older
resourceVersion never replaces a newer one.
"""

from collections.abc import Callable
from typing import Any

from .kube import Json

OnChange = Callable[[str, Any, bool], None]


class Index:
    """Views by owner and UID.

    ``on_change(owner, view, deleted)`` is called for a difference that a pass could notice.
    """

    def __init__(
        self, view: Callable[[Json], Any], owner: Callable[[Json], str], on_change: OnChange
    ) -> None:
        self._view, self._owner, self._on_change = view, owner, on_change
        self._by_owner: dict[str, dict[str, Any]] = {}
        self._known: dict[str, tuple[str, int]] = {}  # UID → owner and resourceVersion
        self._deleted: set[str] = set()  # by us; the watch has not shown it yet
        self.version = 0  # how far the watch has come

    def of(self, owner: str) -> dict[str, Any]:
        """Views by UID."""
        return self._by_owner.get(owner, {})

    def owners(self) -> list[str]:
        return list(self._by_owner)

    def owner_of(self, uid: str) -> str:
        return self._known.get(uid, ("", 0))[0]

    def upsert(self, obj: Json) -> None:
        """Take an object from a watch."""
        uid, version, owner = uid_of(obj), _version(obj), self._owner(obj)
        known, known_version = self._known.get(uid, ("", 0))
        if known_version >= version:
            return
        if uid in self._deleted and "deletionTimestamp" not in obj["metadata"]:
            return  # an older event of an object that we have deleted
        if known and known != owner:
            self._forget(uid)  # somebody changed or removed its owner
        if owner:
            self._put(uid, owner, version, self._view(obj))

    def _put(self, uid: str, owner: str, version: int, view: Any) -> None:
        views = self._by_owner.setdefault(owner, {})
        changed = views.get(uid) != view
        views[uid] = view
        self._known[uid] = (owner, version)
        if changed:
            self._on_change(owner, view, False)

    def upsert_from_response(self, obj: Json) -> None:
        """Take the API server's answer to our own write.

        An answer that is older than the watch is dropped, since the object may be deleted already.
        """
        if _version(obj) > self.version:
            self.upsert(obj)

    def delete_local(self, uid: str) -> None:
        """Forget what we have deleted; a later event of it does not bring it back."""
        if uid in self._known:
            self._deleted.add(uid)
        self._forget(uid)

    def delete(self, uid: str) -> None:
        """Take a deletion from a watch."""
        self._deleted.discard(uid)
        self._forget(uid)

    def _forget(self, uid: str) -> None:
        owner, _ = self._known.pop(uid, ("", 0))
        if owner:
            view = self._by_owner[owner].pop(uid)
            if not self._by_owner[owner]:
                del self._by_owner[owner]
            self._on_change(owner, view, True)

    def replace(self, uids: set[str], version: int) -> None:
        """Forget what a complete list of ``version`` did not show, unless it is newer than that."""
        gone = [uid for uid, (_, v) in self._known.items() if uid not in uids and v <= version]
        for uid in gone:
            self.delete(uid)
        self._deleted &= uids


def uid_of(obj: Json) -> str:
    return str(obj["metadata"]["uid"])


def _version(obj: Json) -> int:
    return int(obj["metadata"]["resourceVersion"])
