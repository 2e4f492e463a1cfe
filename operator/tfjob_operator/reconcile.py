"""One pass over one job: from what is wanted and what is there to what is to be done.

The controller calls ``reconcile`` for every key that its queue yields and applies the Plan.
No I/O happens here: this file is the whole behaviour of the operator, read from top to bottom.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from . import cleanup, deadline, gang, parameter_server, restart, status, tensorboard
from .config import Config
from .observed import Children, Job, Pod
from .resources import Creation, Factory
from .spec import FOREVER, MANAGED_BY, Json, Replica, TfJob

KEEP_THE_LOG = (
    "; its side-car still runs, so the Pod is deleted and its log goes with it: as a native "
    "side-car (initContainers, restartPolicy: Always) it would end by itself, and the log stay"
)


@dataclass(frozen=True)
class Deletion:
    """An object to delete, and no other of the same name.

    ``foreground``: it stays until its Pods are gone, so that its successor cannot meet them.
    """

    kind: str
    name: str
    uid: str
    foreground: bool = False


@dataclass(frozen=True)
class Suspension:
    """A Job that is to start no further Pod, and no other of the same name."""

    name: str
    uid: str


@dataclass(frozen=True)
class Resize:
    """An Indexed Job that gets another number of Pods, and no other of the same name."""

    name: str
    uid: str
    replicas: int


@dataclass(frozen=True)
class Plan:
    """What to do, in this order: deletions, suspensions, resizes, creations, the status.

    An end or a suspension is written in a pass of its own, before anything is deleted: a stale
    cache makes that write fail (409), so the deletions never happen. (Children of a bad spec go
    first: they are of no use.)

    Each series of ``creations`` is made in its order and ends with its first failure; the series
    are independent. ``status`` is the whole new status, None when the old one is right. A
    ``status_first`` is written before all else, and the rest is left to the next pass.
    """

    deletions: tuple[Deletion, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    resizes: tuple[Resize, ...] = ()
    creations: tuple[tuple[Creation, ...], ...] = ()
    status: Json | None = None
    status_first: bool = False
    requeue_after_seconds: float = FOREVER


def reconcile(job: TfJob, observed: Children, config: Config, now: datetime) -> Plan:
    """Decide what to change so that the cluster matches ``job``. Performs no I/O.

    Depends only on its arguments, never on which event woke us, so lost and repeated events are
    harmless. A finished job keeps its finished Pods (logs), and never creates.
    """
    if job.deleting or job.run_policy.managed_by not in ("", MANAGED_BY):
        return Plan()
    if status.is_finished(job.status):
        has_new_spec = job.generation != job.status.get("observedGeneration")
        if not (status.failed_for_its_spec(job.status) and has_new_spec):
            return _reconcile_finished(job, observed, now)
        job = job.with_status({})
        if not job.problem:
            return _restart_from_new_spec(job, observed, now)
    if job.problem:
        return _write(job, status.failed(job, status.INVALID_SPEC, job.problem, now))
    factory, verdicts = Factory(job, config), _judge(job, observed)
    success = _success(job, verdicts, observed, now)
    if success:
        return _end(job, observed, factory, success)
    if status.holds(job.status, "Suspended"):
        return _reconcile_suspended(job, observed, now)
    for reason, message in _failures(job, verdicts, observed, now):
        ended = status.failed(job, reason, message, now, verdicts)
        return _end(job, observed, factory, ended)
    if job.run_policy.suspend:
        return _write(job, status.suspended(job, not observed.jobs, now))
    return _reconcile_active(job, verdicts, observed, factory, now)


def _restart_from_new_spec(job: TfJob, observed: Children, now: datetime) -> Plan:
    """The spec was made good: what was made of the old one goes before anything new is made.

    The status comes last, so that a crash in between does all of this again.
    """
    named = [*_named("Service", observed.services), *_named("Deployment", observed.deployments)]
    named += _named("ConfigMap", observed.config_maps)
    named += _named("PodGroup", observed.pod_groups)
    deletions = (*_deletions(observed.jobs.values(), foreground=True), *named)
    first = status.first_status(job, _judge(job, Children()), now)
    return Plan(deletions, status=first, requeue_after_seconds=0.0)


def _reconcile_suspended(job: TfJob, observed: Children, now: datetime) -> Plan:
    """Delete what has not succeeded, and go on afterwards if that is wanted.

    What fails meanwhile fails because others are gone already, so it is not judged.
    """
    to_delete = cleanup.not_succeeded(observed)
    if to_delete or observed.leftovers:
        present = [child for child in to_delete if not child.deleting]
        return Plan(_deletions(present, foreground=True))
    if job.run_policy.suspend:
        return _write(job, status.suspended(job, is_empty=True, now=now))
    return replace(_write(job, status.resumed(job, now)), requeue_after_seconds=0.0)


# ---------------------------------------------------------------------- what the replicas are


def _judge(job: TfJob, observed: Children) -> status.Verdicts:
    verdicts: dict[tuple[str, int], restart.Verdict] = {}
    for replica in job.replicas:
        done = status.completed(job.status, replica.type)
        runs_again = replica.restart_policy == "Always"
        for index, (child, pod) in enumerate(_replicas(job, replica, observed)):
            current = child if child and not child.deleting else None
            if current is None and index in done and not runs_again:
                verdict = restart.Verdict("Succeeded")
            else:
                verdict = restart.judge(current, pod, replica.restart_policy)
            verdicts[replica.type, index] = verdict
    return verdicts


def _replicas(
    job: TfJob, replica: Replica, observed: Children
) -> Iterator[tuple[Job | None, Pod | None]]:
    """For each replica index its Job, as if it had one of its own, and its newest Pod."""
    if not job.is_indexed(replica):
        for index in range(replica.replicas):
            child = observed.jobs.get(job.child(replica.type, index))
            yield child, observed.newest_pod(child) if child else None
        return
    shared = observed.jobs.get(job.indexed_job(replica.type))
    pods = observed.newest_pods(shared) if shared else {}
    for index in range(replica.replicas):
        yield _part(shared, index) if shared else None, pods.get(index)


def _part(shared: Job, index: int) -> Job:
    """An Indexed Job as one of its indexes sees it; that it gave up is told once, for all."""
    done = index in (shared.completed or ())
    return replace(shared, succeeded=done, failed=0, failure="", completed=None)


def _success(
    job: TfJob, verdicts: status.Verdicts, observed: Children, now: datetime
) -> Json | None:
    """The last status, if the job has succeeded: asked first, since the chief decides."""
    decisive = [job.chief]
    if job.success_policy == "AllWorkers":
        decisive += [task for task in verdicts if task[0] == "WORKER"]
    if any(verdicts[task].state != "Succeeded" for task in decisive):
        return None
    chief = observed.jobs.get(job.child(*job.chief))
    pod = observed.newest_pod(chief) if chief else None
    loses_log = bool(pod and pod.has_side_car) and job.run_policy.clean_pod_policy != "None"
    done = status.succeeded(job, verdicts, now, KEEP_THE_LOG if loses_log else "")
    return done if _has_to_clean_up(job, observed) else done | {"phase": "Done"}


def _has_to_clean_up(job: TfJob, observed: Children) -> bool:
    return bool(cleanup.jobs_to_delete(job, observed) or cleanup.jobs_to_suspend(job, observed))


def _failures(
    job: TfJob, verdicts: status.Verdicts, observed: Children, now: datetime
) -> Iterator[tuple[str, str]]:
    """Why the job has failed for good, the most telling first."""
    for (kind, index), verdict in verdicts.items():
        if verdict.state == "Failed":
            message = f"{kind} {index} cannot be tried again: {verdict.message}"
            yield status.REPLICA_FAILED, message
    for child in observed.jobs.values():
        if child.is_indexed and child.failure and not child.deleting:
            yield status.REPLICA_FAILED, f"Job {child.name} failed: {child.failure}"
    limit = job.run_policy.backoff_limit
    if _failed_pods(observed) > limit:
        message = f"More than {limit} Pods failed (runPolicy.backoffLimit)"
        yield status.BACKOFF_LIMIT_EXCEEDED, message
    if deadline.seconds_to_deadline(job, now) <= 0:
        message = f"Ran longer than {job.run_policy.active_deadline_seconds} seconds"
        yield status.DEADLINE_EXCEEDED, message


def _failed_pods(observed: Children) -> int:
    return sum(child.failed for child in observed.jobs.values() if not child.deleting)


def _end(job: TfJob, observed: Children, factory: Factory, ended: Json) -> Plan:
    """Write that the job has ended. TensorBoard outlives it, so it is made now if it is missing."""
    return replace(_write(job, ended), creations=(*_missing_board(observed, factory),))


# ---------------------------------------------------------------------- an active job


def _reconcile_active(
    job: TfJob, verdicts: status.Verdicts, observed: Children, factory: Factory, now: datetime
) -> Plan:
    """Write the first status, then make what is missing, and say how the job goes."""
    try:
        creations = (*_missing(job, observed, factory), *_missing_board(observed, factory))
        is_new = not (status.condition(job.status, "Created") or observed.jobs)
        problem = factory.problem() if is_new else ""
        notes = tuple(factory.notes())
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        if observed.jobs:
            raise  # the templates were good enough before
        why = f"a template cannot be read ({error})"
        return _write(job, status.failed(job, status.INVALID_TEMPLATE, why, now))
    if problem:
        return _write(job, status.failed(job, status.INVALID_SPEC, problem, now))
    if is_new:
        first = status.first_status(job, verdicts, now)
        return Plan(creations=creations, status=first, status_first=True)
    rerun, wake = _reruns(job, observed, now)
    deletions = (*_deletions(rerun, foreground=True), *_pods_to_delete(job, observed))
    deletions += (*_surplus(job, observed),) if job.dynamic_workers else ()
    progress = _progress(job, verdicts, observed, notes, now)
    new = status.active_status(job, replace(progress, is_complete=not creations), now)
    left = deadline.seconds_to_deadline(job.with_status(new), now)
    wake = min(left, wake, _seconds_until_stuck(observed, now))
    if any(creation.alternative for series in creations for creation in series):
        wake = 0.0  # the parameter servers wait for the name of their ConfigMap
    plan = replace(_write(job, new), deletions=deletions, creations=creations)
    return replace(plan, resizes=(*_resizes(job, observed),), requeue_after_seconds=wake)


def _progress(
    job: TfJob,
    verdicts: status.Verdicts,
    observed: Children,
    notes: tuple[str, ...],
    now: datetime,
) -> status.Progress:
    """What the status says of an active job."""
    without_pod = [child for child in observed.jobs.values() if not observed.pods.get(child.uid)]
    blocked = next((observed.warnings.get(child.uid, "") for child in without_pod), "")
    is_ready = tensorboard.name(job) in observed.ready_deployments
    return status.Progress(
        verdicts,
        blocked=blocked,
        waiting=_waiting(job, observed, now),
        notes=notes,
        board_ready=is_ready if job.tensorboard is not None else None,
        failed_pods=_failed_pods(observed),
    )


def _waiting(job: TfJob, observed: Children, now: datetime) -> tuple[str, str] | None:
    """Why the chief's Pod does not run, or else the first other Pod that does not."""
    for replica in sorted(job.replicas, key=lambda each: each.type != job.chief[0]):
        for index, (child, pod) in enumerate(_replicas(job, replica, observed)):
            leftover = observed.leftovers.get(
                child.name if child else job.child(replica.type, index)
            )
            pod = pod or leftover
            found = restart.waits_for(pod, now) if pod else None
            if found:
                return found[0], f"{replica.type} {index}: {found[1]}"
    return None


