"""The decisions of one pass: a TfJob and its observed children in, a Plan out. No I/O.

The controller calls ``reconcile`` for each key from its queue, and applies the Plan. This file is
the whole behaviour of the operator, in reading order.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from kube_runtime import conditions

from . import children, cleanup, deadline, reasons, restart, status, tensorboard
from .config import Config
from .observed import Children
from .plan import Deletion, JobPatch, Plan
from .resources import Factory
from .spec import MANAGED_BY, Json, TfJob

LOG_IS_LOST = (
    "; its side-car still runs, so the Pod is deleted, and its log with it. To keep the log, make "
    "it a native side-car (initContainers, restartPolicy: Always), which ends by itself"
)


def reconcile(job: TfJob, observed: Children, config: Config, now: datetime) -> Plan:
    """Decide what to change so that the cluster matches ``job``. Performs no I/O.

    Depends only on its arguments, never on the event that caused the pass, so lost and repeated
    events are harmless. A finished job keeps its finished Pods (logs), and creates nothing.
    """
    if job.deleting or job.run_policy.managed_by not in ("", MANAGED_BY):
        return Plan()
    if status.is_finished(job.status):
        has_new_spec = job.generation != job.status.get("observedGeneration")
        if not (status.failed_for_its_spec(job.status) and has_new_spec):
            return _reconcile_finished(job, observed, now)
        job = job.with_status({})  # begin again with the new spec
        if not job.problem:
            return _restart_from_new_spec(job, observed, now)
    if job.problem:
        return _write(job, status.failed(job, reasons.INVALID_SPEC, job.problem, now))
    factory, replicas = Factory(job, config), children.observed_replicas(job, observed)
    verdicts = _judge(job, replicas)
    if success := _success_status(job, verdicts, observed, now):
        return _write_end(job, observed, factory, success)
    if conditions.holds(job.status, "Suspended"):
        return _reconcile_suspended(job, observed, now)
    if failure := next(_failures(job, verdicts, observed, now), None):
        failed = status.failed(job, *failure, now, verdicts)
        return _write_end(job, observed, factory, failed)
    if job.run_policy.suspend:
        return _write(job, status.suspended(job, not observed.jobs, now))
    return _reconcile_active(job, replicas, verdicts, observed, factory, now)


def _restart_from_new_spec(job: TfJob, observed: Children, now: datetime) -> Plan:
    """The user corrected an invalid spec: delete the children of the old spec, then start again.

    The status is written last, so after a crash in between the next pass does it all again.
    """
    deletions = (
        *children.job_deletions(observed.jobs.values(), foreground=True),
        *children.named_deletions("Service", observed.services),
        *children.named_deletions("Deployment", observed.deployments),
        *children.named_deletions("ConfigMap", observed.config_maps),
        *children.named_deletions("PodGroup", observed.pod_groups),
    )
    replicas = children.observed_replicas(job, Children())
    first = status.first_status(job, _judge(job, replicas), now)
    return Plan(deletions, status=first, requeue_after_seconds=0.0)


def _reconcile_suspended(job: TfJob, observed: Children, now: datetime) -> Plan:
    """Delete the Jobs that have not succeeded; once they are gone, resume if the spec says so.

    A replica that fails here fails because the others were deleted, so no failure is judged.
    """
    to_delete = cleanup.not_succeeded(observed)
    if to_delete or observed.leftovers:
        present = [child for child in to_delete if not child.deleting]
        return Plan(children.job_deletions(present, foreground=True))
    if job.run_policy.suspend:
        return _write(job, status.suspended(job, is_empty=True, now=now))
    return replace(_write(job, status.resumed(job, now)), requeue_after_seconds=0.0)


# ---------------------------------------------------------------------- judging the replicas


def _judge(job: TfJob, replicas: Iterable[children.Replica]) -> status.Verdicts:
    """A verdict for each replica. One that succeeded stays so if its Job is deleted by hand."""
    verdicts: dict[tuple[str, int], restart.Verdict] = {}
    done = {spec.type: status.completed(job.status, spec.type) for spec in job.replicas}
    for replica in replicas:
        policy = replica.spec.restart_policy
        current = replica.job if replica.job and not replica.job.deleting else None
        if current is None and replica.index in done[replica.spec.type] and policy != "Always":
            verdicts[replica.task] = restart.Verdict("Succeeded")
        else:
            verdicts[replica.task] = restart.judge(current, replica.pod, policy)
    return verdicts


def _success_status(
    job: TfJob, verdicts: status.Verdicts, observed: Children, now: datetime
) -> Json | None:
    """The final status if the job has succeeded, else None. Its phase is Done at once if no Job
    has to be cleaned up."""
    decisive = [job.chief]
    if job.success_policy == "AllWorkers":
        decisive += [task for task in verdicts if task[0] == "WORKER"]
    if any(verdicts[task].state != "Succeeded" for task in decisive):
        return None
    chief = observed.jobs.get(job.child_name(*job.chief))
    pod = observed.newest_pod(chief) if chief else None
    loses_log = bool(pod and pod.waits_for_side_car) and job.run_policy.clean_pod_policy != "None"
    succeeded = status.succeeded(job, verdicts, now, LOG_IS_LOST if loses_log else "")
    if cleanup.jobs_to_delete(job, observed) or cleanup.jobs_to_suspend(job, observed):
        return succeeded
    return succeeded | {"phase": "Done"}


def _failures(
    job: TfJob, verdicts: status.Verdicts, observed: Children, now: datetime
) -> Iterator[tuple[str, str]]:
    """(reason, message) of each cause why the job has failed for good, most important first."""
    for (kind, index), verdict in verdicts.items():
        if verdict.state == "Failed":
            message = f"{kind} {index} cannot be tried again: {verdict.message}"
            yield reasons.REPLICA_FAILED, message
    for child in observed.jobs.values():
        if child.is_indexed and child.failure and not child.deleting:
            yield reasons.REPLICA_FAILED, f"Job {child.name} failed: {child.failure}"
    limit = job.run_policy.backoff_limit
    if _failed_pods(observed) > limit:
        message = f"More than {limit} Pods failed (runPolicy.backoffLimit)"
        yield reasons.BACKOFF_LIMIT_EXCEEDED, message
    if deadline.seconds_to_deadline(job, now) <= 0:
        message = f"Ran longer than {job.run_policy.active_deadline_seconds} seconds"
        yield reasons.DEADLINE_EXCEEDED, message


def _failed_pods(observed: Children) -> int:
    return sum(child.failed for child in observed.jobs.values() if not child.deleting)


def _write_end(job: TfJob, observed: Children, factory: Factory, ended: Json) -> Plan:
    """Write the final status. TensorBoard outlives the job, so create it now if it is missing."""
    return replace(_write(job, ended), creations=(*children.missing_board(observed, factory),))


# ---------------------------------------------------------------------- an active job


def _reconcile_active(
    job: TfJob,
    replicas: list[children.Replica],
    verdicts: status.Verdicts,
    observed: Children,
    factory: Factory,
    now: datetime,
) -> Plan:
    """Write the first status; in later passes create what is missing and report progress."""
    try:
        creations = *children.missing(observed, factory), *children.missing_board(observed, factory)
        is_new = not (conditions.find(job.status, "Created") or observed.jobs)
        problem = factory.problem() if is_new else ""
        notes = tuple(factory.notes())
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        if observed.jobs:
            raise  # the templates were valid before, so the job does not fail; the pass is retried
        why = f"a template cannot be read ({error})"
        return _write(job, status.failed(job, reasons.INVALID_TEMPLATE, why, now))
    if problem:
        return _write(job, status.failed(job, reasons.INVALID_SPEC, problem, now))
    if is_new:
        first = status.first_status(job, verdicts, now)
        return Plan(creations=creations, status=first, status_first=True)
    reruns = children.seconds_to_reruns(job, replicas, now)
    due = [observed.jobs[name] for name, left in reruns.items() if left <= 0]
    deletions = (
        *children.job_deletions(due, foreground=True),
        *children.pods_to_delete(replicas),
        *(children.surplus(job, observed) if job.dynamic_workers else ()),
    )
    progress = _progress(job, verdicts, observed)
    waiting = children.waiting(job, replicas, observed, now)
    progress = replace(progress, waiting=waiting, is_complete=not creations, notes=notes)
    new = status.active_status(job, progress, now)
    requeue_after = min(
        *(left for left in reruns.values() if left > 0),
        deadline.seconds_to_deadline(job.with_status(new), now),
        children.seconds_until_stuck(observed, now),
    )
    if any(creation.alternative for series in creations for creation in series):
        requeue_after = 0.0  # the next pass knows the ConfigMap's name, and creates the PS Jobs
    return replace(
        _write(job, new),
        deletions=deletions,
        patches=(*children.resizes(job, observed),),
        creations=creations,
        requeue_after_seconds=requeue_after,
    )


def _progress(job: TfJob, verdicts: status.Verdicts, observed: Children) -> status.Progress:
    """What the children say for the status of an active job."""
    without_pod = [child for child in observed.jobs.values() if not observed.pods.get(child.uid)]
    blocked = next((observed.warnings.get(child.uid, "") for child in without_pod), "")
    return status.Progress(
        verdicts,
        blocked=blocked,
        board=_board_condition(job, observed),
        failed_pods=_failed_pods(observed),
    )


def _board_condition(job: TfJob, observed: Children) -> conditions.NewCondition | None:
    """The condition TensorBoardReady; None without a TensorBoard."""
    name = tensorboard.name(job)
    if job.tensorboard is None:
        return None
    if name not in observed.deployments:
        return False, reasons.UNAVAILABLE, "TensorBoard has no Deployment"
    if name in observed.unavailable:
        return False, *observed.unavailable[name]
    return True, reasons.AVAILABLE, "TensorBoard answers"


# ---------------------------------------------------------------------- a job that has ended


def _reconcile_finished(job: TfJob, observed: Children, now: datetime) -> Plan:
    """Clean up after a grace period; after ttlSecondsAfterFinished delete the TfJob."""
    left = deadline.seconds_to_deletion(job, now)
    if left <= 0:
        return Plan((Deletion("TfJob", job.name, job.uid),))
    plan = _clean_up(job, observed, now)
    grace = deadline.seconds_to_cleanup(job, now)
    if grace > 0 and (plan.deletions or plan.patches):
        return Plan(requeue_after_seconds=min(grace, left))
    return replace(plan, requeue_after_seconds=left)


def _clean_up(job: TfJob, observed: Children, now: datetime) -> Plan:
    """Apply cleanPodPolicy, which keeps logs, and write what the job has come to."""
    to_delete = cleanup.jobs_to_delete(job, observed)
    to_suspend = cleanup.jobs_to_suspend(job, observed)
    services = cleanup.services_to_delete(job, observed, tensorboard.name(job))
    deletions = (*children.job_deletions(to_delete), *children.named_deletions("Service", services))
    patches = tuple(JobPatch(child.name, child.uid, {"suspend": True}) for child in to_suspend)
    new = {**job.status, "observedGeneration": job.generation}
    if new["phase"] == "CleanUp":
        expected = cleanup.expected(observed, to_delete, to_suspend)
        verdicts = _judge(job, children.observed_replicas(job, expected))
        new |= {"phase": "Done"} | status.replica_fields(job, verdicts)
    board = _board_condition(job, observed)
    if board and (observed.deployments or conditions.find(new, "TensorBoardReady")):
        new = status.with_board(new, board, now)
    return replace(_write(job, new), deletions=deletions, patches=patches)


def _write(job: TfJob, new: Json) -> Plan:
    """A Plan that writes the status, if it differs from the old one."""
    return Plan(status=new) if new != job.status else Plan()
