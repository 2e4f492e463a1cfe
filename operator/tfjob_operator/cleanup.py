"""cleanPodPolicy: which Jobs go when a TfJob has ended, or is suspended.

``reconcile`` calls this on every pass over a finished job, so a deletion that failed, or a Pod
that appeared late, is dealt with on the next one.
"""

from .observed import Children, Job
from .spec import TfJob


def jobs_to_delete(job: TfJob, observed: Children) -> list[Job]:
    """By default Jobs whose Pod still runs, which frees GPUs; finished Pods stay for their logs."""
    policy = job.run_policy.clean_pod_policy
    if policy == "None":
        return []
    present = [child for child in observed.jobs.values() if not child.deleting]
    return present if policy == "All" else [each for each in present if _is_active(each, observed)]


def jobs_to_suspend(job: TfJob, observed: Children) -> list[Job]:
    """Jobs that would start Pods after the end: suspended, they keep their finished Pods' logs.

    An Indexed Job has finished Pods beside those that run, so it is suspended, not deleted.
    """
    if job.run_policy.clean_pod_policy in ("None", "All"):
        return []
    return [
        child
        for child in observed.jobs.values()
        if child.starts_pods
        and not child.deleting
        and (child.is_indexed or _newest_phase(child, observed) == "Failed")
    ]


def services_to_delete(job: TfJob, observed: Children, kept: str) -> dict[str, str]:
    """Services of replicas: nobody calls them after the end. ``kept`` is TensorBoard's."""
    if job.run_policy.clean_pod_policy == "None":
        return {}
    return {name: uid for name, uid in observed.services.items() if name != kept}


def not_succeeded(observed: Children) -> list[Job]:
    """Jobs that a suspended TfJob deletes: also what failed, perhaps since others had gone."""
    jobs = observed.jobs.values()
    return [j for j in jobs if not j.succeeded and _newest_phase(j, observed) != "Succeeded"]


def _is_active(job: Job, observed: Children) -> bool:
    """Whether a Job has a Pod which has not ended, or will get one."""
    pod = observed.newest_pod(job)
    return job.starts_pods and not job.is_indexed and not (pod and pod.is_finished)


def _newest_phase(job: Job, observed: Children) -> str:
    pod = None if job.is_indexed else observed.newest_pod(job)
    return pod.phase if pod else ""
