"""The control loop: watch events enqueue keys; workers reconcile each key and apply its Plan.

A key is the UID of a TfJob. ``_on_tfjob``, ``_on_child`` and ``_on_pod`` enqueue it, ``sync``
handles it. Every error requeues the key. Memory holds caches and delays only, so a restart is safe.
"""

import asyncio
import logging
from dataclasses import replace
from datetime import datetime
from enum import IntEnum
from functools import partial

from msgspec import json

from kube_runtime import conditions
from kube_runtime.changes import ChangeRefused
from kube_runtime.events import EventRecorder
from kube_runtime.kube import CONFIG_MAPS, DEPLOYMENTS, EVENTS, JOBS, PODS, SERVICES, Json, Kube
from kube_runtime.pauses import Pauses
from kube_runtime.reflector import Reflector
from kube_runtime.times import Clock, utc_now
from kube_runtime.work_queue import Share, WorkQueue
from kube_runtime.workers import Workers
from kube_runtime.writer import CreateRejected, Writer
from tfjob_api.parse import parse
from tfjob_api.spec import TFJOBS

from . import gang, observed, status
from .apply import PlanExecutor
from .cache import Cache, Stored
from .config import Config
from .metrics import Metrics
from .reconcile import reconcile

log = logging.getLogger(__name__)

CHILDREN = (JOBS, SERVICES, CONFIG_MAPS, PODS)
CHILD_SELECTOR = {"labelSelector": "tensorflow.org"}
POD_CREATE_FAILURES = {"fieldSelector": "involvedObject.kind=Job,reason=FailedCreate"}
FRESH_SECONDS = 5.0  # a younger job does not wait until the caches are synced
SILENT_SECONDS = 600.0  # a watch without events, or a pass, for longer than this is stuck
# One status write covers all changes of this time.
RUNNING_SECONDS = 2.0  # a Pod runs
PROGRESS_SECONDS = 5.0  # other changes: nobody waits for them
RENAME = "delete it, or give this TfJob another name or RuntimeId"  # if a child's name is taken


class Priority(IntEnum):
    """Priorities of keys in the queue, the highest first."""

    FIRST_STATUS = 0
    URGENT = 1  # a Pod that runs, or a Pod or Job that has ended
    CREATE = 2  # children to create
    PROGRESS = 3  # other changes of the status
    CLEAN_UP = 4  # what a finished job leaves


# In a burst of new TfJobs the first statuses come first: creations would slow down the API server,
# and so its watches. 9 + 8 workers write them; more would slow it down, too. Whoever rests adds
# little load: nobody waits for progress and clean-up, and each Job deleted costs some 8 requests.
CREATES = Share(highest=Priority.URGENT, lowest=Priority.CREATE, yields=True)  # × config.workers
SHARES = {
    Share(lowest=Priority.FIRST_STATUS): 9,
    Share(lowest=Priority.URGENT): 8,
    # In a burst only this one judges Pods and creates children.
    Share(highest=Priority.URGENT, lowest=Priority.CREATE, rest=10): 1,
    Share(highest=Priority.PROGRESS, lowest=Priority.PROGRESS, rest=10): 2,
    Share(highest=Priority.CLEAN_UP, lowest=Priority.CLEAN_UP, rest=10): 2,
}