def _seconds_until_stuck(observed: Children, now: datetime) -> float:
    """When the next Pod that is being deleted should be gone."""
    going = [pod for pods in observed.pods.values() for pod in pods if pod.deleting]
    going += observed.leftovers.values()
    left = [restart.seconds_until_stuck(pod, now) for pod in going]
    return min((seconds for seconds in left if seconds > 0), default=FOREVER)


# ---------------------------------------------------------------------- children to make


def _missing(job: TfJob, observed: Children, factory: Factory) -> Iterator[tuple[Creation, ...]]:
    """Series of children to make: what the Jobs need, then per replica its Service and its Job."""
    shared: list[Creation] = []
    if factory.config.gang_scheduling and gang.group_name(job) not in observed.pod_groups:
        shared.append(factory.pod_group())
    if factory.has_indexed and factory.cluster_map not in observed.config_maps:
        shared.append(factory.cluster_config())
    if factory.has_indexed and factory.host_service not in observed.services:
        shared.append(factory.job_service())
    if shared:
        yield tuple(shared)
    for replica in job.replicas:
        config_map = _ps_config_map(job, observed) if replica.is_default_ps else None
        if replica.is_default_ps and replica.replicas and config_map is None:
            yield (factory.ps_config(),)  # its Jobs follow when its name is known
            yield from _missing_services(job, replica, observed, factory)
        elif job.is_indexed(replica):
            yield from _missing_indexed(job, replica, observed, factory, config_map or "")
        else:
            yield from _missing_replicas(job, replica, observed, factory, config_map or "")


