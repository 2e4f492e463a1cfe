"""The loop: a change wakes a key, a worker reconciles it and carries out the Plan.

Two hops from event to API call: ``_on_…`` puts the key into the queue, ``sync`` takes it out.
Everything that goes wrong is retried by key; nothing is remembered that a restart would miss.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from msgspec import json

from kube_runtime.kube import DEPLOYMENTS, EVENTS, JOBS, PODS, SERVICES, ApiError, Kube
from kube_runtime.reflector import Reflector
from kube_runtime.work_queue import Lane, WorkQueue

from . import observed, reconcile, spec
from .cache import Cache
from .carry_out import Hands, Refused
from .config import Config
from .kinds import TFJOBS
from .metrics import Metrics

log = logging.getLogger(__name__)

OURS = {"labelSelector": "tensorflow.org"}
NO_POD = {"fieldSelector": "involvedObject.kind=Job,reason=FailedCreate"}
FRESH_SECONDS = 5.0  # a job younger than this need not wait until every cache is filled
STUCK_SECONDS = 600.0  # two watches' length, or a request that never ends


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
        self.queue = WorkQueue()
        self.cache = cache = Cache(self._on_tfjob, self._on_job, self._on_pod)
        self._hands = Hands(kube, cache, self.metrics, clock)
        self._busy_since: dict[str, float] = {}
        self._held: list[tuple[str, Lane]] | None = []  # until the caches are filled
        self._runs = False
        watch = partial(Reflector, kube, config.namespace)
        self._tfjobs = watch(TFJOBS, {}, cache.tfjobs)
        self._children = [
            watch(JOBS, OURS, cache.jobs),
            watch(SERVICES, OURS, cache.services),
            watch(DEPLOYMENTS, OURS, cache.deployments),
            watch(PODS, OURS, cache.pods),
            watch(EVENTS, NO_POD, cache.warnings),
        ]
        self.metrics.depth.set_function(self.queue.__len__)

    async def run(self) -> None:
        """Work until cancelled: at first on new jobs only, on all when every cache is filled."""
        self._runs = True
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tfjobs.run())
                await self._tfjobs.synced.wait()
                for _ in range(self.config.workers):
                    tasks.create_task(self._work(Lane.PROGRESS))
                for _ in range(self.config.finishers):
                    tasks.create_task(self._work(Lane.FINISH))
                for reflector in self._children:
                    tasks.create_task(reflector.run())
                await asyncio.gather(*(reflector.synced.wait() for reflector in self._children))
                log.info("caches are filled: %d TfJobs", len(self.cache.tfjobs.owners()))
                held, self._held = self._held or [], None
                for uid, lane in held:
                    self.queue.add(uid, lane)
                tasks.create_task(self._hands.announcer.run())
                await self._resync()
        finally:
            self._runs = False
            self.queue.close()

    async def _resync(self) -> None:
        """Look at every job now and then, whatever was missed."""
        while True:
            await asyncio.sleep(self.config.resync_seconds)
            for uid in self.cache.tfjobs.owners():
                self.queue.add(uid, Lane.PROGRESS)

    def problems(self) -> list[str]:
        """What is stuck, for /healthz: [] when all is well, or when another leads."""
        if not self._runs:
            return []
        oldest = asyncio.get_running_loop().time() - STUCK_SECONDS
        watches = [w.name for w in [self._tfjobs, *self._children] if w.last_seen < oldest]
        keys = [key for key, since in self._busy_since.items() if since < oldest]
        return [f"no news of {name}" for name in watches] + [f"stuck at {key}" for key in keys]

    # ------------------------------------------------------------------ hop one: events to keys

    def _on_tfjob(self, uid: str, packed: bytes, deleted: bool) -> None:
        if deleted:
            return
        known = json.decode(packed)
        told = (known["status"] or {}).get("observedGeneration")
        if told != known["metadata"].get("generation", 1):
            self.queue.add(uid, Lane.START)
        else:  # a restart's backlog: of each it is to be seen soon what was missed
            self.queue.add_later(uid, Lane.PROGRESS, self.config.progress_delay_seconds)

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
        """Look again a little later, so that a burst of news costs one status write.

        When many jobs have news they take turns: what starts and ends needs the API server more.
        """
        self.queue.add_in_turn(uid, Lane.PROGRESS, self.config.progress_delay_seconds)

    # ------------------------------------------------------------------ hop two: keys to calls

    async def _work(self, widest: Lane) -> None:
        loop = asyncio.get_running_loop()
        while True:
            uid, lane = await self.queue.get(widest)
            self._busy_since[uid] = started = loop.time()
            try:
                await self.sync(uid, lane)
                self.queue.succeeded(uid)
            except (ApiError, OSError, Refused) as error:
                said = error or type(error).__name__
                log.info("%s; trying again", said, extra=self._which(uid))
                pause = getattr(error, "retry_after_seconds", None) or 0.0
                self.queue.retry(uid, lane, pause)
            except Exception:
                log.exception("cannot be reconciled; trying again", extra=self._which(uid))
                self.queue.retry(uid, lane)
            finally:
                del self._busy_since[uid]
                self.queue.done(uid)
                self.metrics.duration.observe(loop.time() - started)
            await asyncio.sleep(0)  # a pass that waited for nothing must not keep news out

    def _which(self, uid: str) -> dict[str, str]:
        meta = (self.cache.tfjob(uid) or {}).get("metadata", {})
        return {"job": f"{meta.get('namespace')}/{meta.get('name')}"}

    def _is_fresh(self, packed: spec.Json) -> bool:
        """Whether a job hardly has children yet; if it does, creating them again does no harm."""
        age = self.clock() - spec.time_of(packed["metadata"]["creationTimestamp"])
        return not packed["status"] and age.total_seconds() < FRESH_SECONDS

    async def sync(self, uid: str, lane: Lane = Lane.PROGRESS) -> None:
        """Bring one TfJob a step further; raises what is to be retried."""
        packed = self.cache.tfjob(uid)
        if packed is None:
            return
        if self._held is not None and not self._is_fresh(packed):
            self._held.append((uid, lane))  # what its children did is not known yet
            return
        job = spec.parse(packed)
        plan = reconcile.reconcile(job, self.cache.children(uid), self.config, self.clock())
        # Progress is for its own lane: from any other it is put off, and gathers more news.
        is_untimely = plan.status is not None and not plan.is_urgent and lane is not Lane.PROGRESS
        await self._hands.carry_out(job, plan if not is_untimely else replace(plan, status=None))
        if plan.wake_seconds < self.config.resync_seconds:
            self.queue.add_later(uid, Lane.FINISH, plan.wake_seconds)
        if plan.creations or plan.deletions or is_untimely:
            self._soon(uid)
