"""When a replica that ended runs again: restartPolicy, exit codes, and the budget of retries.

The Job controller starts the next Pod, so the choice goes into the Job's podFailurePolicy; what
that cannot say (OOMKilled, one budget for all replicas, Always) the operator judges here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .observed import Job, Pod
from .spec import CONTAINER, FOREVER, Json, time_of

LAST_PERMANENT_CODE = 127  # from 128 on a signal ended the process, which may go better next time
RERUN_DELAY_SECONDS = 10


@dataclass(frozen=True)
class Verdict:
    """What one replica index is: ``state`` is Unknown, Running, Succeeded or Failed.

    Failed is final; ``retry`` says why the replica is being started again, or "".
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
    return Verdict("Unknown", retry=again)


def _succeeded(pod: Pod) -> bool:
    """A program that is told to go may end well with its work undone: then its Job decides."""
    if pod.disrupted:
        return False
    return pod.exit_code == 0 or (pod.exit_code is None and pod.phase == "Succeeded")


def _failed(pod: Pod) -> bool:
    return pod.phase == "Failed" or bool(pod.exit_code)


def _is_permanent(pod: Pod, restart_policy: str) -> bool:
    if pod.disrupted or restart_policy in ("OnFailure", "Always"):
        return False
    if restart_policy == "Never" or pod.reason == "OOMKilled":
        return True
    return pod.exit_code is not None and pod.exit_code <= LAST_PERMANENT_CODE


def _how(pod: Pod) -> str:
    if pod.reason == "OOMKilled":
        return "was OOMKilled: it needs more memory than its limit"
    if pod.disrupted:
        return "was disrupted"
    code = "" if pod.exit_code is None else f"exited with code {pod.exit_code}"
    return code or f"failed ({pod.reason or 'no exit code'})"


def seconds_to_rerun(job: Job, restart_policy: str, now: datetime) -> float:
    """In how many seconds a replica that ended well runs again (Always); 0 or less: now."""
    if restart_policy != "Always" or not job.completed_at or job.deleting:
        return FOREVER
    due = time_of(job.completed_at) + timedelta(seconds=RERUN_DELAY_SECONDS)
    return (due - now).total_seconds()