class Controller:
    """Runs the TfJobs of ``config.namespace``. Construct it inside a running event loop."""

    def __init__(
        self, kube: Kube, config: Config, clock: Clock = utc_now, metrics: Metrics | None = None
    ) -> None:
        self.config, self.clock = config, clock
        self.metrics = metrics = metrics or Metrics()
        self.cache = cache = Cache(self._on_tfjob, self._on_child, self._on_pod)
        self.queue = WorkQueue(cache.namespace)
        metrics.depth.set_function(self.queue.__len__)
        self._workers = Workers(self.queue, self.sync, self._name, metrics.duration.observe)
        self._rejected = Pauses()  # of the creations of a TfJob, since one was rejected
        self._refused = Pauses()  # of its other changes, since one was refused
        self._deferred: list[tuple[str, int]] | None = []  # None once the caches are synced
        self._runs = False

        group = gang.POD_GROUPS.get(config.gang_scheduling)
        optional = (DEPLOYMENTS, group) if group else (DEPLOYMENTS,)
        resources = {each.kind: each for each in (TFJOBS, *CHILDREN, *optional)}
        children = Writer(kube, resources, cache.children_by_kind, RENAME)
        recorder = EventRecorder(kube, "tf-job-operator", clock, metrics.dropped_events.inc)
        self._executor = PlanExecutor(kube, cache.tfjobs, children, recorder, metrics, clock)

        watch, indexes = partial(Reflector, kube, config.namespace), cache.children_by_kind
        self._tfjobs = watch(TFJOBS, {}, cache.tfjobs)
        self._child_watches = [watch(each, CHILD_SELECTOR, indexes[each.kind]) for each in CHILDREN]
        self._optional_watches = [watch(o, CHILD_SELECTOR, indexes[o.kind]) for o in optional]
        self._optional_watches.insert(0, watch(EVENTS, POD_CREATE_FAILURES, cache.warnings))

    async def run(self) -> None:
        """Run until cancelled. Until the caches are synced, only new jobs are reconciled."""
        self._runs = True
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tfjobs.run())
                await self._tfjobs.synced.wait()
                for reflector in (*self._child_watches, *self._optional_watches):
                    tasks.create_task(reflector.run())
                for share, count in {**SHARES, CREATES: self.config.workers}.items():
                    for _ in range(count):
                        tasks.create_task(self._workers.work(share))
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

    async def _wait_for_caches(self) -> None:
        """Wait until the caches are synced; do not wait for an optional watch that is refused."""
        for reflector in self._child_watches:
            await reflector.synced.wait()
        for reflector in self._optional_watches:
            await reflector.settled.wait()

    async def _resync(self) -> None:
        """Requeue every job periodically, in case an event was missed."""
        while True:
            await asyncio.sleep(self.config.resync_seconds)
            for uid in self.cache.tfjobs.owners():
                self.queue.add(uid, Priority.PROGRESS)

    def health_problems(self) -> list[str]:
        """What is stuck, for /healthz; [] if nothing is, or while another process leads."""
        if not self._runs:
            return []
        oldest = asyncio.get_running_loop().time() - SILENT_SECONDS
        optional = [each for each in self._optional_watches if not each.refusal]
        watches = [self._tfjobs, *self._child_watches, *optional]
        silent = [each.name for each in watches if each.last_seen < oldest]
        keys = [key for key, since in self._workers.busy_since.items() if since < oldest]
        return [f"no events of {name}" for name in silent] + [f"stuck at {key}" for key in keys]

    def health_warnings(self) -> list[str]:
        """Optional watches that are refused, for /healthz; the operator works without them."""
        refused = [each for each in self._optional_watches if each.refusal]
        return [f"the watch of {each.name} is refused: {each.refusal}" for each in refused]

    def _on_tfjob(self, uid: str, stored: Stored, deleted: bool) -> None:
        if deleted:
            self._rejected.end(uid)
            self._refused.end(uid)
            return
        obj = json.decode(stored.encoded)
        observed_generation = (obj["status"] or {}).get("observedGeneration")
        if observed_generation is None:
            self.queue.add(uid, Priority.FIRST_STATUS)
        elif observed_generation != obj["metadata"].get("generation", 1):
            self.queue.add(uid, Priority.URGENT)
        else:  # our own status write, or a job that was there before a restart
            self._debounce(uid)

    def _on_child(self, uid: str, job: observed.Job | None, deleted: bool) -> None:
        """Enqueue the owner of a Job or, with None, of a child of another kind."""
        if deleted:
            self.queue.add(uid, Priority.CREATE)
        elif job and job.is_finished:
            self.queue.add(uid, Priority.URGENT)
        else:
            self._debounce(uid)

    def _on_pod(self, uid: str, pod: observed.Pod, deleted: bool) -> None:
        """Enqueue a Pod's TfJob; at once if the Pod has ended, is being deleted or is gone."""
        if pod.is_finished or pod.exit_code is not None:
            self.queue.add(uid, Priority.URGENT)
        elif pod.deleting or deleted:
            self.queue.add(uid, Priority.CREATE)
        elif pod.phase == "Running":
            self.queue.add_after(uid, RUNNING_SECONDS, Priority.URGENT)
        else:
            self._debounce(uid)

    def _debounce(self, uid: str) -> None:
        """Enqueue with a delay, so that one status write covers many changes."""
        self.queue.add_after(uid, PROGRESS_SECONDS, Priority.PROGRESS)

    def _name(self, uid: str) -> str:
        """The TfJob's name in log lines."""
        meta = (self.cache.tfjob(uid) or {}).get("metadata", {})
        return f"{meta.get('namespace')}/{meta.get('name')}"

    def _may_run_before_sync(self, obj: Json) -> bool:
        """Whether it is so new that few children exist. To create these again gives a 409."""
        age = self.clock() - datetime.fromisoformat(obj["metadata"]["creationTimestamp"])
        phase = (obj["status"] or {}).get("phase", "Creating")
        return bool(phase == "Creating" and age.total_seconds() < FRESH_SECONDS)

    async def sync(self, uid: str, priority: int = Priority.PROGRESS) -> None:
        """Run one pass over one TfJob. Raises: the error to retry for."""
        obj = self.cache.tfjob(uid)
        if obj and self._deferred is not None and not self._may_run_before_sync(obj):
            self._deferred.append((uid, priority))  # its children are not known yet
        elif obj:
            await self._reconcile(uid, obj, priority)
        else:
            self.queue.forget(uid)

    async def _reconcile(self, uid: str, obj: Json, priority: int) -> None:
        job = parse(obj)
        plan = reconcile(job, self.cache.children(uid), self.config, self.clock())
        if plan.can_wait and priority < Priority.CLEAN_UP:
            self.queue.add(uid, Priority.CLEAN_UP)
            return
        # Only TensorBoard comes with a final status. It is its last chance, so it does not wait.
        ends = job.with_status(plan.status or {}).is_finished
        if plan.creations and not ends and (wait := self._rejected.seconds_left(uid)):
            plan = replace(plan, creations=())  # not yet; the rest is applied
            self.queue.add_after(uid, wait, Priority.CREATE)
        if (plan.deletions or plan.patches) and (wait := self._refused.seconds_left(uid)):
            self.queue.add_after(uid, wait, Priority.CREATE)
            if job.is_finished or conditions.holds(job.status, "Suspended"):
                return  # its status depends on the changes
            plan = replace(plan, deletions=(), patches=())
        if priority < Priority.PROGRESS and status.is_minor(job.status, plan.status or {}):
            plan = replace(plan, status=None)  # written later, with all changes until then
            self._debounce(uid)
        following = Priority.CREATE if priority == Priority.FIRST_STATUS else Priority.URGENT
        following = Priority.CLEAN_UP if job.is_finished else following
        # Set before the requests: an error must not lose a timer. A longer one is set at a resync.
        if 0 < plan.requeue_after_seconds < self.config.resync_seconds:
            self.queue.add_after(uid, plan.requeue_after_seconds, following)
        try:
            await self._executor.apply(job, plan)
        except (CreateRejected, ChangeRefused) as error:
            log.info("%s; trying again", error, extra={"job": self._name(uid)})
            pauses = self._rejected if isinstance(error, CreateRejected) else self._refused
            self.queue.add_after(uid, pauses.begin(uid), Priority.CREATE)
            return
        self.queue.forget(uid)
        self._rejected.end_if_over(uid)
        self._refused.end_if_over(uid)
        # If a creation has an alternative, what comes next depends on which of them exists.
        has_choice = any(each.alternative for series in plan.creations for each in series)
        if has_choice or plan.requeue_after_seconds == 0:
            self.queue.add_after(uid, 0.0, following)
        if plan.creations or plan.deletions:
            self._debounce(uid)
