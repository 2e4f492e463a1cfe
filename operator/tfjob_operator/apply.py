"""Applies a Plan: its deletions, patches, creations and status, as requests to the API server.

The controller calls ``PlanExecutor`` with the Plan from ``reconcile``. To create what exists and to
delete what is gone are successes. Errors are raised, and the controller's queue retries the job.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from kube_runtime.batches import run_all, slow_start
from kube_runtime.events import EventRecorder
from kube_runtime.kube import JOBS, ApiError, Kube, Resource

from . import observed, reasons, status
from .cache import Cache
from .kinds import API_VERSION, KIND, TFJOBS
from .metrics import Metrics
from .plan import Deletion, JobPatch, Plan
from .refusals import CreateRejected, classify_create_error, rank
from .resources import Creation
from .spec import Json, TfJob

log = logging.getLogger(__name__)


class PlanExecutor:
    """Sends the requests. The responses go into the cache, so the next pass need not wait for a
    watch."""

    def __init__(
        self,
        kube: Kube,
        cache: Cache,
        metrics: Metrics,
        clock: Callable[[], datetime],
        resources: Mapping[str, Resource],
    ) -> None:
        self._kube, self._cache, self._metrics, self._clock = kube, cache, metrics, clock
        self._resources, self._indexes = resources, cache.children_by_kind
        on_drop = metrics.dropped_events.inc
        self.recorder = EventRecorder(kube, "tf-job-operator", clock, on_drop)

    async def apply(self, job: TfJob, plan: Plan) -> None:
        """Apply a Plan. Raises: the error to retry for; the status is written before that."""
        if plan.status_first and plan.status is not None:
            await self.write_status(job, plan.status)
            return
        await run_all(self._delete(job, deletion) for deletion in plan.deletions)
        await run_all(self._patch(job, patch) for patch in plan.patches)
        error = await self._create_all(job, plan.creations)
        new = plan.status
        if isinstance(error, CreateRejected):
            new = self._with_rejection(job, plan.status or job.status, error)
        elif error is not None and new is not None and status.is_finished(new):
            raise error  # a final status is written once TensorBoard exists
        if new is not None and new != job.status:
            await self.write_status(job, new)
        if error is not None and not getattr(error, "is_permanent", False):
            raise error  # not for a permanent rejection: it failed the job

    def _with_rejection(self, job: TfJob, new: Json, error: CreateRejected) -> Json:
        """The new status, plus the rejection: the other replicas' states stay visible."""
        if status.is_finished(new):
            return new
        write = status.failed if error.is_permanent else status.blocked_status
        return write(job.with_status(new), error.reason, str(error), self._clock())

    # ------------------------------------------------------------------ creations

    async def _create_all(
        self, job: TfJob, series: tuple[tuple[Creation, ...], ...]
    ) -> BaseException | None:
        """Create the series; returns the most important error."""
        errors = await slow_start(series, partial(self._create_series, job))
        return min(errors, key=rank, default=None)

    async def _create_series(self, job: TfJob, series: tuple[Creation, ...]) -> None:
        for creation in series:
            try:
                await self._create(job, creation)
            except CreateRejected as error:
                if error.reason != reasons.NAME_TAKEN or creation.alternative is None:
                    raise
                await self._create(job, creation.alternative)

    async def _create(self, job: TfJob, creation: Creation) -> None:
        """Create one child. If it exists and this TfJob owns it, that is a success."""
        body = creation.build()
        if creation.only_repair:
            await self._repair(job, body)
            return
        try:
            made = await self._kube.create(self._resources[creation.kind], body)
        except ApiError as error:
            if error.status != 409:
                raise classify_create_error(creation.kind, creation.name, error) from error
            made = await self._existing(job, body)
        self._indexes[creation.kind].upsert_from_response(made)

    async def _repair(self, job: TfJob, body: Json) -> None:
        """Give a child its labels back. If it is gone, do nothing: its Pods are deleted as well."""
        try:
            found = await self._existing(job, body)
        except ApiError as error:
            if error.status != 404:
                raise
        else:
            self._indexes[body["kind"]].upsert_from_response(found)

    async def _existing(self, job: TfJob, body: Json) -> Json:
        """The object that has a child's name. Raises CreateRejected if another owns it.

        An object of ours without its labels gets them back: the watches select by label.
        """
        kind, name = body["kind"], body["metadata"]["name"]
        resource = self._resources[kind]
        found = await self._kube.get(resource, job.namespace, name)
        if observed.owner(found) != job.uid:
            message = (
                f"{kind} {name} exists and is not owned by this TfJob; delete it, or give this "
                "TfJob another name or RuntimeId"
            )
            raise CreateRejected(reasons.NAME_TAKEN, message)
        labels, wanted = found["metadata"].get("labels") or {}, body["metadata"]["labels"]
        if any(labels.get(key) != value for key, value in wanted.items()):
            change = {"metadata": {"uid": found["metadata"]["uid"], "labels": wanted}}
            found = await self._kube.patch(resource, job.namespace, name, change)
        return found

    # ------------------------------------------------------------------ changes

    async def _delete(self, job: TfJob, deletion: Deletion) -> None:
        resource, index = self._resources[deletion.kind], self._indexes.get(deletion.kind)
        try:
            left = await self._kube.delete(
                *(resource, job.namespace, deletion.name, deletion.uid),
                foreground=deletion.foreground,
            )
        except ApiError as error:
            if error.status != 404:  # 409: another UID, or a conflict; the next pass decides
                raise
            left = {}
        if index and "deletionTimestamp" in left.get("metadata", {}):
            index.upsert_from_response(left)  # it stays for a while: finalizer or grace period
        elif index:
            index.delete_local(deletion.uid)

    async def _patch(self, job: TfJob, patch: JobPatch) -> None:
        change = {"metadata": {"uid": patch.uid}, "spec": patch.spec}
        try:
            changed = await self._kube.patch(JOBS, job.namespace, patch.name, change)
        except ApiError as error:
            if error.status != 404:
                raise
        else:
            self._cache.jobs.upsert_from_response(changed)

    # ------------------------------------------------------------------ the status

    async def write_status(self, job: TfJob, new: Json) -> None:
        """Write the status, if the TfJob has not changed since the pass began.

        Fails with 409 if the cache was stale, another operator wrote, or the TfJob was created
        again. Then the newest object is read into the cache, for the retry.
        """
        meta = {"namespace": job.namespace, "name": job.name, "uid": job.uid}
        meta["resourceVersion"] = job.resource_version
        body = {"apiVersion": API_VERSION, "kind": KIND, "metadata": meta, "status": new}
        try:
            written = await self._kube.update(TFJOBS, body, "status")
        except ApiError as error:
            if error.status == 409:
                newest = await self._kube.get(TFJOBS, job.namespace, job.name)
                self._cache.tfjobs.upsert_from_response(newest)
            raise
        self._cache.tfjobs.upsert_from_response(written)
        name = f"{job.namespace}/{job.name}"
        log.info("%s %s", new["phase"], new["reason"], extra={"job": name})
        self._metrics.restarted.inc(max(0, new.get("restarts", 0) - job.status.get("restarts", 0)))
        involved = {"apiVersion": API_VERSION, "kind": KIND, "namespace": job.namespace}
        involved |= {"name": job.name, "uid": job.uid}
        for condition in reasons.new_events(job.status, new):
            reason, message = condition["reason"], condition["message"]
            self._metrics.count(reason)
            self.recorder.record(involved, reasons.event_type(reason), reason, message)
