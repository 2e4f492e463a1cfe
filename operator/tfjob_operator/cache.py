"""The cache of all TfJobs and their children, indexed by owner.

The controller's reflectors write what they watch, and ``apply`` the responses to its writes. A
pass reads ``tfjob`` and ``children``, and sends no GET or LIST.
"""

from functools import partial
from typing import NamedTuple

from msgspec import json

from kube_runtime import deployments, objects
from kube_runtime.index import Index, OnChange
from kube_runtime.kube import Json

from . import gang, observed
from .observed import Children

KEPT_METADATA = {
    *("namespace", "name", "uid", "generation", "resourceVersion"),
    *("creationTimestamp", "deletionTimestamp"),
}


class Stored(NamedTuple):
    """A TfJob as JSON text, without unused metadata. As a dict it takes ten times the memory."""

    namespace: str
    encoded: bytes


class Cache:
    """All indexes. Each callback gets the UID of the TfJob to reconcile."""

    def __init__(self, on_tfjob: OnChange, on_child: OnChange, on_pod: OnChange) -> None:
        self._notify_child, self._notify_pod = on_child, on_pod
        self._job_uids: dict[str, set[str]] = {}  # Jobs that have Pods, by TfJob; also deleted Jobs
        self.tfjobs = Index(stored_view, objects.uid_of, on_tfjob)
        child = partial(Index, owner=objects.owner_uid, notes_changes=True)
        self.jobs, other = child(observed.job, on_change=on_child), self._on_other_child
        self.services = child(objects.only_name, on_change=other)
        self.config_maps = child(objects.only_name, on_change=other)
        self.pod_groups = child(gang.view, on_change=other)
        self.deployments = child(deployments.view, on_change=other)
        self.pods = Index(observed.pod, objects.job_uid, self._on_pod)
        self.children_by_kind = {
            "Job": self.jobs,
            "Service": self.services,
            "ConfigMap": self.config_maps,
            "Pod": self.pods,
            "Deployment": self.deployments,
            "PodGroup": self.pod_groups,
        }
        self.warnings = Index(objects.seen_and_message, objects.involved_uid, self._on_warning)

    def _on_other_child(self, tfjob_uid: str, view: object, deleted: bool) -> None:
        self._notify_child(tfjob_uid, None, deleted)

    def _on_pod(self, job_uid: str, pod: observed.Pod, deleted: bool) -> None:
        """Find the Pod's TfJob through its Job or, if the Job is gone, through its annotation."""
        if pod.tfjob_uid:
            with_pods = self._job_uids.setdefault(pod.tfjob_uid, set())
            with_pods.add(job_uid)
            if not self.pods.of(job_uid):  # this was the last Pod of its Job
                with_pods.discard(job_uid)
            if not with_pods:
                del self._job_uids[pod.tfjob_uid]
        if tfjob_uid := self.jobs.owner_of(job_uid) or pod.tfjob_uid:
            self._notify_pod(tfjob_uid, pod, deleted)

    def _on_warning(self, job_uid: str, view: tuple[str, str], deleted: bool) -> None:
        if tfjob_uid := self.jobs.owner_of(job_uid):
            self._notify_child(tfjob_uid, None, False)

    def tfjob(self, uid: str) -> Json | None:
        stored = self.tfjobs.of(uid).get(uid)
        return json.decode(stored.encoded) if stored else None

    def namespace(self, uid: str) -> str:
        """The namespace of a TfJob, "" if it is gone."""
        stored = self.tfjobs.of(uid).get(uid)
        return stored.namespace if stored else ""

    def children(self, uid: str) -> Children:
        jobs = self.jobs.of(uid).values()
        warnings = {job.uid: [*self.warnings.of(job.uid).values()] for job in jobs}
        unavailable, kinds = self.deployments.details(uid), self.children_by_kind.items()
        return Children(
            jobs={job.name: job for job in jobs},
            services=self.services.uids(uid),
            config_maps=self.config_maps.uids(uid),
            pod_groups=self.pod_groups.uids(uid),
            gang_sizes=self.pod_groups.details(uid),
            deployments=self.deployments.uids(uid),
            unavailable={name: why for name, why in unavailable.items() if why},
            pods={job.uid: (*self.pods.of(job.uid).values(),) for job in jobs},
            warnings={job: max(found) for job, found in warnings.items() if found},
            leftovers=self._leftovers(uid),
            altered=tuple(f"{kind} {why}" for kind, each in kinds for why in each.altered(uid)),
        )

    def _leftovers(self, uid: str) -> dict[str, observed.Pod]:
        """Pods that have not ended although their Job is gone, by the name of that Job. Of several
        one that nobody has deleted yet, so that each pass deletes another one."""
        gone = (job for job in self._job_uids.get(uid, ()) if not self.jobs.owner_of(job))
        pods = (pod for job in gone for pod in self.pods.of(job).values() if not pod.is_finished)
        return {pod.job_name: pod for pod in sorted(pods, key=lambda pod: not pod.deleting)}


def stored_view(obj: Json) -> Stored:
    meta = {key: value for key, value in obj["metadata"].items() if key in KEPT_METADATA}
    fields = {"metadata": meta, "spec": obj.get("spec"), "status": obj.get("status")}
    return Stored(meta.get("namespace", ""), json.encode(fields))
