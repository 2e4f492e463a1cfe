"""Applies a Plan: its deletions, patches, creations and status, as requests to the API server.

Errors are raised, and the controller's queue retries the job.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from kube_runtime import conditions
from kube_runtime.batches import run_all, slow_start
from kube_runtime.changes import ChangeRefused
from kube_runtime.events import EventRecorder
from kube_runtime.index import Index
from kube_runtime.kube import ApiError, Json, Kube
from kube_runtime.times import Clock
from kube_runtime.writer import CreateRejected, InvalidObject, NameTaken, Writer, rank
from tfjob_api import reasons
from tfjob_api.spec import TFJOBS, TfJob

from . import status
from .metrics import Metrics
from .plan import Plan

log = logging.getLogger(__name__)

REASONS = {
    InvalidObject: reasons.INVALID_TEMPLATE,
    NameTaken: reasons.NAME_TAKEN,
    CreateRejected: reasons.FAILED_CREATE,
}


@dataclass(frozen=True)
class PlanExecutor:
    """Sends the requests. ``writer`` sends all but the TfJob's status; it deletes TfJobs, too."""

    kube: Kube
    tfjobs: Index
    writer: Writer
    recorder: EventRecorder
    metrics: Metrics
    clock: Clock

    async def apply(self, job: TfJob, plan: Plan) -> None:
        """Apply a Plan. Raises: the error to retry for; the status is written before that."""
        changes = [self.writer.delete(job.namespace, each) for each in plan.deletions]
        changes += [self.writer.patch_spec(job.namespace, each) for each in plan.patches]
        errors = await run_all(changes)
        if all(isinstance(each, ChangeRefused) for each in errors):
            errors += await slow_start(plan.creations, self.writer.create_series)
        planned = job.with_status(plan.status or job.status)
        new = self._with_errors(job, planned, errors) if errors else planned.status
        if new != job.status:
            await self._write_status(job, new)
        error = min(errors, key=rank, default=None)
        if error and not isinstance(error, InvalidObject):
            raise error  # not for a permanent rejection: it failed the job

    def _with_errors(self, job: TfJob, planned: TfJob, errors: Sequence[BaseException]) -> Json:
        """The planned status, plus what is refused: the other replicas' states stay visible.

        What a suspended or finished job becomes has to wait until all requests have succeeded, and
        so has a final status if TensorBoard met a transient error.
        """
        worst, refused = min(errors, key=rank), [e for e in errors if isinstance(e, ChangeRefused)]
        new, is_rejected = planned, isinstance(worst, CreateRejected)
        if job.is_finished or (planned.is_finished and not is_rejected):
            new = job  # its observedGeneration stays, so the next pass still sees a new spec
        elif conditions.holds(job.status, "Suspended"):
            new = job.with_status({**job.status, "observedGeneration": job.generation})
        if refused:
            why = {"ChangeRefused": (True, reasons.CHANGE_REFUSED, str(refused[0]))}
            new = new.with_status(status.merge(new.status, why, self.clock()))
        if new.is_finished or not isinstance(worst, CreateRejected):
            return new.status
        failure = REASONS[type(worst)], str(worst)
        if isinstance(worst, InvalidObject):
            return status.failed(new, *failure, self.clock())
        return status.merge(new.status, {"Created": (False, *failure)}, self.clock())

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
