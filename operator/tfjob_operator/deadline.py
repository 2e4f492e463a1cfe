"""The timers of a job: activeDeadlineSeconds, the grace period, ttlSecondsAfterFinished.

All count from a time in the status, so they fire after a restart of the operator, too.
"""

from datetime import datetime

from kube_runtime.times import seconds_left
from tfjob_api.spec import TfJob

GRACE_SECONDS = 5  # between the end of the job and its clean-up


def seconds_to_deadline(job: TfJob, now: datetime) -> float:
    """Seconds until activeDeadlineSeconds have passed; 0 or less if they have."""
    started = None if job.run_policy.suspend else job.status.get("startTime")
    return seconds_left(started, job.run_policy.active_deadline_seconds, now)


def seconds_to_cleanup(job: TfJob, now: datetime) -> float:
    """Seconds until clean-up. A replica that ends by itself before that keeps its log."""
    ended = job.status.get("completionTime")
    return seconds_left(ended, GRACE_SECONDS, now) if ended else 0.0


def seconds_to_deletion(job: TfJob, now: datetime) -> float:
    """Seconds until ttlSecondsAfterFinished have passed; then the TfJob is deleted."""
    ended = job.status.get("completionTime")
    return seconds_left(ended, job.run_policy.ttl_seconds_after_finished, now)
