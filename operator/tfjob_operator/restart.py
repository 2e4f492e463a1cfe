"""restartPolicy: the state of a replica, and whether it runs again after its Pod has ended.

The Job controller starts the next Pod, so the policy is written into the Job's podFailurePolicy.
The operator itself judges what podFailurePolicy cannot express: OOMKilled, side-cars, Always.
"""

from dataclasses import dataclass
from datetime import datetime

from kube_runtime.kube import Json
from kube_runtime.times import FOREVER, seconds_left
from tfjob_api.spec import CONTAINER

from .observed import Job, Pod

LAST_PERMANENT_CODE = 127  # 128 and above: a signal ended the process, so a retry may succeed
PERMANENT_CODES = {  # exit codes that fail the Job, by restartPolicy
    "ExitCode": {"operator": "In", "values": list(range(1, LAST_PERMANENT_CODE + 1))},
    "Never": {"operator": "NotIn", "values": [0]},
}
PERMANENT_REASONS = ("OOMKilled", "StartError", "ContainerCannotRun")  # with any exit code
RERUN_DELAY_SECONDS = 10
STUCK_SECONDS = 60  # a Pod that is there so long after its grace period is stuck


@dataclass(frozen=True)
class Verdict:
    """The state of one replica: Unknown, Running, Succeeded or Failed. Failed is final.

    ``retry`` says why the replica is being started again, or is "". ``uncounted_pod`` is the name
    of the Pod that has to be replaced, if its Job does not count it as failed.
    """

    state: str
    message: str = ""
    retry: str = ""
    uncounted_pod: str = ""


def pod_failure_policy(restart_policy: str) -> Json:
    """The Job's podFailurePolicy: ignore disruptions, fail the Job on permanent exit codes."""
    rules: list[Json] = [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]
    if restart_policy in PERMANENT_CODES:
        codes = {"containerName": CONTAINER, **PERMANENT_CODES[restart_policy]}
        rules.append({"action": "FailJob", "onExitCodes": codes})
    return {"rules": rules}


def judge(child: Job | None, pod: Pod | None, restart_policy: str) -> Verdict:
    """Judge one replica by its newest Pod, else by its Job. The order of the rules matters."""
    if child is None:
        return Verdict("Unknown")
    fails = Verdict("Failed", f"Job {child.name} failed: {child.failure}")
    if pod and pod.interrupted:  # its exit code means nothing: SIGTERM may lead to 0
        return fails if child.failure else _retry(pod)
    if child.succeeded or (pod and (pod.phase == "Succeeded" or pod.exit_code == 0)):
        return Verdict("Succeeded")  # even if a side-car has failed
    if pod and _failed(pod) and _is_permanent(pod, restart_policy):
        return Verdict("Failed", f"Pod {pod.name} {_describe(pod)}")
    if child.failure:
        return fails
    if pod and (_failed(pod) or pod.deleting):
        return _retry(pod)
    if pod and pod.phase == "Running":
        return Verdict("Running")
    attempt = f"Job {child.name} is at attempt {child.failed + 1}" if child.failed else ""
    return Verdict("Unknown", retry=attempt)


def _retry(pod: Pod) -> Verdict:
    uncounted = pod.name if pod.disrupted or pod.phase == "Succeeded" else ""
    return Verdict("Unknown", retry=f"Pod {pod.name} {_describe(pod)}", uncounted_pod=uncounted)


def is_false_success(child: Job, pod: Pod | None) -> bool:
    """Whether the Job counts an interrupted Pod as a success, because it exited with 0.

    The Job controller does not know the difference, so the Job must be created again.
    """
    return bool(pod and pod.interrupted and (child.succeeded or pod.phase == "Succeeded"))


def must_delete_pod(pod: Pod, restart_policy: str) -> bool:
    """Whether to delete a Pod so that its Job creates the next one.

    True if the program failed and may be retried, but a side-car keeps the Pod from ending.
    """
    has_failed = pod.waits_for_side_car and not pod.deleting and pod.exit_code != 0
    return has_failed and not _is_permanent(pod, restart_policy)


def ends_well(pod: Pod | None) -> bool:
    """Whether the program has exited with 0, and no side-car has failed."""
    return bool(pod and (pod.phase == "Succeeded" or (pod.exit_code == 0 and not pod.is_finished)))


def _failed(pod: Pod) -> bool:
    return pod.phase == "Failed" or bool(pod.exit_code)


def _is_permanent(pod: Pod, restart_policy: str) -> bool:
    """Whether a failed Pod must not be retried."""
    if pod.disrupted or restart_policy in ("OnFailure", "Always"):
        return False
    if restart_policy == "Never" or pod.reason in PERMANENT_REASONS:
        return True
    return pod.exit_code is not None and pod.exit_code <= LAST_PERMANENT_CODE


def _describe(pod: Pod) -> str:
    """How the Pod ended, as the predicate of a sentence."""
    if pod.reason == "OOMKilled" and not pod.interrupted:
        return "was OOMKilled: it needs more memory than its limit"
    if pod.interrupted or pod.deleting:
        why = f"was stopped ({pod.cause})" if pod.cause else "was stopped"
        return f"{why}, so its exit code 0 is no success" if pod.exit_code == 0 else why
    if pod.reason == "StartError":
        return f"could not start its program (StartError, code {pod.exit_code})"
    code = "" if pod.exit_code is None else f"exited with code {pod.exit_code}"
    return code or f"failed ({pod.reason or 'no exit code'})"


def waiting_reason(pod: Pod, now: datetime) -> tuple[str, str] | None:
    """(reason, message) why the Pod does not run: it cannot start, or it is stuck in deletion."""
    if pod.deleting and seconds_until_stuck(pod, now) <= 0:
        where = f" on node {pod.node}" if pod.node else ""
        since = f"should have ended at {pod.deleted_at}"
        return "Terminating", f"Pod {pod.name}{where} {since}; perhaps the node does not answer"
    if pod.waiting and not pod.deleting:
        reason, message = pod.waiting
        return reason, f"Pod {pod.name}: {message or reason}"
    return None


def seconds_until_stuck(pod: Pod, now: datetime) -> float:
    """Seconds until a Pod that is being deleted counts as stuck; 0 or less if it is stuck."""
    return FOREVER if pod.is_finished else seconds_left(pod.deleted_at, STUCK_SECONDS, now)


def seconds_to_rerun(child: Job, restart_policy: str, now: datetime) -> float:
    """Seconds until a replica that succeeded runs again (Always); 0 or less: now."""
    if restart_policy != "Always" or child.deleting:
        return FOREVER
    return seconds_left(child.completed_at, RERUN_DELAY_SECONDS, now)
