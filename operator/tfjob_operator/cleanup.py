"""cleanPodPolicy: which children are deleted when a TfJob has ended or is suspended.

``reconcile`` calls this on every pass over a finished job, so the next pass handles a deletion
that failed and a Pod that appeared late.
"""

from tfjob_api.spec import TfJob

from .observed import Children, Job


def jobs_to_delete(job: TfJob, observed: Children) -> list[Job]:
    """By default the Jobs whose Pod still runs, to free GPUs; finished Pods keep their logs."""
    policy = job.run_policy.clean_pod_policy
    if policy == "None":
        return []
    present = [child for child in observed.jobs.values() if not child.deleting]
    return present if policy == "All" else [each for each in present if _is_active(each, observed)]


def jobs_to_suspend(job: TfJob, observed: Children) -> list[Job]:
    """Jobs that would still start Pods, but also have finished Pods, whose logs should stay."""
    if job.run_policy.clean_pod_policy in ("None", "All"):
        return []
    found = (child for child in observed.jobs.values() if child.starts_pods and not child.deleting)
    return [each for each in found if each.is_indexed or _newest_phase(each, observed) == "Failed"]


def not_succeeded(observed: Children) -> list[Job]:
    """Jobs that a suspension deletes; failed ones too: perhaps the suspension made them fail."""
    jobs = observed.jobs.values()
    return [j for j in jobs if not j.succeeded and _newest_phase(j, observed) != "Succeeded"]


def _is_active(child: Job, observed: Children) -> bool:
    """Whether the newest Pod of a Job (not an Indexed one) has not ended, or is still to come."""
    pod = observed.newest_pod(child)
    return child.starts_pods and not child.is_indexed and not (pod and pod.is_finished)


def _newest_phase(child: Job, observed: Children) -> str:
    pod = None if child.is_indexed else observed.newest_pod(child)
    return pod.phase if pod else ""
