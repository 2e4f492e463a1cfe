"""What the watches have told: all TfJobs and their children, indexed by owner.

``reflector`` and the controller (with what it has just made) write here; ``children`` is what a
pass over one job reads. No pass lists anything. Objects are told apart by UID, so a successor of
the same name is another object, and an older resourceVersion never replaces a newer one.
"""

from collections.abc import Callable
from typing import Any

from msgspec import json

from . import observed
from .observed import Children
from .spec import Json

OnChange = Callable[[str, Any, bool], None]
BEHIND = 5  # Jobs without a Pod: half a second's work of a Job controller with default limits
WANTED = {  # of a TfJob's metadata
    *("namespace", "name", "uid", "generation", "resourceVersion"),
    *("creationTimestamp", "deletionTimestamp"),
}


class Index:
    """One kind of object: small views by owner and UID.

    ``on_change(owner, view, deleted)`` is called for a difference that a pass could notice.
    """

    def __init__(
        self, view: Callable[[Json], Any], owner: Callable[[Json], str], on_change: OnChange
    ) -> None:
        self._view, self._owner, self._on_change = view, owner, on_change
        self._by_owner: dict[str, dict[str, Any]] = {}
        self._known: dict[str, tuple[str, int]] = {}  # UID → owner and resourceVersion
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
        uid, version, owner = _uid(obj), _version(obj), self._owner(obj)
        if self._known.get(uid, ("", 0))[1] >= version or not owner:
            return
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

    def remove(self, uid: str) -> None:
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


def _version(obj: Json) -> int:
    return int(obj["metadata"]["resourceVersion"])


class Cache:
    """All indexes. Each callback gets the UID of the TfJob that a change concerns."""

    def __init__(self, on_tfjob: OnChange, on_job: OnChange, on_pod: OnChange) -> None:
        self._tell_job, self._tell_pod = on_job, on_pod
        self._podless: set[str] = set()  # Jobs of which neither a Pod nor a warning was seen
        self.tfjobs = Index(pack, _uid, on_tfjob)
        self.jobs = Index(observed.job, observed.owner, self._on_job)
        self.services = Index(lambda obj: obj["metadata"]["name"], observed.owner, self._on_service)
        self.pods = Index(observed.pod, observed.owner, self._on_pod)
        self.warnings = Index(lambda event: event.get("message", ""), _involved, self._on_pod)

    def _on_job(self, tfjob: str, job: observed.Job, deleted: bool) -> None:
        is_served = self.pods.of(job.uid) or self.warnings.of(job.uid)
        if deleted or job.is_finished or is_served:
            self._podless.discard(job.uid)
        else:
            self._podless.add(job.uid)
        self._tell_job(tfjob, job, deleted)

    def _on_service(self, tfjob: str, name: str, deleted: bool) -> None:
        if deleted:
            self._tell_job(tfjob, None, True)

    def _on_pod(self, job: str, view: Any, deleted: bool) -> None:
        self._podless.discard(job)
        tfjob = self.jobs.owner_of(job)
        if tfjob:
            self._tell_pod(tfjob, view, deleted)

    def tfjob(self, uid: str) -> Json | None:
        packed = self.tfjobs.of(uid).get(uid)
        return json.decode(packed) if packed else None

    def children(self, uid: str) -> Children:
        jobs = self.jobs.of(uid).values()
        told = {job.uid: [*self.warnings.of(job.uid).values()] for job in jobs}
        return Children(
            jobs={job.name: job for job in jobs},
            services={name: service for service, name in self.services.of(uid).items()},
            pods={job.uid: (*self.pods.of(job.uid).values(),) for job in jobs},
            warnings={job: messages[-1] for job, messages in told.items() if messages},
            job_controller_is_behind=len(self._podless) > BEHIND,
        )


def pack(obj: Json) -> bytes:
    """A TfJob as bytes, without what no pass reads: thousands of dicts would cost ten times it."""
    meta = {key: value for key, value in obj["metadata"].items() if key in WANTED}
    return json.encode({"metadata": meta, "spec": obj.get("spec"), "status": obj.get("status")})


def _uid(obj: Json) -> str:
    return str(obj["metadata"]["uid"])


def _involved(event: Json) -> str:
    return str((event.get("involvedObject") or {}).get("uid", ""))
