"""The decisions of one pass: a TfJob and its observed children in, a Plan out. No I/O.

The controller calls ``reconcile`` for each key from its queue, and applies the Plan. This file is
the whole behaviour of the operator, in reading order; ``outcome`` judges the job.
"""

from dataclasses import replace
from datetime import datetime

from kube_runtime import changes, conditions
from kube_runtime.changes import Creation, Deletion, SpecPatch
from kube_runtime.kube import Json
from kube_runtime.objects import READ_ERRORS
from tfjob_api import reasons
from tfjob_api.spec import MANAGED_BY, TfJob

from . import children, cleanup, deadline, outcome, status, tensorboard
from .config import Config
from .observed import Children
from .plan import Plan
from .resources import Factory


def reconcile(job: TfJob, observed: Children, config: Config, now: datetime) -> Plan:
    """Decide what to change so that the cluster matches ``job``. Performs no I/O.

    Depends only on its arguments, never on the event that caused the pass, so lost and repeated
    events are harmless. A finished job keeps its finished Pods (logs), and creates nothing.
    """
    if job.deleting or job.run_policy.managed_by not in ("", MANAGED_BY):
        return Plan()
    if job.is_finished:
        has_new_spec = job.generation != job.status.get("observedGeneration")
        if not (job.failed_for_its_spec and has_new_spec):
            return _reconcile_finished(job, observed, now)
        job = job.with_status({})  # begin again with the new spec
        if not job.problem:
            return _restart_from_new_spec(job, observed, now)
    if job.problem:
        return _write(job, status.failed(job, reasons.INVALID_SPEC, job.problem, now))
    factory, replicas = Factory(job, config), children.observed_replicas(job, observed)
    verdicts = outcome.judge_all(job, replicas)
    if success := outcome.success_status(job, verdicts, observed, now):
        return _write_end(job, observed, factory, success)
    if conditions.holds(job.status, "Suspended"):
        return _reconcile_suspended(job, observed, factory, now)
    if failure := next(outcome.failures(job, verdicts, observed, now), None):
        failed = status.failed(job, *failure, now, verdicts)
        return _write_end(job, observed, factory, failed)
    if job.run_policy.suspend:
        is_empty = not (observed.jobs or observed.leftovers)
        job = job.with_status(job.status | status.replica_fields(job, verdicts))  # who succeeded
        return replace(_write(job, status.suspended(job, is_empty, now)), requeue_after_seconds=0.0)
    return _reconcile_active(job, replicas, verdicts, observed, factory, now)


def _restart_from_new_spec(job: TfJob, observed: Children, now: datetime) -> Plan:
    """The user corrected an invalid spec: delete the children of the old spec, then start again.

    The status is written last, so after a crash in between the next pass does it all again.
    """
    jobs = children.job_deletions(observed.jobs.values(), foreground=True)
    deletions = *jobs, *children.all_but_jobs(observed)
    verdicts = outcome.judge_all(job, children.observed_replicas(job, Children()))
    first = status.first_status(job, verdicts, now)
    return Plan(deletions, status=first, requeue_after_seconds=0.0)


def _reconcile_suspended(job: TfJob, observed: Children, factory: Factory, now: datetime) -> Plan:
    """Delete the Jobs that have not succeeded; once they are gone, resume if the spec says so.

    The spec may change after that, so what was made from it goes too. A replica that fails here
    fails because the others were deleted, so no failure is judged.
    """
    to_delete = cleanup.not_succeeded(observed)
    if to_delete or observed.leftovers:
        present = [child for child in to_delete if not child.deleting]
        orphans = changes.deletions("Pod", observed.orphans)
        deletions = (*children.job_deletions(present, foreground=True), *orphans)
        replicas = children.observed_replicas(job, observed)
        # Of a replica whose Job is gone there may be a Pod: ``waiting`` looks for it.
        stopping = [each for each in replicas if not each.pod or each.pod.deleting]
        waiting = {"Waiting": children.waiting(job, stopping, observed, now)}
        new = status.merge({**job.status, "observedGeneration": job.generation}, waiting, now)
        stuck = children.seconds_until_stuck(observed, now)
        return replace(_write(job, new), deletions=deletions, requeue_after_seconds=stuck)
    kept = tensorboard.name(job) if job.tensorboard else ""
    if others := tuple(children.all_but_jobs(observed, kept)):
        return Plan(others)
    if job.run_policy.suspend:
        suspended = status.suspended(job, is_empty=True, now=now)
        return _write(job, _with_board(job, suspended, observed, now))
    patches = (*children.board_changes(observed, factory),)
    return Plan(patches=patches, status=status.resumed(job, now), requeue_after_seconds=0.0)


def _write_end(job: TfJob, observed: Children, factory: Factory, ended: Json) -> Plan:
    """Write the final status. TensorBoard outlives the job, so create it now if it is missing."""
    return replace(_write(job, ended), creations=(*children.missing_board(observed, factory),))


