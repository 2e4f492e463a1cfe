"""The loop: a change wakes a key, a worker reconciles it and applies the Plan.

Two steps from event to API call: ``_on_…`` puts the key into the queue, ``sync`` takes it out.
Everything that goes wrong is retried by key; nothing is remembered that a restart would miss.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from enum import IntEnum
from functools import partial

from msgspec import json

from kube_runtime.kube import EVENTS, ApiError, Kube
from kube_runtime.reflector import Reflector
from kube_runtime.work_queue import WorkQueue

from . import observed, reconcile, spec
from .apply import PlanExecutor
from .cache import Cache, Stored
from .config import Config
from .kinds import TFJOBS, by_kind
from .metrics import Metrics
from .refusals import CreateRejected

log = logging.getLogger(__name__)

CHILD_SELECTOR = {"labelSelector": "tensorflow.org"}
POD_CREATE_FAILURES = {"fieldSelector": "involvedObject.kind=Job,reason=FailedCreate"}
OPTIONAL = ("Deployment", "PodGroup")  # kinds whose watch may be refused
FRESH_SECONDS = 5.0  # a job younger than this need not wait until every cache is filled
STUCK_SECONDS = 600.0  # two watches' length, or a request that never ends
DEBOUNCE_SECONDS = 2.0  # one status write covers all changes of this time
REJECTED_SECONDS = 5.0  # the first delay after a refusal, of a quota say; 10, 20, 40, 60 follow


class Priority(IntEnum):
    """What a key waits for, the most urgent first."""

    URGENT = 0  # its first status, or something ended
    CREATE = 1  # children are missing
    PROGRESS = 2  # only the status changes


URGENT_WORKERS, STATUS_WORKERS = 8, 4  # beside those that create


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
        self.config, self.clock = config, clock
        self.metrics = metrics or Metrics()
        self.cache = cache = Cache(self._on_tfjob, self._on_child, self._on_pod)
        self.queue = WorkQueue(cache.namespace)
        resources = by_kind(config.gang_scheduling)
        self._executor = PlanExecutor(kube, cache, self.metrics, clock, resources)
        self._busy_since: dict[str, float] = {}
        self._rejected_until: dict[str, float] = {}  # when to try again what was refused
        self._deferred: list[tuple[str, int]] | None = []  # until the caches are filled
        self._runs = False
        watch = partial(Reflector, kube, config.namespace)
        self._tfjobs = watch(TFJOBS, {}, cache.tfjobs)
        children = {
            kind: watch(resources[kind], CHILD_SELECTOR, index)
            for kind, index in cache.children_by_kind.items()
            if kind in resources
        }
        events = watch(EVENTS, POD_CREATE_FAILURES, cache.warnings)
        self._optional = [events, *(children.pop(kind) for kind in OPTIONAL if kind in children)]
        self._children = [*children.values()]
        self.metrics.depth.set_function(self.queue.__len__)

    async def run(self) -> None:
        """Work until cancelled: at first on new jobs only, on all when every cache is filled."""
        self._runs = True
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tfjobs.run())
                await self._tfjobs.synced.wait()
                for reflector in (*self._children, *self._optional):
                    tasks.create_task(reflector.run())
                for last_priority, count in self._worker_counts():
                    for _ in range(count):
                        tasks.create_task(self._work(last_priority))
                await self._wait_for_caches()
                log.info("caches are filled: %d TfJobs", len(self.cache.tfjobs.owners()))
                deferred, self._deferred = self._deferred or [], None
                for uid, priority in deferred:
                    self.queue.add(uid, priority)
                tasks.create_task(self._executor.recorder.run())
                await self._resync()
        finally:
            self._runs = False
            self.queue.close()

    def _worker_counts(self) -> list[tuple[Priority, int]]:
        """How many workers go down to which priority; few write what is only progress."""
        creators = (Priority.CREATE, self.config.workers)
        return [(Priority.URGENT, URGENT_WORKERS), creators, (Priority.PROGRESS, STATUS_WORKERS)]

    async def _wait_for_caches(self) -> None:
        """Until the caches are filled, but for an optional one whose watch is refused."""
        for reflector in self._children:
            await reflector.synced.wait()
        for reflector in self._optional:
            await reflector.settled.wait()

    async def _resync(self) -> None:
        """Look at every job now and then, whatever was missed."""
        while True:
            await asyncio.sleep(self.config.resync_seconds)
            for uid in self.cache.tfjobs.owners():
                self.queue.add(uid, Priority.PROGRESS)

    def health_problems(self) -> list[str]:
        """What is stuck, for /healthz: [] when all is well, or when another leads."""
        if not self._runs:
            return []
        oldest = asyncio.get_running_loop().time() - STUCK_SECONDS
        reflectors = [self._tfjobs, *self._children]
        reflectors += [each for each in self._optional if not each.refusal]
        watches = [w.name for w in reflectors if w.last_seen < oldest]
        keys = [key for key, since in self._busy_since.items() if since < oldest]
        return [f"no news of {name}" for name in watches] + [f"stuck at {key}" for key in keys]

    def health_warnings(self) -> list[str]:
        """What does not work, though the operator does without, for /healthz."""
        refused = [each for each in self._optional if each.refusal]
        return [f"the watch of {each.name} is refused: {each.refusal}" for each in refused]

    # ------------------------------------------------------------------ step one: events to keys

    def _on_tfjob(self, uid: str, stored: Stored, deleted: bool) -> None:
        if deleted:
            self._rejected_until.pop(uid, None)
            return
        known = json.decode(stored.encoded)
        observed_generation = (known["status"] or {}).get("observedGeneration")
        if observed_generation != known["metadata"].get("generation", 1):
            self.queue.add(uid, Priority.URGENT)
        else:  # after a restart: every job is looked at soon
            self.queue.add_after(uid, DEBOUNCE_SECONDS, Priority.PROGRESS)

    def _on_child(self, uid: str, job: observed.Job | None, deleted: bool) -> None:
        if deleted:
            self.queue.add(uid, Priority.CREATE)
        elif job and job.is_finished:
            self.queue.add(uid, Priority.URGENT)
        else:
            self._debounce(uid)

    def _on_pod(self, uid: str, pod: observed.Pod | str, deleted: bool) -> None:
        """A Pod that ended, or is being deleted, is looked at before it is gone."""
        if isinstance(pod, observed.Pod) and (pod.is_finished or pod.exit_code is not None):
            self.queue.add(uid, Priority.URGENT)
        elif isinstance(pod, observed.Pod) and (pod.deleting or deleted):
            self.queue.add(uid, Priority.CREATE)
        else:
            self._debounce(uid)

    def _debounce(self, uid: str) -> None:
        """Look again a little later, so that one status write covers many changes."""
        self.queue.add_after(uid, DEBOUNCE_SECONDS, Priority.PROGRESS)

    # ------------------------------------------------------------------ step two: keys to calls

    async def _work(self, last_priority: Priority) -> None:
        loop = asyncio.get_running_loop()
        while True:
            uid, priority = await self.queue.get(last_priority)
            self._busy_since[uid] = started = loop.time()
            try:
                await self.sync(uid, priority)
                if uid not in self._rejected_until:
                    self.queue.forget(uid)
            except CreateRejected as error:
                log.info("%s; trying again", error, extra=self._log_fields(uid))
                delay = self.queue.add_rate_limited(uid, Priority.CREATE, REJECTED_SECONDS)
                self._rejected_until[uid] = loop.time() + delay
            except (ApiError, OSError) as error:
                reason = error or type(error).__name__
                log.info("%s; trying again", reason, extra=self._log_fields(uid))
                pause = getattr(error, "retry_after_seconds", None) or 0.0
                self.queue.add_rate_limited(uid, priority, at_least=pause)
            except Exception:
                log.exception("cannot be reconciled; trying again", extra=self._log_fields(uid))
                self.queue.add_rate_limited(uid, priority)
            finally:
                del self._busy_since[uid]
                self.queue.done(uid)
                self.metrics.duration.observe(loop.time() - started)
            await asyncio.sleep(0)  # a pass without a request must not keep the watches waiting

    def _log_fields(self, uid: str) -> dict[str, str]:
        meta = (self.cache.tfjob(uid) or {}).get("metadata", {})
        return {"job": f"{meta.get('namespace')}/{meta.get('name')}"}

    def _may_run_before_sync(self, stored: spec.Json) -> bool:
        """Whether a job hardly has children yet; if it does, creating them again does no harm."""
        age = self.clock() - spec.parse_time(stored["metadata"]["creationTimestamp"])
        phase = (stored["status"] or {}).get("phase", "Creating")
        return bool(phase == "Creating" and age.total_seconds() < FRESH_SECONDS)

    async def sync(self, uid: str, priority: int = Priority.PROGRESS) -> None:
        """Bring one TfJob a step further. Raises: what is to be retried."""
        stored = self.cache.tfjob(uid)
        if stored is None:
            return
        if self._deferred is not None and not self._may_run_before_sync(stored):
            self._deferred.append((uid, priority))  # what its children did is not known yet
            return
        job = spec.parse(stored)
        plan = reconcile.reconcile(job, self.cache.children(uid), self.config, self.clock())
        if wait := self._seconds_rejected(uid):
            plan = replace(plan, creations=())  # their time has not come; the status is written
            self.queue.add_after(uid, wait, Priority.CREATE)
        await self._executor.apply(job, plan)
        if plan.status_first:
            self.queue.add(uid, Priority.CREATE)
        elif plan.requeue_after_seconds < self.config.resync_seconds:
            self.queue.add_after(uid, plan.requeue_after_seconds, Priority.URGENT)
        if plan.creations or plan.deletions:
            self._debounce(uid)

    def _seconds_rejected(self, uid: str) -> float:
        """For how long the job's children are not created, since one of them was refused."""
        left = self._rejected_until.get(uid, 0.0) - asyncio.get_running_loop().time()
        if left > 0.01:
            return left
        self._rejected_until.pop(uid, None)
        return 0.0
