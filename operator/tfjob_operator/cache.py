"""What the watches have told: all TfJobs and their children, indexed by owner.

The controller's reflectors and ``carry_out`` (with what it has just made) write here; ``children``
is what a pass over one job reads. No pass lists anything.
"""

from typing import Any

from msgspec import json

from kube_runtime.index import Index, OnChange, uid_of

from . import observed
from .observed import Children
from .spec import Json

BEHIND = 5  # Jobs without a Pod: half a second's work of a Job controller with default limits
WANTED = {  # of a TfJob's metadata
    *("namespace", "name", "uid", "generation", "resourceVersion"),
    *("creationTimestamp", "deletionTimestamp"),
}


class Cache:
    """All indexes. Each callback gets the UID of the TfJob that a change concerns."""

    def __init__(self, on_tfjob: OnChange, on_job: OnChange, on_pod: OnChange) -> None:
        self._tell_job, self._tell_pod = on_job, on_pod
        self._podless: set[str] = set()  # Jobs of which neither a Pod nor a warning was seen
        self.tfjobs = Index(pack, uid_of, on_tfjob)
        self.jobs = Index(observed.job, observed.owner, self._on_job)
        self.services = Index(_name, observed.owner, self._on_named)
        self.deployments = Index(_name, observed.owner, self._on_named)
        self.pods = Index(observed.pod, observed.owner, self._on_pod)
        self.warnings = Index(lambda event: event.get("message", ""), _involved, self._on_pod)

    def _on_job(self, tfjob: str, job: observed.Job, deleted: bool) -> None:
        is_served = self.pods.of(job.uid) or self.warnings.of(job.uid)
        if deleted or is_served or not job.starts_pods:
            self._podless.discard(job.uid)
        else:
            self._podless.add(job.uid)
        self._tell_job(tfjob, job, deleted)

    def _on_named(self, tfjob: str, name: str, deleted: bool) -> None:
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
            deployments={name: board for board, name in self.deployments.of(uid).items()},
            pods={job.uid: (*self.pods.of(job.uid).values(),) for job in jobs},
            warnings={job: messages[-1] for job, messages in told.items() if messages},
            job_controller_is_behind=len(self._podless) > BEHIND,
        )


def pack(obj: Json) -> bytes:
    """A TfJob as bytes, without what no pass reads: thousands of dicts would cost ten times it."""
    meta = {key: value for key, value in obj["metadata"].items() if key in WANTED}
    return json.encode({"metadata": meta, "spec": obj.get("spec"), "status": obj.get("status")})


def _name(obj: Json) -> str:
    return str(obj["metadata"]["name"])


def _involved(event: Json) -> str:
    return str((event.get("involvedObject") or {}).get("uid", ""))
