"""One pass over one job: from what is wanted and what is there to what is to be done.

The controller calls ``reconcile`` for every key that its queue yields and carries out the Plan.
No I/O happens here: this file is the whole behaviour of the operator, read from top to bottom.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from . import cleanup, deadline, resources, restart, status, tensorboard
from .config import Config
from .observed import Children, Job
from .spec import FOREVER, MANAGED_BY, Json, TfJob

LOOK_AGAIN_SECONDS = 10.0  # for what depends on other jobs, whose news wake nobody here


@dataclass(frozen=True)
class Deletion:
    """An object to delete, and no other of the same name."""

    kind: str
    name: str
    uid: str


@dataclass(frozen=True)
class Suspension:
    """A Job that is to start no further Pod, and no other of the same name."""

    name: str
    uid: str


@dataclass(frozen=True)
class Plan:
    """What to do, in this order, up to the first failure.

    What would be lost by mistake is let go only when the status has said why: the write of a status
    is refused to who decided by an old object, a deletion is not. (Children of a bad spec go first:
    they are of no use.)

    Each series of ``creations`` is made in its order and ends with its first failure; the series
    are independent. ``status`` is the whole new status, None when the old one is right; unless
    ``is_urgent`` it may be put off, to gather more news.
    """

    deletions: tuple[Deletion, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    creations: tuple[tuple[Json, ...], ...] = ()
    status: Json | None = None
    is_urgent: bool = False
    wake_seconds: float = FOREVER


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
            return _after_the_end(job, observed, now)
        job = job.with_status({})
        if not job.problem:
            return _begin_anew(job, observed, now)
    if job.problem:
        return _write(job, status.failed(job, status.INVALID_SPEC, job.problem, now))
    verdicts = _judge(job, observed)
    success = _success(job, verdicts, observed, now)
    if success:
        return _write(job, success)
    if status.holds(job.status, "Suspended"):
        return _while_suspended(job, observed, now)
    for reason, message in _failures(job, verdicts, observed, now):
        return _write(job, status.failed(job, reason, message, now, verdicts))
    if job.run_policy.suspend:
        return _write(job, status.suspended(job, now))
    return _go_on(job, verdicts, observed, config, now)


def _begin_anew(job: TfJob, observed: Children, now: datetime) -> Plan:
    """The spec was made good: what was made of the old one goes before anything new is made.

    The status comes last, so that a crash in between does all of this again.
    """
    named = _named("Service", observed.services) + _named("Deployment", observed.deployments)
    deletions = _deletions(observed.jobs.values()) + named
    return Plan(deletions, status=status.started(job, now), is_urgent=True, wake_seconds=0.0)


def _while_suspended(job: TfJob, observed: Children, now: datetime) -> Plan:
    """Let go of what has not succeeded, and go on afterwards if that is wanted.

    What fails meanwhile fails because others are gone already, so it is not judged.
    """
    doomed = cleanup.not_succeeded(observed)
    if doomed:
        return Plan(_deletions(doomed))
    if job.run_policy.suspend:
        return _write(job, status.suspended(job, now))
    return replace(_write(job, status.resumed(job, now)), wake_seconds=0.0)


def _judge(job: TfJob, observed: Children) -> status.Verdicts:
    verdicts: dict[tuple[str, int], restart.Verdict] = {}
    for replica, index in job.tasks:
        child = observed.jobs.get(job.child(replica.type, index))
        pod = observed.newest_pod(child) if child else None
        verdicts[replica.type, index] = restart.judge(child, pod, replica.restart_policy)
    return verdicts


def _success(
    job: TfJob, verdicts: status.Verdicts, observed: Children, now: datetime
) -> Json | None:
    """The last status, if the job has succeeded: asked first, since the chief decides."""
    decisive = [job.chief]
    if job.success_policy == "AllWorkers":
        decisive += [task for task in verdicts if task[0] == "WORKER"]
    if any(verdicts[task].state != "Succeeded" for task in decisive):
        return None
    done = status.succeeded(job, verdicts, now)
    return done if cleanup.jobs_to_delete(job, observed) else done | {"phase": "Done"}


def _failures(
    job: TfJob, verdicts: status.Verdicts, observed: Children, now: datetime
) -> Iterator[tuple[str, str]]:
    """Why the job has failed for good, the most telling first."""
    for (kind, index), verdict in verdicts.items():
        if verdict.state == "Failed":
            message = f"{kind} {index} cannot be tried again: {verdict.message}"
            yield status.REPLICA_FAILED, message
    limit = job.run_policy.backoff_limit
    if sum(child.failed for child in observed.jobs.values()) > limit:
        message = f"More than {limit} Pods failed (runPolicy.backoffLimit)"
        yield status.BACKOFF_LIMIT_EXCEEDED, message
    if deadline.seconds_to_deadline(job, now) <= 0:
        message = f"Ran longer than {job.run_policy.active_deadline_seconds} seconds"
        yield status.DEADLINE_EXCEEDED, message


def _go_on(
    job: TfJob, verdicts: status.Verdicts, observed: Children, config: Config, now: datetime
) -> Plan:
    """Make what is missing; when nothing is, say how it goes."""
    try:
        creations = tuple(_missing(job, observed, config))
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        if observed.jobs:
            raise  # the templates were good enough before
        why = f"a template cannot be read ({error})"
        return _write(job, status.failed(job, status.INVALID_TEMPLATE, why, now))
    rerun, wake = _reruns(job, observed, now)
    deletions = (*_deletions(rerun), *(_surplus(job, observed) if job.dynamic_workers else ()))
    if creations or deletions:
        return Plan(deletions, creations=creations)
    waiting = [child for child in observed.jobs.values() if not observed.pods.get(child.uid)]
    blocked = next((observed.warnings.get(child.uid, "") for child in waiting), "")
    new = status.at_work(job, verdicts, blocked, now)
    left = deadline.seconds_to_deadline(job.with_status(new), now)
    return replace(_write(job, new), is_urgent=False, wake_seconds=min(left, wake))


def _missing(job: TfJob, observed: Children, config: Config) -> Iterator[tuple[Json, ...]]:
    """Series of children to make: per replica its Service, then its Job.

    The default PS share a ConfigMap, which is made before the first of their Jobs: where all of
    these are, it is too, and no request is spent on looking.
    """
    default_ps: list[Json] = []
    for replica, index in job.tasks:
        name, series = job.child(replica.type, index), []
        if name not in observed.services:
            series.append(resources.service(job, replica, index, config))
        if name not in observed.jobs:
            series.append(resources.batch_job(job, replica, index, config))
        if replica.is_default_ps:
            default_ps += series
        elif series:
            yield tuple(series)
    if any(child["kind"] == "Job" for child in default_ps):
        default_ps.insert(0, resources.config_map(job, config))
    if default_ps:
        yield tuple(default_ps)
    if job.tensorboard is not None:
        if tensorboard.name(job) not in observed.deployments:
            yield (resources.tensorboard_deployment(job, config),)
        if tensorboard.name(job) not in observed.services:
            yield (resources.tensorboard_service(job),)


def _surplus(job: TfJob, observed: Children) -> Iterator[Deletion]:
    """Children of workers that the spec no longer has."""
    wanted = {job.child(replica.type, index) for replica, index in job.tasks}
    prefix = job.child("WORKER", 0)[:-1]
    present = [child for child in observed.jobs.values() if not child.deleting]
    for deletion in _deletions(present) + _named("Service", observed.services):
        if deletion.name.startswith(prefix) and deletion.name not in wanted:
            yield deletion


def _reruns(job: TfJob, observed: Children, now: datetime) -> tuple[list[Job], float]:
    """Jobs of replicas that run again although they ended well (without them, new ones are made),
    and in how many seconds there will be another."""
    seconds = {}
    for replica, index in job.tasks:
        child = observed.jobs.get(job.child(replica.type, index))
        if child and (replica.type, index) != job.chief:
            seconds[child] = restart.seconds_to_rerun(child, replica.restart_policy, now)
    due = [child for child, left in seconds.items() if left <= 0]
    return due, min((left for left in seconds.values() if left > 0), default=FOREVER)


def _after_the_end(job: TfJob, observed: Children, now: datetime) -> Plan:
    """Let go of what the job still holds, keep the logs, and go when the time has come."""
    left = deadline.seconds_to_deletion(job, now)
    if left <= 0:
        return Plan((Deletion("TfJob", job.name, job.uid),))
    doomed, tired = cleanup.jobs_to_delete(job, observed), cleanup.jobs_to_suspend(job, observed)
    grace = deadline.seconds_to_cleanup(job, observed.job_controller_is_behind, now)
    if (doomed or tired) and grace > 0:
        return Plan(wake_seconds=min(grace, LOOK_AGAIN_SECONDS, left))
    new = {**job.status, "observedGeneration": job.generation}
    if new["phase"] == "CleanUp":
        gone = {child.name for child in doomed}
        kept = {name: child for name, child in observed.jobs.items() if name not in gone}
        verdicts = _judge(job, replace(observed, jobs=kept))
        new |= {"phase": "Done"} | status.replica_fields(job, verdicts)
    suspensions = tuple(Suspension(child.name, child.uid) for child in tired)
    plan = replace(_write(job, new), deletions=_deletions(doomed), suspensions=suspensions)
    return replace(plan, wake_seconds=left)


def _deletions(jobs: Iterable[Job]) -> tuple[Deletion, ...]:
    return tuple(Deletion("Job", child.name, child.uid) for child in jobs)


def _named(kind: str, uids: Mapping[str, str]) -> tuple[Deletion, ...]:
    """Deletions of objects of which only name and UID are known."""
    return tuple(Deletion(kind, name, uid) for name, uid in uids.items())


def _write(job: TfJob, new: Json) -> Plan:
    return Plan(status=new, is_urgent=True) if new != job.status else Plan()
