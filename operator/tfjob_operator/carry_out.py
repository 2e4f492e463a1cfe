"""Carries out a Plan: deletions, creations and the status write, and what their refusals mean.

The controller calls ``Hands`` with what reconcile decided. Creating what exists and deleting what
is gone are successes; what is raised here is retried by the controller's queue.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from kube_runtime.kube import JOBS, ApiError, Kube

from . import observed, status
from .cache import Cache
from .events import Announcer, news
from .kinds import API_VERSION, BY_KIND, KIND, TFJOBS
from .metrics import Metrics
from .reconcile import Deletion, Plan, Suspension
from .spec import Json, TfJob

log = logging.getLogger(__name__)


class Refused(Exception):
    """A child that cannot be made: for good, or until something changes."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.is_final = reason, reason == status.INVALID_TEMPLATE


class Hands:
    """The writes. What the API server answers goes into the cache before the watch tells it."""

    def __init__(
        self, kube: Kube, cache: Cache, metrics: Metrics, clock: Callable[[], datetime]
    ) -> None:
        self._kube, self._cache, self._metrics, self._clock = kube, cache, metrics, clock
        self._indexes = {
            "Job": cache.jobs,
            "Service": cache.services,
            "Deployment": cache.deployments,
        }
        self.announcer = Announcer(kube, clock)

    async def carry_out(self, job: TfJob, plan: Plan) -> None:
        for deletion in plan.deletions:
            await self._delete(job, deletion)
        for suspension in plan.suspensions:
            await self._suspend(job, suspension)
        if plan.creations:
            await self._create(job, plan)
        if plan.status is not None:
            await self.write_status(job, plan.status)

    async def _create(self, job: TfJob, plan: Plan) -> None:
        """Make the children, series beside series. Of failures the most telling goes into the
        status; what is not final is raised, to be tried again."""
        series = (self._create_series(job, bodies) for bodies in plan.creations)
        results = await asyncio.gather(*series, return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        refused = [error for error in errors if isinstance(error, Refused)]
        if refused:
            await self._tell(job, min(refused, key=lambda error: not error.is_final))
        elif errors:
            raise errors[0]
        elif not status.holds(job.status, "Created"):
            self._metrics.created.inc()

    async def _tell(self, job: TfJob, error: Refused) -> None:
        """Say in the status what is in the way; raise it if it may be tried again."""
        tell = status.failed if error.is_final else status.blocked
        new = tell(job, error.reason, str(error), self._clock())
        if new != job.status:
            await self.write_status(job, new)
        if not error.is_final:
            raise error

    async def _create_series(self, job: TfJob, bodies: tuple[Json, ...]) -> None:
        for body in bodies:
            try:
                made = await self._kube.create(BY_KIND[body["kind"]], body)
            except ApiError as error:
                if error.status != 409:
                    raise meaning(body, error) from error
                made = await self._existing(job, body)
            self._remember(body["kind"], made)

    async def _existing(self, job: TfJob, body: Json) -> Json:
        """What has the name of a child: ours, from an earlier attempt, or a stranger's."""
        kind, name = body["kind"], body["metadata"]["name"]
        found = await self._kube.get(BY_KIND[kind], job.namespace, name)
        if observed.owner(found) != job.uid:
            message = f"{kind} {name} exists and is not owned by this TfJob; rename one of them"
            raise Refused(status.NAME_TAKEN, message)
        return found

    def _remember(self, kind: str, obj: Json) -> None:
        index = self._indexes.get(kind)
        if index:
            index.put_own(obj)

    async def _delete(self, job: TfJob, deletion: Deletion) -> None:
        resource = BY_KIND[deletion.kind]
        try:
            await self._kube.delete(resource, job.namespace, deletion.name, deletion.uid)
        except ApiError as error:
            if error.status != 404:  # a 409 may be another of that name, or bad luck: look again
                raise
        index = self._indexes.get(deletion.kind)
        if index:
            index.remove_own(deletion.uid)

    async def _suspend(self, job: TfJob, suspension: Suspension) -> None:
        change = {"metadata": {"uid": suspension.uid}, "spec": {"suspend": True}}
        try:
            changed = await self._kube.patch(JOBS, job.namespace, suspension.name, change)
        except ApiError as error:
            if error.status != 404:
                raise
        else:
            self._remember("Job", changed)

    async def write_status(self, job: TfJob, new: Json) -> None:
        """Write the status, if the object is still the one that we decided about.

        Refused (409) for a stale cache, a second operator or a successor of the same name; then the
        newest is fetched and judged. The spec need not be sent: nobody changes it here.
        """
        meta = {"namespace": job.namespace, "name": job.name, "uid": job.uid}
        meta["resourceVersion"] = job.resource_version
        body = {"apiVersion": API_VERSION, "kind": KIND, "metadata": meta, "status": new}
        try:
            written = await self._kube.update(TFJOBS, body, "status")
        except ApiError as error:
            if error.status == 409:
                newest = await self._kube.get(TFJOBS, job.namespace, job.name)
                self._cache.tfjobs.put_own(newest)
            raise
        self._cache.tfjobs.put_own(written)
        name = f"{job.namespace}/{job.name}"
        log.info("%s %s", new["phase"], new["reason"], extra={"job": name})
        for condition in news(job.status, new):
            self._metrics.count(condition["reason"])
            self.announcer.announce(job, condition)


def meaning(body: Json, error: ApiError) -> Exception:
    """What a refused creation means: for good (400, 422), until something changes, or by chance."""
    sentence = f"{body['kind']} {body['metadata']['name']}: {error}"
    if error.status in (400, 422):
        return Refused(status.INVALID_TEMPLATE, sentence)
    by_chance = error.status in (401, 404, 408, 409, 410, 429) or error.status >= 500
    if by_chance or "NamespaceTerminating" in error.causes:  # whose TfJob goes too: say nothing
        return error
    return Refused(status.FAILED_CREATE, sentence)
