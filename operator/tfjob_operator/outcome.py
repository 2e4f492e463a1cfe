"""A verdict for each replica, and whether the job has succeeded or failed."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from kube_runtime.kube import Json
from tfjob_api import reasons
from tfjob_api.spec import TfJob

from . import cleanup, deadline, restart, status
from .children import Replica, observed_replicas
from .observed import Children, Job


def judge_all(job: TfJob, replicas: Iterable[Replica]) -> status.Verdicts:
    """A verdict for each replica. One that succeeded stays so, whatever becomes of its Job: it may
    be deleted by hand, or start another Pod because a side-car failed."""
    verdicts: dict[tuple[str, int], restart.Verdict] = {}
    for replica in replicas:
        current = replica.job if replica.job and not replica.job.deleting else None
        is_shared = job.is_indexed(replica.spec)
        # An Indexed Job knows itself which indexes are completed, and may run all of them again.
        may_run = current and (is_shared or restart.is_false_success(current, replica.pod))
        if replica.task in job.completed and not may_run:
            verdicts[replica.task] = restart.Verdict("Succeeded")
        else:
            policy = replica.spec.restart_policy
            verdicts[replica.task] = restart.judge(current, replica.pod, policy)
    return verdicts


def judge_ended(job: TfJob, observed: Children) -> status.Verdicts:
    """Verdicts of a job that has ended, once its clean-up has stopped what still runs."""
    verdicts, stopped = judge_all(job, observed_replicas(job, observed)), restart.Verdict("Unknown")
    if job.run_policy.clean_pod_policy == "None":
        return verdicts
    return {k: stopped if each.state == "Running" else each for k, each in verdicts.items()}


def success_status(
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
    succeeded = status.succeeded(job, verdicts, now, reasons.LOG_IS_LOST if loses_log else "")
    if cleanup.jobs_to_delete(job, observed) or cleanup.jobs_to_suspend(job, observed):
        return succeeded
    return succeeded | {"phase": "Done"}


def failures(
    job: TfJob, verdicts: status.Verdicts, observed: Children, now: datetime
) -> Iterator[tuple[str, str]]:
    """(reason, message) of each cause why the job has failed for good, most important first."""
    for (kind, index), verdict in verdicts.items():
        if verdict.state == "Failed":
            yield reasons.REPLICA_FAILED, f"{kind} {index} cannot be tried again: {verdict.message}"
    for child in observed.jobs.values():
        if child.is_indexed and child.failure and not child.deleting:
            yield reasons.REPLICA_FAILED, f"Job {child.name} failed: {child.failure}"
    if failed_pods(observed) > (limit := job.run_policy.backoff_limit):
        message = f"More than {limit} Pods failed (runPolicy.backoffLimit)"
        yield reasons.BACKOFF_LIMIT_EXCEEDED, message
    if deadline.seconds_to_deadline(job, now) <= 0:
        message = f"Ran longer than {job.run_policy.active_deadline_seconds} seconds"
        yield reasons.DEADLINE_EXCEEDED, message


def failed_pods(observed: Children) -> int:
    """The number of failed Pods, without side-cars that failed after their replica's success."""
    jobs = [child for child in observed.jobs.values() if child.failed and not child.deleting]
    return sum(_failed_before_success(child, observed) for child in jobs)


def _failed_before_success(child: Job, observed: Children) -> int:
    pods = observed.attempts(child)
    good = [i for i, pod in enumerate(pods) if pod.exit_code == 0 and not pod.interrupted]
    if child.is_indexed or not good or pods[good[0]].phase != "Failed":
        return child.failed
    counted = (pod.phase == "Failed" and not pod.disrupted for pod in pods[: good[0]])
    return min(child.failed, sum(counted))