def _ps_config_map(job: TfJob, observed: Children) -> str | None:
    """The ConfigMap of the default parameter servers, under whichever name it could be made."""
    names = parameter_server.config_map_names(job)
    return next((name for name in names if name in observed.config_maps), None)


def _missing_indexed(
    job: TfJob, replica: Replica, observed: Children, factory: Factory, config_map: str
) -> Iterator[tuple[Creation, ...]]:
    name = job.indexed_job(replica.type)
    is_done = len(status.completed(job.status, replica.type)) >= replica.replicas
    if not is_done and name not in observed.jobs:
        yield from _after_leftovers(factory.indexed_job(replica, config_map), observed)


def _missing_replicas(
    job: TfJob, replica: Replica, observed: Children, factory: Factory, config_map: str
) -> Iterator[tuple[Creation, ...]]:
    """No Job is made before the Pod of its predecessor is gone, nor for a replica that is done."""
    done = status.completed(job.status, replica.type) if replica.restart_policy != "Always" else ()
    for index in range(replica.replicas):
        name, series = job.child(replica.type, index), []
        if name not in observed.services:
            series.append(factory.service(replica, index))
        if name not in observed.jobs and index not in done:
            child = factory.batch_job(replica, index, config_map)
            series += [each for found in _after_leftovers(child, observed) for each in found]
        if series:
            yield tuple(series)


