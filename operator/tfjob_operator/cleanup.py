"""cleanPodPolicy: which Jobs go when a TfJob has ended, or is suspended.

``reconcile`` calls this on every pass over a finished job, so a deletion that failed, or a Pod
that appeared late, is dealt with on the next one.
"""

from .observed import Children, Job
from .spec import TfJob


def jobs_to_delete(job: TfJob, observed: Children) -> list[Job]:
    """By default what still runs, so that nothing is held; finished Pods stay for their logs."""
    policy = job.run_policy.clean_pod_policy
    if policy == "None":
        return []
    present = [child for child in observed.jobs.values() if not child.deleting]
    return present if policy == "All" else unfinished(present, observed)


def unfinished(jobs: list[Job], observed: Children) -> list[Job]:
    """Jobs that have a Pod which has not ended, or will get one."""
    return [job for job in jobs if not job.is_finished and not _has_finished_pod(job, observed)]


def _has_finished_pod(job: Job, observed: Children) -> bool:
    pod = observed.newest_pod(job)
    return pod is not None and pod.is_finished
