"""A stand-in for scheduler and kubelet: runs the Pods of the fake cluster through their phases.

A script says how each Pod ends. Pods of children are told apart by their labels ``job_type`` and
``task_index``, and by which attempt of their Job they are.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.objects import PODS, Object, condition, key
from tests.fakes.store import Change, Store

START_SECONDS, STOP_SECONDS = 0.05, 0.05


@dataclass(frozen=True)
class Run:
    """How a Pod goes: it ends after ``seconds`` with ``exit_code``; None: it runs on for ever."""

    seconds: float = 1.0
    exit_code: int | None = 0
    reason: str = ""


CONTAINER = "tensorflow"


def _has_side_car(pod: Object) -> bool:
    names = [container["name"] for container in pod["spec"]["containers"]]
    return CONTAINER in names and len(names) > 1


Script = Callable[[Object, int], Run]


def by_replica(**runs: list[Run]) -> Script:
    """A script from lists per ``<type>_<index>`` (``worker_0``) or ``<type>``; the last repeats."""

    def script(pod: Object, attempt: int) -> Run:
        labels = pod["metadata"].get("labels") or {}
        role = labels.get("job_type", "").lower()
        planned = runs.get(f"{role}_{labels.get('task_index')}") or runs.get(role) or [Run()]
        return planned[min(attempt, len(planned) - 1)]

    return script


class Kubelet:
    """Starts every Pod that is created and stops every Pod that is deleted.

    ``stopped``: nothing more is reported, as when the node is gone.
    """

    def __init__(self, store: Store, script: Script | None = None):
        self.store, self.script = store, script or by_replica()
        self.stopped = False
        self.stop_seconds, self.stop_code = STOP_SECONDS, 143  # how Pods heed SIGTERM
        self._attempts: dict[tuple[str, str], int] = {}
        store.listeners.append(self._notice)

    def _notice(self, change: Change) -> None:
        if change.resource is not PODS or change.kind == "DELETED":
            return
        if change.kind == "ADDED":
            self._later(START_SECONDS, self._start, change.obj)
        elif "deletionTimestamp" in change.obj["metadata"]:
            self._later(self.stop_seconds, self._stop, change.obj)

    def _later(self, seconds: float, do: Callable[..., None], pod: Object, *args: Any) -> None:
        asyncio.get_running_loop().call_later(seconds, self._do, do, pod, args)

    def _do(self, do: Callable[..., None], pod: Object, args: tuple[Any, ...]) -> None:
        """Act on the Pod as it is now, if it is still the same one and not finished."""
        current = self.store.find(PODS, *key(pod))
        if current and current["metadata"]["uid"] == pod["metadata"]["uid"] and not self.stopped:
            do(current, *args)

    def _start(self, pod: Object) -> None:
        someone_elses = pod["spec"].get("schedulerName", "default-scheduler") != "default-scheduler"
        if someone_elses or "deletionTimestamp" in pod["metadata"]:
            return
        pod["spec"]["nodeName"] = "fake-node"
        pod = self.store.update(PODS, pod)
        started = {"running": {"startedAt": self.store.timestamp()}}
        self._report(pod, "Running", started)
        run = self.script(pod, self._attempt(pod))
        if run.exit_code is not None:
            self._later(run.seconds, self._finish, pod, run.exit_code, run.reason)

    def _attempt(self, pod: Object) -> int:
        labels = pod["metadata"].get("labels") or {}
        name = key(pod)[0], labels.get("job-name") or key(pod)[1]
        self._attempts[name] = self._attempts.get(name, -1) + 1
        return self._attempts[name]

    def _finish(self, pod: Object, exit_code: int, reason: str = "") -> None:
        if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            ended = {
                "exitCode": exit_code,
                "reason": reason or ("Error" if exit_code else "Completed"),
                "finishedAt": self.store.timestamp(),
            }
            if _has_side_car(pod) and "deletionTimestamp" not in pod["metadata"]:
                self._report(pod, "Running", {"terminated": ended})  # the Pod goes on
            else:
                self._report(pod, "Failed" if exit_code else "Succeeded", {"terminated": ended})

    def _stop(self, pod: Object) -> None:
        if not pod["spec"].get("nodeName"):
            return
        self._finish(pod, self.stop_code)
        self._later(self.stop_seconds, lambda last: self.store.remove(PODS, *key(last)), pod)

    def end(self, namespace: str, name: str, exit_code: int, reason: str = "") -> None:
        """End a running Pod now, from outside."""
        self._finish(self.store.get(PODS, namespace, name), exit_code, reason)

    def _report(self, pod: Object, phase: str, state: Object) -> None:
        status = dict(pod.get("status", {}))
        status |= {"phase": phase, "podIP": "10.0.0.1"}
        status.setdefault("startTime", self.store.timestamp())
        going = {"running": {"startedAt": status["startTime"]}}
        status["containerStatuses"] = [
            {"name": c["name"], "restartCount": 0, "ready": "running" in state, "image": c["image"],
             "state": state if c["name"] == CONTAINER or phase != "Running" else going}
            for c in pod["spec"]["containers"]
        ]  # fmt: skip
        if not condition(pod, "Ready") and phase == "Running":
            status["conditions"] = [{"type": "Ready", "status": "True"}]
        self.store.update(PODS, {**pod, "status": status}, subresource="status")