def _reconcile_active(
    job: TfJob,
    replicas: list[children.Replica],
    verdicts: status.Verdicts,
    observed: Children,
    factory: Factory,
    now: datetime,
) -> Plan:
    """Write the first status; in later passes create what is missing and report progress."""
    is_new = not (conditions.find(job.status, "Created") or observed.jobs)
    is_unproven = job.child_name(*job.chief) not in observed.jobs  # perhaps no template is accepted
    creations: tuple[tuple[Creation, ...], ...] = ()
    try:
        creations = *children.missing(observed, factory), *children.missing_board(observed, factory)
        problem = factory.problem() if is_unproven else ""
        notes = tuple(factory.notes())
    except READ_ERRORS as error:
        makes_jobs = any(each.kind == "Job" for series in creations for each in series)
        if not (is_unproven or makes_jobs):
            raise  # all templates were accepted, so the job does not fail; the pass is retried
        why = f"a template cannot be read ({error})"
        return _write(job, status.failed(job, reasons.INVALID_TEMPLATE, why, now))
    if problem:
        return _write(job, status.failed(job, reasons.INVALID_SPEC, problem, now))
    if is_new:
        first = status.first_status(job, verdicts, now)
        return Plan(status=first, requeue_after_seconds=0.0)
    progress = status.Progress(
        verdicts,
        is_complete=not (creations or any(each.deleting for each in observed.jobs.values())),
        blocked=children.blocked(replicas, observed),
        waiting=children.waiting(job, replicas, observed, now),
        notes=notes,
        failed_pods=outcome.failed_pods(observed),
        altered=observed.altered,
    )
    new = _with_board(job, status.active_status(job, progress, now), observed, now)
    plan = _changes(job.with_status(new), replicas, observed, now)
    patches = *plan.patches, *children.gang_changes(new, observed, factory)
    if conditions.holds(new, "ChangeRefused") and not (plan.deletions or patches):
        new = status.merge(new, reasons.NOTHING_REFUSED, now)
    return replace(plan, patches=patches, creations=creations, status=_write(job, new).status)


def _changes(
    job: TfJob, replicas: list[children.Replica], observed: Children, now: datetime
) -> Plan:
    """Deletions and patches of an active job's children, and when its timers fire."""
    reruns = children.seconds_to_reruns(job, replicas, now)
    to_rerun = [observed.jobs[name] for name, left in reruns.items() if left <= 0]
    deletions = (
        *children.job_deletions(to_rerun, foreground=True),
        *children.pods_to_delete(replicas),
        *changes.deletions("Pod", observed.orphans),
        *children.surplus(job, observed),
    )
    timers = [
        *(left for left in reruns.values() if left > 0),
        deadline.seconds_to_deadline(job, now),
        children.seconds_until_stuck(observed, now),
    ]
    patches = *children.resizes(job, observed), *children.suspensions(job, replicas)
    return Plan(deletions, patches, requeue_after_seconds=min(timers))


def _with_board(job: TfJob, new: Json, observed: Children, now: datetime) -> Json:
    """The new status plus TensorBoardReady, if a job that has started has, or had, TensorBoard."""
    name, is_wanted = tensorboard.name(job), job.tensorboard and conditions.find(new, "Created")
    if not (is_wanted or conditions.find(new, "TensorBoardReady")):
        return new
    ready = True, reasons.AVAILABLE, "TensorBoard answers"
    if name not in observed.deployments:
        ready = False, reasons.UNAVAILABLE, "TensorBoard has no Deployment"
    elif name in observed.unavailable:
        ready = False, *observed.unavailable[name]
    return status.merge(new, {"TensorBoardReady": ready}, now)


def _reconcile_finished(job: TfJob, observed: Children, now: datetime) -> Plan:
    """Clean up after a grace period; after ttlSecondsAfterFinished delete the TfJob."""
    left = deadline.seconds_to_deletion(job, now)
    if left <= 0:
        return Plan((Deletion("TfJob", job.name, job.uid),), can_wait=True)
    plan = _clean_up(job, observed, now)
    grace = deadline.seconds_to_cleanup(job, now)
    if grace > 0 and (plan.deletions or plan.patches):
        return Plan(requeue_after_seconds=min(grace, left))
    can_wait = bool(plan.deletions or plan.patches)
    return replace(plan, can_wait=can_wait, requeue_after_seconds=left)


def _clean_up(job: TfJob, observed: Children, now: datetime) -> Plan:
    """Apply cleanPodPolicy, which keeps logs, and write what the job has come to."""
    to_delete = cleanup.jobs_to_delete(job, observed)
    to_suspend = cleanup.jobs_to_suspend(job, observed)
    others = changes.deletions("Service", observed.services, kept=tensorboard.name(job))
    others += changes.deletions("Pod", observed.orphans)
    keeps_all = job.run_policy.clean_pod_policy == "None"
    deletions = (*children.job_deletions(to_delete), *(() if keeps_all else others))
    new = {**job.status, "observedGeneration": job.generation}
    if new["phase"] == "CleanUp" or status.has_running(new):
        phase = "Failed" if new["phase"] == "Failed" else "Done"
        new |= {"phase": phase} | status.replica_fields(job, outcome.judge_ended(job, observed))
    new = _with_board(job, new, observed, now)
    patches = [SpecPatch("Job", each.name, each.uid, {"suspend": True}) for each in to_suspend]
    if conditions.holds(new, "ChangeRefused") and not (deletions or patches):
        new = status.merge(new, reasons.NOTHING_REFUSED, now)
    return replace(_write(job, new), deletions=deletions, patches=(*patches,))


def _write(job: TfJob, new: Json) -> Plan:
    """A Plan that writes the status, if it differs from the old one."""
    return Plan(status=new) if new != job.status else Plan()
