"""What a watch has told of one kind of object: small views, indexed by owner.

``Reflector`` writes here, and the operator what its own writes were answered. Objects are told
apart by UID, so a successor of the same name is another object, and an older resourceVersion never
replaces a newer one.
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
        self._deleted: set[str] = set()  # by us, until the watch tells
        self.version = 0  # how far the watch has come

    def of(self, owner: str) -> dict[str, Any]:
        """Views by UID."""
        return self._by_owner.get(owner, {})

    def owners(self) -> list[str]:
        return list(self._by_owner)

    def owner_of(self, uid: str) -> str:
        return self._known.get(uid, ("", 0))[0]

    def put(self, obj: Json) -> None:
        """Take an object from a watch."""
        uid, version, owner = uid_of(obj), _version(obj), self._owner(obj)
        if self._known.get(uid, ("", 0))[1] >= version or not owner:
            return
        if uid in self._deleted and "deletionTimestamp" not in obj["metadata"]:
            return  # late news of what is gone
        view, views = self._view(obj), self._by_owner.setdefault(owner, {})
        changed = views.get(uid) != view
        views[uid] = view
        self._known[uid] = (owner, version)
        if changed:
            self._on_change(owner, view, False)

    def put_own(self, obj: Json) -> None:
        """Take what the API server answered to our own write.

        Unless the watch is already further: then it has told, and perhaps also of the deletion.
        """
        if _version(obj) > self.version:
            self.put(obj)

    def remove_own(self, uid: str) -> None:
        """Forget what we have deleted; news on their way do not bring it back."""
        if uid in self._known:
            self._deleted.add(uid)
        self._forget(uid)

    def remove(self, uid: str) -> None:
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

    def keep_only(self, uids: set[str], version: int) -> None:
        """When all that is there at a version was told: forget the rest, unless it is newer."""
        gone = [uid for uid, (_, v) in self._known.items() if uid not in uids and v <= version]
        for uid in gone:
            self.remove(uid)
        self._deleted &= uids


def uid_of(obj: Json) -> str:
    return str(obj["metadata"]["uid"])


def _version(obj: Json) -> int:
    return int(obj["metadata"]["resourceVersion"])
