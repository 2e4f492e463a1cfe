"""What only the clock brings about: activeDeadlineSeconds, the grace before cleaning up, and
ttlSecondsAfterFinished.

All count from a time in the status, so they fire after a restart too. ``reconcile`` puts
the seconds that remain into the Plan.
"""

from datetime import datetime

from .spec import FOREVER, TfJob, time_of

GRACE_SECONDS = 5


def seconds_to_deadline(job: TfJob, now: datetime) -> float:
    """Seconds for which the job may still run; 0 or less: it is over."""
    started = None if job.run_policy.suspend else job.status.get("startTime")
    return _left(started, job.run_policy.active_deadline_seconds, now)


def seconds_to_cleanup(job: TfJob, now: datetime) -> float:
    """Seconds in which replicas may still end by themselves, as most do along with the chief.

    What ends by itself keeps its log, and a deletion costs the Job controller a request.
    """
    ended = job.status.get("completionTime")
    return _left(ended, GRACE_SECONDS, now) if ended else 0.0


def seconds_to_deletion(job: TfJob, now: datetime) -> float:
    """Seconds for which the finished TfJob is to be kept."""
    ended = job.status.get("completionTime")
    return _left(ended, job.run_policy.ttl_seconds_after_finished, now)


def _left(since: str | None, seconds: int | None, now: datetime) -> float:
    if since is None or seconds is None:
        return FOREVER
    return (time_of(since) - now).total_seconds() + seconds
