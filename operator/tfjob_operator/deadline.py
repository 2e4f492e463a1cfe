"""The timers of a job: activeDeadlineSeconds, the grace period, ttlSecondsAfterFinished.

All count from a time in the status, so they fire after a restart too. ``reconcile`` requeues the
job after the seconds that remain.
"""

from datetime import datetime

from kube_runtime.times import seconds_left
from tfjob_api.spec import TfJob

GRACE_SECONDS = 5  # between the end of the job and its clean-up
# Services hold no resource, but to delete one costs the API server four deletions, with those of
# its Endpoints and EndpointSlice. So they go later than what other jobs wait for.
SERVICES_GRACE_SECONDS = 120


def seconds_to_deadline(job: TfJob, now: datetime) -> float:
    """Seconds until activeDeadlineSeconds have passed; 0 or less if they have."""
    started = None if job.run_policy.suspend else job.status.get("startTime")
    return seconds_left(started, job.run_policy.active_deadline_seconds, now)


def seconds_to_cleanup(job: TfJob, now: datetime) -> float:
    """Seconds until clean-up. A replica that ends by itself before that keeps its log."""
    return _seconds_after_end(job, GRACE_SECONDS, now)


def seconds_to_services_cleanup(job: TfJob, now: datetime) -> float:
    """Seconds until the Services are deleted, which hold nothing."""
    return _seconds_after_end(job, SERVICES_GRACE_SECONDS, now)


def _seconds_after_end(job: TfJob, grace: int, now: datetime) -> float:
    ended = job.status.get("completionTime")
    return seconds_left(ended, grace, now) if ended else 0.0


def seconds_to_deletion(job: TfJob, now: datetime) -> float:
    """Seconds until ttlSecondsAfterFinished have passed; then the TfJob is deleted."""
    ended = job.status.get("completionTime")
    return seconds_left(ended, job.run_policy.ttl_seconds_after_finished, now)
