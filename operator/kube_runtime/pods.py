"""What the status of a Pod says: how it ended, who stopped it, why it waits."""

from datetime import datetime, timedelta

from .conditions import find, true_conditions
from .kube import Json

STARTUP_REASONS = ("ContainerCreating", "PodInitializing")  # every Pod has these at first
CLOCK_SKEW = timedelta(seconds=5)  # a node's clock may be behind the API server's by this much
# Values of a Pod's status.reason: its program was stopped from outside.
INTERRUPTIONS = ("Evicted", "Preempting", "Preempted", "DeadlineExceeded", "Terminated")


def phase(status: Json) -> str:
    """The Pod's phase; Succeeded or Failed as soon as all its containers have terminated.

    For Pods that restart no container. The kubelet reports terminated containers before it updates
    the phase. Whoever deletes what still runs must not delete such a Pod: its log is lost.
    """
    states = [container.get("state") or {} for container in status.get("containerStatuses") or []]
    ends = [state["terminated"] for state in states if state.get("terminated")]
    if not ends or len(ends) < len(states) or status.get("phase") != "Running":
        return str(status.get("phase", "Pending"))
    return "Failed" if any(end.get("exitCode") for end in ends) else "Succeeded"


def terminated_state(status: Json, container: str) -> Json:
    """state.terminated of a container, or {}."""
    containers = status.get("containerStatuses") or []
    states = (each.get("state") or {} for each in containers if each["name"] == container)
    return next(states, {}).get("terminated") or {}


def interruption(meta: Json, status: Json, ended: Json) -> tuple[bool, str]:
    """(whether the Pod was stopped from outside before its program ended, the cause or "").

    A deletion counts only if the program has ended, and not before the deletion was requested. Of
    other deleted Pods the result is (False, "it was deleted"). ``ended``: the terminated state of
    the container that runs the program.
    """
    disruption, finished_at = true_conditions(status).get("DisruptionTarget"), _end_of(ended)
    if disruption or status.get("reason") in INTERRUPTIONS:
        why = disruption or status
        since = why.get("lastTransitionTime")
        if finished_at and since and finished_at + CLOCK_SKEW < datetime.fromisoformat(since):
            return False, ""  # only a side-car was stopped
        return True, f"{why.get('reason', '')}: {why.get('message', '')}".strip(": ")
    if "deletionTimestamp" not in meta:
        return False, ""
    grace = timedelta(seconds=meta.get("deletionGracePeriodSeconds") or 0)
    requested_at = datetime.fromisoformat(meta["deletionTimestamp"]) - grace
    is_interrupted = finished_at is not None and finished_at + CLOCK_SKEW >= requested_at
    return is_interrupted, "it was deleted"


def _end_of(ended: Json) -> datetime | None:
    """When a container ended; None if it runs."""
    return datetime.fromisoformat(ended["finishedAt"]) if ended.get("finishedAt") else None


def waiting(status: Json) -> tuple[str, str] | None:
    """(reason, message) why the Pod cannot run; None while it starts normally."""
    for kind in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(kind) or []:
            found = (container.get("state") or {}).get("waiting") or {}
            if found.get("reason") and found["reason"] not in STARTUP_REASONS:
                return found["reason"], found.get("message", "")
    scheduled = find(status, "PodScheduled")
    if scheduled.get("status") == "False":
        return scheduled.get("reason") or "Unschedulable", scheduled.get("message", "")
    return None