def _after_leftovers(child: Creation, observed: Children) -> Iterator[tuple[Creation, ...]]:
    """The Job, if no Pod of its predecessor is left.

    A Pod that nobody deletes belongs to a Job that exists, and that lost its labels by hand.
    """
    leftover = observed.leftovers.get(child.name)
    if leftover is None:
        yield (child,)
    elif not leftover.deleting:
        yield (replace(child, only_repair=True),)


def _missing_services(
    job: TfJob, replica: Replica, observed: Children, factory: Factory
) -> Iterator[tuple[Creation, ...]]:
    if not job.is_indexed(replica):
        for index in range(replica.replicas):
            if job.child(replica.type, index) not in observed.services:
                yield (factory.service(replica, index),)


def _missing_board(observed: Children, factory: Factory) -> Iterator[tuple[Creation, ...]]:
    """TensorBoard's Deployment and Service, which do not wait for each other."""
    if factory.job.tensorboard is None:
        return
    name = tensorboard.name(factory.job)
    if name not in observed.deployments:
        yield (factory.tensorboard_deployment(),)
    if name not in observed.services:
        yield (factory.tensorboard_service(),)


# ---------------------------------------------------------------------- children to change


def _surplus(job: TfJob, observed: Children) -> Iterator[Deletion]:
    """Children of workers that the spec no longer has."""
    wanted = {job.child(replica.type, index) for replica, index in job.tasks}
    prefix = job.child("WORKER", 0)[:-1]
    present = [child for child in observed.jobs.values() if not child.deleting]
    found = _deletions(present, foreground=True) + _named("Service", observed.services)
    for deletion in found:
        if deletion.name.startswith(prefix) and deletion.name not in wanted:
            yield deletion


