"""The loop: a change wakes a key, a worker reconciles it and carries out the Plan.

Two hops from event to API call: ``_on_…`` puts the key into the queue, ``sync`` takes it out.
Everything that goes wrong is retried by key; nothing is remembered that a restart would miss.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from . import observed, reconcile, spec, status
from .cache import Cache, Index
from .config import Config
from .kube import BY_KIND, EVENTS, JOBS, PODS, SERVICES, TFJOBS, ApiError, Kube
from .metrics import Metrics
from .reconcile import Deletion, Event, Plan
from .reflector import Reflector
from .resources import API_VERSION, KIND
from .spec import Json, TfJob
from .work_queue import Lane, WorkQueue

log = logging.getLogger(__name__)

OURS = {"labelSelector": "tensorflow.org"}
NO_POD = {"fieldSelector": "involvedObject.kind=Job,reason=FailedCreate"}
MAX_EVENTS = 1000
STUCK_SECONDS = 600.0  # two watches' length, or a request that never ends


class Blocked(Exception):
    """A child cannot be made for now; the user is told, and it is tried again."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class InvalidTemplate(Exception):
    """The API server will never accept a child that the spec asks for."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Controller:
    """Runs all TfJobs of ``config.namespace``. Make it inside a running event loop."""

    def __init__(
        self,
        kube: Kube,
        config: Config,
        clock: Callable[[], datetime] = utc_now,
        metrics: Metrics | None = None,
    ) -> None:
        self.kube, self.config, self.clock = kube, config, clock
        self.metrics = metrics or Metrics()
        self.queue = WorkQueue()
        self.cache = Cache(self._on_tfjob, self._on_job, self._on_pod)
        self._events: asyncio.Queue[tuple[TfJob, Event]] = asyncio.Queue(MAX_EVENTS)
        self._busy_since: dict[str, float] = {}
        self._runs = False
        cache = self.cache
        self._reflectors = [
            self._reflector(TFJOBS, {}, cache.tfjobs),
            self._reflector(JOBS, OURS, cache.jobs),
            self._reflector(SERVICES, OURS, cache.services),
            self._reflector(PODS, OURS, cache.pods),
            self._reflector(EVENTS, NO_POD, cache.warnings),
        ]

    def _reflector(self, resource: Any, query: dict[str, str], index: Index) -> Reflector:
        return Reflector(self.kube, resource, self.config.namespace, query, index)

    async def run(self) -> None:
        """Work until cancelled. Nothing is decided before every cache holds a whole list."""
        self._runs = True
        try:
            async with asyncio.TaskGroup() as tasks:
                for reflector in self._reflectors:
                    tasks.create_task(reflector.run())
                await asyncio.gather(*(reflector.synced.wait() for reflector in self._reflectors))
                log.info("caches are filled: %d TfJobs", len(self.cache.tfjobs.owners()))
                for number in range(self.config.workers + self.config.finishers):
                    widest = Lane.PROGRESS if number < self.config.workers else Lane.FINISH
                    tasks.create_task(self._work(widest))
                tasks.create_task(self._resync())
                tasks.create_task(self._send_events())
        finally:
            self._runs = False
            self.queue.close()

    def problems(self) -> list[str]:
        """What is stuck, for /healthz: [] when all is well, or when another leads."""
        if not self._runs:
            return []
        oldest = asyncio.get_running_loop().time() - STUCK_SECONDS
        watches = [r.name for r in self._reflectors if r.last_seen < oldest]
        keys = [key for key, since in self._busy_since.items() if since < oldest]
        return [f"no news of {name}" for name in watches] + [f"stuck at {key}" for key in keys]

    # ------------------------------------------------------------------ hop one: events to keys

    def _on_tfjob(self, uid: str, packed: bytes, deleted: bool) -> None:
        if deleted:
            return
        known = orjson.loads(packed)
        told = (known["status"] or {}).get("observedGeneration")
        is_new = told != known["metadata"].get("generation", 1)
        self.queue.add(uid, Lane.START if is_new else Lane.BACKLOG)

    def _on_job(self, uid: str, job: observed.Job | None, deleted: bool) -> None:
        if deleted:
            self.queue.add(uid, Lane.START)
        elif job and job.is_finished:
            self.queue.add(uid, Lane.FINISH)
        else:
            self._soon(uid)

    def _on_pod(self, uid: str, pod: observed.Pod | str, deleted: bool) -> None:
        ended = isinstance(pod, observed.Pod) and (pod.is_finished or pod.exit_code is not None)
        if ended and not deleted:
            self.queue.add(uid, Lane.FINISH)
        else:
            self._soon(uid)

    def _soon(self, uid: str) -> None:
        """Look again a little later, so that a burst of news costs one status write."""
        self.queue.add_later(uid, Lane.PROGRESS, self.config.progress_delay_seconds)

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(self.config.resync_seconds)
            for uid in self.cache.tfjobs.owners():
                self.queue.add(uid, Lane.BACKLOG)

    # ------------------------------------------------------------------ hop two: keys to calls

    async def _work(self, widest: Lane) -> None:
        loop = asyncio.get_running_loop()
        while True:
            uid, lane = await self.queue.get(widest)
            self._busy_since[uid] = started = loop.time()
            try:
                await self._sync_or_retry(uid, lane)
            finally:
                del self._busy_since[uid]
                self.queue.done(uid)
                self.metrics.observe_pass(loop.time() - started, len(self.queue))

    async def _sync_or_retry(self, uid: str, lane: Lane) -> None:
        try:
            await self.sync(uid, lane)
            self.queue.succeeded(uid)
        except (ApiError, OSError, Blocked) as error:
            log.info("%s: %s; trying again", self._where(uid), error or type(error).__name__)
            pause = getattr(error, "retry_after_seconds", None) or 0.0
            self.queue.retry(uid, lane, pause)
        except Exception:
            log.exception("%s: cannot be reconciled; trying again", self._where(uid))
            self.queue.retry(uid, lane)

    def _where(self, uid: str) -> str:
        meta = (self.cache.tfjob(uid) or {}).get("metadata", {})
        return f"{meta.get('namespace')}/{meta.get('name')}"

    async def sync(self, uid: str, lane: Lane = Lane.PROGRESS) -> None:
        """Bring one TfJob a step further; raises what is to be retried."""
        packed = self.cache.tfjob(uid)
        if packed is None:
            return
        job = spec.parse(packed)
        plan = reconcile.reconcile(job, self.cache.children(uid), self.config, self.clock())
        if plan.wake_seconds is not None:
            self.queue.add_later(uid, Lane.BACKLOG, max(plan.wake_seconds, 0.0))
        if plan.status is not None and plan.is_urgent:
            await self._write_status(job, plan.status)
            self.queue.add(uid, Lane.FINISH)
        for deletion in plan.deletions:
            await self._delete(job, deletion)
        if plan.creations:
            await self._create(job, plan)
        if plan.creations or plan.deletions:
            self._soon(uid)
        elif plan.status is not None and not plan.is_urgent:
            if lane is Lane.PROGRESS:
                await self._write_status(job, plan.status)
            else:
                self._soon(uid)

    async def _create(self, job: TfJob, plan: Plan) -> None:
        """Make the children, series beside series; the most telling failure is acted upon."""
        series = (self._create_series(job, bodies) for bodies in plan.creations)
        results = await asyncio.gather(*series, return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        for kind in (InvalidTemplate, Blocked, BaseException):
            for error in errors:
                if isinstance(error, kind):
                    return await self._tell(job, error)
        return self.metrics.count("created")

    async def _tell(self, job: TfJob, error: BaseException) -> None:
        """Write into the status what the user can do something about; raise what is retried."""
        if isinstance(error, InvalidTemplate):
            reason, now = status.INVALID_TEMPLATE, self.clock()
            await self._write_status(job, status.failed(job, reason, str(error), now))
            return self.queue.add(job.uid, Lane.FINISH)
        if isinstance(error, Blocked):
            new = status.blocked(job, error.reason, str(error), self.clock())
            if status.patch(job.status, new):
                await self._write_status(job, new)
        raise error

    async def _create_series(self, job: TfJob, bodies: tuple[Json, ...]) -> None:
        for body in bodies:
            try:
                made = await self.kube.create(BY_KIND[body["kind"]], body)
            except ApiError as error:
                if error.status != 409:
                    raise _meaning(body, error) from error
                made = await self._existing(job, body)
            self._remember(body["kind"], made)

    async def _existing(self, job: TfJob, body: Json) -> Json:
        """What has the name of a child: ours, from an earlier attempt, or a stranger's."""
        kind, name = body["kind"], body["metadata"]["name"]
        found = await self.kube.get(BY_KIND[kind], job.namespace, name)
        if observed.owner(found) != job.uid:
            message = f"{kind} {name} exists and is not owned by this TfJob; rename one of them"
            raise Blocked(status.NAME_TAKEN, message)
        return found

    def _remember(self, kind: str, obj: Json) -> None:
        index = {"TfJob": self.cache.tfjobs, "Job": self.cache.jobs, "Service": self.cache.services}
        if kind in index:
            index[kind].put_own(obj)

    async def _delete(self, job: TfJob, deletion: Deletion) -> None:
        resource = BY_KIND[deletion.kind]
        try:
            await self.kube.delete(resource, job.namespace, deletion.name, deletion.uid)
        except ApiError as error:
            if error.status != 404:  # a 409 may be another of that name, or bad luck: look again
                raise
        if deletion.kind == "Job":
            self.cache.jobs.remove(deletion.uid)

    async def _write_status(self, job: TfJob, new: Json) -> None:
        """Write what changed, if the object is still the one that we decided about.

        A merge patch with uid and resourceVersion: small, and refused (409) for a stale cache, a
        second operator or a successor of the same name; then the newest is fetched and judged.
        """
        meta = {"uid": job.uid, "resourceVersion": job.resource_version}
        body = {"metadata": meta, "status": status.patch(job.status, new)}
        try:
            written = await self.kube.patch_status(TFJOBS, job.namespace, job.name, body)
        except ApiError as error:
            if error.status == 409:
                self.cache.tfjobs.put_own(await self.kube.get(TFJOBS, job.namespace, job.name))
            raise
        self.cache.tfjobs.put_own(written)
        self._announce(job, new)

    def _announce(self, job: TfJob, new: Json) -> None:
        log.info("%s/%s: %s %s", job.namespace, job.name, new["phase"], new["reason"])
        self.metrics.count_transition(job.status, new)
        for event in reconcile.events(job.status, new):
            if not self._events.full():
                self._events.put_nowait((job, event))

    async def _send_events(self) -> None:
        """Send events one by one, behind everything else; one that fails is not worth a retry."""
        while True:
            job, event = await self._events.get()
            try:
                await self.kube.create(EVENTS, event_object(job, event, self.clock()))
            except (ApiError, OSError) as error:
                log.debug("event %s of %s: %s", event.reason, job.name, error)


def _meaning(body: Json, error: ApiError) -> Exception:
    """What a refused creation means: for good (400, 422), until something changes, or by chance."""
    sentence = f"{body['kind']} {body['metadata']['name']}: {error}"
    if error.status in (400, 422):
        return InvalidTemplate(sentence)
    if error.status in (401, 404, 408, 409, 410, 429) or error.status >= 500:
        return error
    return Blocked(status.FAILED_CREATE, sentence)


def event_object(job: TfJob, event: Event, now: datetime) -> Json:
    """An Event whose name follows from what it says, so that it exists once however often sent."""
    said = f"{job.uid}/{event.reason}/{event.message}"
    digest = hashlib.sha256(said.encode()).hexdigest()[:16]
    involved = {"apiVersion": API_VERSION, "kind": KIND, "namespace": job.namespace}
    stamp = status.timestamp(now)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{job.name}.{digest}", "namespace": job.namespace},
        "involvedObject": {**involved, "name": job.name, "uid": job.uid},
        "type": event.type,
        "reason": event.reason,
        "message": event.message[:1024],
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
        "source": {"component": "tf-job-operator"},
    }
