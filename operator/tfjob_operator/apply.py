"""Applies a Plan: its deletions, patches, creations and status, as requests to the API server.

Errors are raised, and the controller's queue retries the job.
"""

import logging
from dataclasses import dataclass

from kube_runtime.batches import run_all, slow_start
from kube_runtime.changes import ChangeRefused
from kube_runtime.events import EventRecorder
from kube_runtime.index import Index
from kube_runtime.kube import ApiError, Json, Kube
from kube_runtime.times import Clock
from kube_runtime.writer import CreateRejected, InvalidObject, NameTaken, Writer, build_body, rank
from tfjob_api import reasons
from tfjob_api.spec import TFJOBS, TfJob

from . import status
from .metrics import Metrics
from .plan import Plan
from .resources import Creation

log = logging.getLogger(__name__)

REASONS = {
    InvalidObject: reasons.INVALID_TEMPLATE,
    NameTaken: reasons.NAME_TAKEN,
    CreateRejected: reasons.FAILED_CREATE,
}


@dataclass(frozen=True)
class PlanExecutor:
    """Sends the requests. ``children`` writes all objects but the TfJob."""

    kube: Kube
    tfjobs: Index
    children: Writer
    recorder: EventRecorder
    metrics: Metrics
    clock: Clock

    async def apply(self, job: TfJob, plan: Plan) -> None:
        """Apply a Plan. Raises: the error to retry for; the status is written before that."""
        if plan.status_first and plan.status is not None:
            await self._write_status(job, plan.status)
            return
        try:
            await self._change(job, plan)
            errors = await slow_start(plan.creations, self._create_series)
        except CreateRejected as rejected:
            errors = [rejected]
        except ChangeRefused as refused:
            await self._write_refusal(job, refused)
            raise
        error = min(errors, key=rank, default=None)
        new = plan.status
        if isinstance(error, CreateRejected):
            new = self._with_rejection(job.with_status(plan.status or job.status), error)
        elif error is not None and new is not None and job.with_status(new).is_finished:
            raise error  # a transient error: the final status waits for TensorBoard
        if new is not None and new != job.status:
            await self._write_status(job, new)
        if error is not None and not isinstance(error, InvalidObject):
            raise error  # not for a permanent rejection: it failed the job

    def _with_rejection(self, job: TfJob, error: CreateRejected) -> Json:
        """The job's new status, plus the rejection: the other replicas' states stay visible."""
        if job.is_finished:
            return job.status
        write = status.failed if isinstance(error, InvalidObject) else status.not_created
        return write(job, REASONS[type(error)], str(error), self.clock())

    async def _write_refusal(self, job: TfJob, refused: ChangeRefused) -> None:
        """Write into the status which change of a child is refused, unless the job has ended."""
        why = {"Waiting": (True, reasons.CHANGE_REFUSED, str(refused))}
        new = status.merge(job.status, why, self.clock())
        if new != job.status and not job.is_finished:
            await self._write_status(job, new)

    async def _change(self, job: TfJob, plan: Plan) -> None:
        """Send the deletions, then the patches."""
        await run_all(self.children.delete(job.namespace, each) for each in plan.deletions)
        await run_all(self.children.patch_spec(job.namespace, each) for each in plan.patches)

    async def _create_series(self, series: tuple[Creation, ...]) -> None:
        for creation in series:
            create = self.children.repair if creation.only_repair else self.children.create
            body = build_body(creation.kind, creation.name, creation.build)
            try:
                await create(body)
            except NameTaken:
                if creation.alternative is None:
                    raise
                await self.children.create(creation.alternative.build())

    async def _write_status(self, job: TfJob, new: Json) -> None:
        """Write the status, if the TfJob has not changed since the pass began.

        Fails with 409 if the cache was stale, another operator wrote, or the TfJob was created
        again. Then the newest object is read into the cache, for the retry.
        """
        meta = {"namespace": job.namespace, "name": job.name, "uid": job.uid}
        meta["resourceVersion"] = job.resource_version
        body = {"apiVersion": TFJOBS.api_version, "kind": TFJOBS.kind, "metadata": meta}
        try:
            written = await self.kube.update(TFJOBS, {**body, "status": new}, "status")
        except ApiError as error:
            if error.status == 409:
                newest = await self.kube.get(TFJOBS, job.namespace, job.name)
                self.tfjobs.upsert_from_response(newest)
            raise
        self.tfjobs.upsert_from_response(written)
        self._report(job, new)

    def _report(self, job: TfJob, new: Json) -> None:
        """Log the status that was written, count its changes, and record them as events."""
        log.info("%s %s", new["phase"], new["reason"], extra={"job": f"{job.namespace}/{job.name}"})
        self.metrics.restarted.inc(max(0, new.get("restarts", 0) - job.status.get("restarts", 0)))
        for kind, condition in reasons.new_events(job.status, new):
            reason, message = condition["reason"], condition["message"]
            self.metrics.count(reason)
            self.recorder.record(job.reference, kind, reason, message)