def _resizes(job: TfJob, observed: Children) -> Iterator[Resize]:
    """Indexed Jobs whose number of replicas has changed."""
    for replica in job.replicas:
        child = observed.jobs.get(job.indexed_job(replica.type))
        is_other = child is not None and child.completions != replica.replicas
        if child and job.is_indexed(replica) and is_other and not child.is_finished:
            yield Resize(child.name, child.uid, replica.replicas)


def _pods_to_delete(job: TfJob, observed: Children) -> Iterator[Deletion]:
    """Pods whose program is to be tried again while a side-car runs on. Each counts as failed."""
    for replica in job.replicas:
        for _, pod in _replicas(job, replica, observed):
            if pod and restart.must_be_replaced(pod, replica.restart_policy):
                yield Deletion("Pod", pod.name, pod.uid)


def _reruns(job: TfJob, observed: Children, now: datetime) -> tuple[list[Job], float]:
    """Jobs of replicas that run again although their Job ended well (without them, new ones are
    made), and in how many seconds there will be another."""
    seconds: dict[str, float] = {}
    for replica in job.replicas:
        if job.is_indexed(replica):
            continue
        for index, (child, pod) in enumerate(_replicas(job, replica, observed)):
            if child is None or child.deleting:
                continue
            if restart.must_run_again(child, pod):
                seconds[child.name] = 0.0
            elif (replica.type, index) != job.chief:
                left = restart.seconds_to_rerun(child, replica.restart_policy, now)
                seconds[child.name] = left
    due = [observed.jobs[name] for name, left in seconds.items() if left <= 0]
    return due, min((left for left in seconds.values() if left > 0), default=FOREVER)


def _reconcile_finished(job: TfJob, observed: Children, now: datetime) -> Plan:
    """Delete what the job still holds, keep the logs, and go when the time has come."""
    left = deadline.seconds_to_deletion(job, now)
    if left <= 0:
        return Plan((Deletion("TfJob", job.name, job.uid),))
    to_delete = cleanup.jobs_to_delete(job, observed)
    to_suspend = cleanup.jobs_to_suspend(job, observed)
    grace = deadline.seconds_to_cleanup(job, now)
    services = cleanup.services_to_delete(job, observed, tensorboard.name(job))
    if (to_delete or to_suspend or services) and grace > 0:
        return Plan(requeue_after_seconds=min(grace, left))
    new = {**job.status, "observedGeneration": job.generation}
    if new["phase"] == "CleanUp":
        gone = {child.name for child in to_delete}
        kept = {name: child for name, child in observed.jobs.items() if name not in gone}
        verdicts = _judge(job, replace(observed, jobs=kept))
        new |= {"phase": "Done"} | status.replica_fields(job, verdicts)
    suspensions = tuple(Suspension(child.name, child.uid) for child in to_suspend)
    deletions = (*_deletions(to_delete), *_named("Service", services))
    plan = replace(_write(job, new), deletions=deletions, suspensions=suspensions)
    return replace(plan, requeue_after_seconds=left)


def _deletions(jobs: Iterable[Job], *, foreground: bool = False) -> tuple[Deletion, ...]:
    return tuple(Deletion("Job", child.name, child.uid, foreground) for child in jobs)


def _named(kind: str, uids: Mapping[str, str]) -> tuple[Deletion, ...]:
    """Deletions of objects of which only name and UID are known."""
    return tuple(Deletion(kind, name, uid) for name, uid in uids.items())


def _write(job: TfJob, new: Json) -> Plan:
    return Plan(status=new) if new != job.status else Plan()
