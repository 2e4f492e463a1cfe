"""One pass over one job: from what is wanted and what is there to what is to be done.

The controller calls ``reconcile`` for every key that its queue yields and applies the Plan.
No I/O happens here: this file is the whole behaviour of the operator, read from top to bottom.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from . import children, cleanup, conditions, deadline, restart, status, tensorboard
from .config import Config
from .observed import Children
from .plan import Deletion, JobPatch, Plan
from .resources import Factory
from .spec import MANAGED_BY, Json, TfJob

KEEP_THE_LOG = (
    "; its side-car still runs, so the Pod is deleted and its log goes with it: as a native "
    "side-car (initContainers, restartPolicy: Always) it would end by itself, and the log stay"
)


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
        return _write(job, status.failed(job, conditions.INVALID_SPEC, job.problem, now))
    factory, verdicts = Factory(job, config), _judge(job, observed)
    success = _success(job, verdicts, observed, now)
    if success:
        return _end(job, observed, factory, success)
    if conditions.holds(job.status, "Suspended"):
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
    named = [
        *children.named("Service", observed.services),
        *children.named("Deployment", observed.deployments),
    ]
    named += children.named("ConfigMap", observed.config_maps)
    named += children.named("PodGroup", observed.pod_groups)
    deletions = (*children.deletions(observed.jobs.values(), foreground=True), *named)
    first = status.first_status(job, _judge(job, Children()), now)
    return Plan(deletions, status=first, requeue_after_seconds=0.0)


def _reconcile_suspended(job: TfJob, observed: Children, now: datetime) -> Plan:
    """Delete what has not succeeded, and go on afterwards if that is wanted.

    What fails meanwhile fails because others are gone already, so it is not judged.
    """
    to_delete = cleanup.not_succeeded(observed)
    if to_delete or observed.leftovers:
        present = [child for child in to_delete if not child.deleting]
        return Plan(children.deletions(present, foreground=True))
    if job.run_policy.suspend:
        return _write(job, status.suspended(job, is_empty=True, now=now))
    return replace(_write(job, status.resumed(job, now)), requeue_after_seconds=0.0)


# ---------------------------------------------------------------------- what the replicas are


def _judge(job: TfJob, observed: Children) -> status.Verdicts:
    verdicts: dict[tuple[str, int], restart.Verdict] = {}
    for replica in job.replicas:
        done = status.completed(job.status, replica.type)
        runs_again = replica.restart_policy == "Always"
        for index, (child, pod) in enumerate(children.replicas(job, replica, observed)):
            current = child if child and not child.deleting else None
            if current is None and index in done and not runs_again:
                verdict = restart.Verdict("Succeeded")
            else:
                verdict = restart.judge(current, pod, replica.restart_policy)
            verdicts[replica.type, index] = verdict
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
            yield conditions.REPLICA_FAILED, message
    for child in observed.jobs.values():
        if child.is_indexed and child.failure and not child.deleting:
            yield conditions.REPLICA_FAILED, f"Job {child.name} failed: {child.failure}"
    limit = job.run_policy.backoff_limit
    if _failed_pods(observed) > limit:
        message = f"More than {limit} Pods failed (runPolicy.backoffLimit)"
        yield conditions.BACKOFF_LIMIT_EXCEEDED, message
    if deadline.seconds_to_deadline(job, now) <= 0:
        message = f"Ran longer than {job.run_policy.active_deadline_seconds} seconds"
        yield conditions.DEADLINE_EXCEEDED, message


def _failed_pods(observed: Children) -> int:
    return sum(child.failed for child in observed.jobs.values() if not child.deleting)


def _end(job: TfJob, observed: Children, factory: Factory, ended: Json) -> Plan:
    """Write that the job has ended. TensorBoard outlives it, so it is made now if it is missing."""
    return replace(_write(job, ended), creations=(*children.missing_board(observed, factory),))


# ---------------------------------------------------------------------- an active job


def _reconcile_active(
    job: TfJob, verdicts: status.Verdicts, observed: Children, factory: Factory, now: datetime
) -> Plan:
    """Write the first status, then make what is missing, and say how the job goes."""
    try:
        creations = (
            *children.missing(job, observed, factory),
            *children.missing_board(observed, factory),
        )
        is_new = not (conditions.find(job.status, "Created") or observed.jobs)
        problem = factory.problem() if is_new else ""
        notes = tuple(factory.notes())
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        if observed.jobs:
            raise  # the templates were good enough before
        why = f"a template cannot be read ({error})"
        return _write(job, status.failed(job, conditions.INVALID_TEMPLATE, why, now))
    if problem:
        return _write(job, status.failed(job, conditions.INVALID_SPEC, problem, now))
    if is_new:
        first = status.first_status(job, verdicts, now)
        return Plan(creations=creations, status=first, status_first=True)
    rerun, wake = children.reruns(job, observed, now)
    deletions = (
        *children.deletions(rerun, foreground=True),
        *children.pods_to_delete(job, observed),
    )
    deletions += (*children.surplus(job, observed),) if job.dynamic_workers else ()
    progress = _progress(job, verdicts, observed, notes, now)
    new = status.active_status(job, replace(progress, is_complete=not creations), now)
    left = deadline.seconds_to_deadline(job.with_status(new), now)
    wake = min(left, wake, children.seconds_until_stuck(observed, now))
    if any(creation.alternative for series in creations for creation in series):
        wake = 0.0  # the parameter servers wait for the name of their ConfigMap
    plan = replace(_write(job, new), deletions=deletions, creations=creations)
    return replace(plan, patches=(*children.resizes(job, observed),), requeue_after_seconds=wake)


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
        waiting=children.waiting(job, observed, now),
        notes=notes,
        board_ready=is_ready if job.tensorboard is not None else None,
        failed_pods=_failed_pods(observed),
    )


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
        pods = dict(observed.pods)
        for child in to_suspend:  # of these only the finished Pods stay
            pods[child.uid] = tuple(pod for pod in pods.get(child.uid, ()) if pod.is_finished)
        verdicts = _judge(job, replace(observed, jobs=kept, pods=pods))
        new |= {"phase": "Done"} | status.replica_fields(job, verdicts)
    patches = tuple(JobPatch(child.name, child.uid, {"suspend": True}) for child in to_suspend)
    deletions = (*children.deletions(to_delete), *children.named("Service", services))
    plan = replace(_write(job, new), deletions=deletions, patches=patches)
    return replace(plan, requeue_after_seconds=left)


def _write(job: TfJob, new: Json) -> Plan:
    return Plan(status=new) if new != job.status else Plan()
