"""When a replica that ended runs again: restartPolicy, exit codes, and the budget of retries.

The Job controller starts the next Pod, so the choice goes into the Job's podFailurePolicy; what
that cannot say (OOMKilled, side-cars, one budget for all replicas, Always) the operator judges.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .observed import Job, Pod
from .spec import CONTAINER, FOREVER, Json, time_of

LAST_PERMANENT_CODE = 127  # from 128 on a signal ended the process, which may go better next time
PERMANENT_REASONS = ("OOMKilled", "StartError", "ContainerCannotRun")  # whatever their code
RERUN_DELAY_SECONDS = 10
STUCK_SECONDS = 60  # after its grace period; then the node does not answer
TERMINATING = "Terminating"


@dataclass(frozen=True)
class Verdict:
    """What one replica index is: ``state`` is Unknown, Running, Succeeded or Failed.

    Failed is final; ``retry`` says why the replica is started again, or "".
    """

    state: str
    message: str = ""
    retry: str = ""


def pod_failure_policy(restart_policy: str) -> Json:
    """A disrupted Pod never counts; then the codes after which the replica is not tried again."""
    rules: list[Json] = [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]
    if restart_policy == "ExitCode":
        rules.append(_fail_job("In", list(range(1, LAST_PERMANENT_CODE + 1))))
    if restart_policy == "Never":
        rules.append(_fail_job("NotIn", [0]))
    return {"rules": rules}


def _fail_job(operator: str, values: list[int]) -> Json:
    codes = {"containerName": CONTAINER, "operator": operator, "values": values}
    return {"action": "FailJob", "onExitCodes": codes}


def judge(job: Job | None, pod: Pod | None, restart_policy: str) -> Verdict:
    """Judge one replica by its newest Pod, and by its Job where no Pod says more."""
    if job is None:
        return Verdict("Unknown")
    if pod and _was_interrupted(pod) and not job.failure:
        return Verdict("Unknown", retry=f"Pod {pod.name} {_how(pod)}")
    if job.succeeded or (pod and _succeeded(pod)):
        return Verdict("Succeeded")
    if pod and _failed(pod) and _is_permanent(pod, restart_policy):
        return Verdict("Failed", f"Pod {pod.name} {_how(pod)}")
    if job.failure:
        return Verdict("Failed", f"Job {job.name} failed: {job.failure}")
    if pod and _failed(pod):
        return Verdict("Unknown", retry=f"Pod {pod.name} {_how(pod)}")
    if pod and pod.phase == "Running" and not pod.deleting:
        return Verdict("Running")
    again = f"Job {job.name} is at attempt {job.failed + 1}" if job.failed else ""
    if pod and pod.deleting:
        again = f"Pod {pod.name} {_how(pod)}"
    return Verdict("Unknown", retry=again)


def must_run_again(job: Job, pod: Pod | None) -> bool:
    """Whether the Job counts a success that was none: its Pod was stopped, and exited with 0.

    The Job controller does not know the difference, so the Job has to be made again.
    """
    return bool(pod and _was_interrupted(pod) and (job.succeeded or pod.phase == "Succeeded"))


def must_be_replaced(pod: Pod, restart_policy: str) -> bool:
    """Whether a Pod is to be deleted, so that the Job makes the next one.

    The program ended and may be tried again, and a side-car keeps the Pod from ending.
    """
    if not pod.has_side_car or pod.deleting or pod.exit_code == 0:
        return False
    return not _is_permanent(pod, restart_policy)


def _was_interrupted(pod: Pod) -> bool:
    """A program that gets SIGTERM may exit with 0, its work not done."""
    return pod.interrupted or (pod.disrupted and (pod.is_finished or pod.exit_code is not None))


def _succeeded(pod: Pod) -> bool:
    return pod.exit_code == 0 or (pod.exit_code is None and pod.phase == "Succeeded")


def _failed(pod: Pod) -> bool:
    return pod.phase == "Failed" or bool(pod.exit_code)


def _is_permanent(pod: Pod, restart_policy: str) -> bool:
    if pod.disrupted or restart_policy in ("OnFailure", "Always"):
        return False
    if restart_policy == "Never" or pod.reason in PERMANENT_REASONS:
        return True
    return pod.exit_code is not None and pod.exit_code <= LAST_PERMANENT_CODE


def _how(pod: Pod) -> str:
    if pod.reason == "OOMKilled":
        return "was OOMKilled: it needs more memory than its limit"
    if pod.disrupted or pod.interrupted or pod.deleting:
        return f"was disrupted ({pod.cause})" if pod.cause else "was disrupted"
    if pod.reason == "StartError":
        return f"could not start its program (StartError, code {pod.exit_code})"
    code = "" if pod.exit_code is None else f"exited with code {pod.exit_code}"
    return code or f"failed ({pod.reason or 'no exit code'})"


def waits_for(pod: Pod, now: datetime) -> tuple[str, str] | None:
    """(reason, message) of what the Pod waits for; one that should be gone waits for its node."""
    if pod.deleting and seconds_until_stuck(pod, now) <= 0:
        where = f" on node {pod.node}" if pod.node else ""
        since = f"should have ended at {pod.deleted_at}"
        return TERMINATING, f"Pod {pod.name}{where} {since}; perhaps the node does not answer"
    if pod.waiting and not pod.deleting:
        reason, message = pod.waiting
        return reason, f"Pod {pod.name}: {message or reason}"
    return None


def seconds_until_stuck(pod: Pod, now: datetime) -> float:
    """In how many seconds a Pod that is being deleted counts as stuck; 0 or less: it does."""
    if not pod.deleted_at or pod.is_finished:
        return FOREVER
    due = time_of(pod.deleted_at) + timedelta(seconds=STUCK_SECONDS)
    return (due - now).total_seconds()


def seconds_to_rerun(job: Job, restart_policy: str, now: datetime) -> float:
    """In how many seconds a replica that ended well runs again (Always); 0 or less: now."""
    if restart_policy != "Always" or not job.completed_at or job.deleting:
        return FOREVER
    due = time_of(job.completed_at) + timedelta(seconds=RERUN_DELAY_SECONDS)
    return (due - now).total_seconds()
