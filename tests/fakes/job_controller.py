"""Kubernetes' Job controller, as far as Jobs of one completion and one Pod at a time need it.

podFailurePolicy, backoffLimit with its back-off, podReplacementPolicy, suspend, and the order of
conditions (SuccessCriteriaMet before Complete, FailureTarget before Failed) are the real one's.
"""

import asyncio
from typing import Any

from tests.fakes.objects import JOBS, PODS, Object, condition, controller, copy, key
from tests.fakes.store import Change, Store

SYNC_SECONDS, BACK_OFF_SECONDS, MAX_BACK_OFF_SECONDS = 0.02, 10.0, 600.0


class JobController:
    """Syncs a Job a moment after it or one of its Pods changed."""

    def __init__(self, store: Store):
        self.store = store
        self._planned: set[tuple[str, str]] = set()
        self._seen: dict[str, dict[str, Object]] = {}
        self._failed_at: dict[str, float] = {}
        self._names = 0
        store.listeners.append(self._notice)

    def _notice(self, change: Change) -> None:
        if change.resource is JOBS and change.kind != "DELETED":
            self._plan(key(change.obj))
        owner = controller(change.obj) if change.resource is PODS else None
        if owner and owner["kind"] == "Job":
            self._remember(owner["uid"], change.obj, change.kind == "DELETED")
            self._plan((key(change.obj)[0], owner["name"]))

    def _remember(self, job_uid: str, pod: Object, is_gone: bool) -> None:
        """Keep how each Pod ended; one that vanished unfinished counts as failed."""
        uid = pod["metadata"]["uid"]
        if is_gone and _phase(pod) not in ("Succeeded", "Failed"):
            pod = {**pod, "status": {"phase": "Failed"}}
        self._seen.setdefault(job_uid, {})[uid] = pod
        if _phase(pod) == "Failed":
            self._failed_at.setdefault(uid, _elapsed())

    def _plan(self, job: tuple[str, str], seconds: float = SYNC_SECONDS) -> None:
        if seconds > SYNC_SECONDS or job not in self._planned:
            self._planned |= {job} if seconds == SYNC_SECONDS else set()
            asyncio.get_running_loop().call_later(seconds, self._sync, job)

    def _sync(self, name: tuple[str, str]) -> None:
        self._planned.discard(name)
        job = self.store.find(JOBS, *name)
        if job is None or "deletionTimestamp" in job["metadata"]:
            return
        if condition(job, "Complete") or condition(job, "Failed"):
            return
        before = copy(job.setdefault("status", {}))
        self._decide(job, self._pods(job))
        if job["status"] != before:
            self.store.update(JOBS, job, subresource="status")

    def _pods(self, job: Object) -> list[Object]:
        """The Job's own Pods that are still there, oldest first."""
        uid = job["metadata"]["uid"]
        pods = [pod for pod in self.store.peek(PODS, job["metadata"]["namespace"])
                if (controller(pod) or {}).get("uid") == uid]  # fmt: skip
        return sorted(pods, key=lambda pod: int(pod["metadata"]["uid"][-12:], 16))

    def _ended(self, job: Object, phase: str) -> list[Object]:
        """Every Pod of the Job that ever ended so, gone or not: the Job's own memory of them."""
        seen = self._seen.get(job["metadata"]["uid"], {})
        return [pod for pod in seen.values() if _phase(pod) == phase and not _ignored(job, pod)]

    def _decide(self, job: Object, pods: list[Object]) -> None:
        status = job["status"]
        failed, succeeded = self._ended(job, "Failed"), self._ended(job, "Succeeded")
        active = [pod for pod in pods if _phase(pod) not in ("Succeeded", "Failed")]
        running = [pod for pod in active if "deletionTimestamp" not in pod["metadata"]]
        status |= {"active": len(running), "failed": len(failed), "succeeded": len(succeeded),
                   "terminating": len(active) - len(running)}  # fmt: skip
        if job["spec"]["suspend"]:
            return self._suspend(job, running)
        self._resume(job)
        status.setdefault("startTime", self.store.timestamp())
        if succeeded:
            return self._end(job, active, "Complete", "CompletionsReached",
                             "Reached expected number of succeeded pods")  # fmt: skip
        if fault := _policy_fault(job, failed):
            return self._end(job, active, "Failed", "PodFailurePolicy", fault)
        if len(failed) > job["spec"]["backoffLimit"]:
            return self._end(job, active, "Failed", "BackoffLimitExceeded",
                             "Job has reached the specified backoff limit")  # fmt: skip
        replaced = active if job["spec"]["podReplacementPolicy"] == "Failed" else running
        if not replaced:
            self._start(job, failed)
        return None

    def _start(self, job: Object, failed: list[Object]) -> None:
        """Create the next Pod, or come back when the back-off is over."""
        wait = 0.0
        if failed:
            last = max(self._failed_at[pod["metadata"]["uid"]] for pod in failed)
            back_off = BACK_OFF_SECONDS * 2 ** (len(failed) - 1)
            wait = last + min(back_off, MAX_BACK_OFF_SECONDS) - _elapsed()
        if wait > 1e-6:
            return self._plan(key(job), max(wait, 2 * SYNC_SECONDS))
        self.store.create(PODS, self._pod(job))
        job["status"]["active"] += 1
        return None

    def _pod(self, job: Object) -> Object:
        template, meta = copy(job["spec"]["template"]), job["metadata"]
        labels = {**(template.get("metadata", {}).get("labels") or {})}
        for name, value in (("job-name", meta["name"]), ("controller-uid", meta["uid"])):
            labels |= {name: value, f"batch.kubernetes.io/{name}": value}
        self._names += 1
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": meta["name"], "uid": meta["uid"],
                 "controller": True, "blockOwnerDeletion": True}  # fmt: skip
        metadata: dict[str, Any] = {**template.get("metadata", {}), "labels": labels}
        metadata |= {"namespace": meta["namespace"], "ownerReferences": [owner],
                     "name": f"{meta['name'][:57]}-{self._names:05d}"}  # fmt: skip
        return {"metadata": metadata, "spec": template["spec"], "status": {"phase": "Pending"}}

    def _suspend(self, job: Object, running: list[Object]) -> None:
        self._delete(running)
        job["status"].pop("startTime", None)
        _set(job, "Suspended", "True", "JobSuspended", "Job suspended", self.store.timestamp())

    def _resume(self, job: Object) -> None:
        if condition(job, "Suspended"):
            at = self.store.timestamp()
            _set(job, "Suspended", "False", "JobResumed", "Job resumed", at)

    def _end(self, job: Object, active: list[Object], kind: str, reason: str, why: str) -> None:
        """The interim condition at once, the final one when no Pod runs any more."""
        self._delete([pod for pod in active if "deletionTimestamp" not in pod["metadata"]])
        at = self.store.timestamp()
        interim = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
        _set(job, interim, "True", reason, why, at)
        if not active:
            _set(job, kind, "True", reason, why, at)
            if kind == "Complete":
                job["status"]["completionTime"] = at

    def _delete(self, pods: list[Object]) -> None:
        for pod in pods:
            self.store.delete(PODS, *key(pod))


def _elapsed() -> float:
    return asyncio.get_running_loop().time()


def _phase(pod: Object) -> str:
    return str(pod.get("status", {}).get("phase", "Pending"))


def _set(job: Object, kind: str, value: str, reason: str, message: str, at: str) -> None:
    conditions = job["status"].setdefault("conditions", [])
    old = next((c for c in conditions if c["type"] == kind), None)
    if old and old["status"] == value:
        return
    kept = [c for c in conditions if c["type"] != kind]
    new = {"type": kind, "status": value, "reason": reason, "message": message}
    job["status"]["conditions"] = [*kept, {**new, "lastTransitionTime": at}]


def _rules(job: Object) -> list[Object]:
    return list((job["spec"].get("podFailurePolicy") or {}).get("rules", []))


def _ignored(job: Object, pod: Object) -> bool:
    rule = next((rule for rule in _rules(job) if _applies(rule, pod) is not None), None)
    return _phase(pod) == "Failed" and rule is not None and rule["action"] == "Ignore"


def _policy_fault(job: Object, failed: list[Object]) -> str:
    """The message of the first FailJob rule that a failed Pod meets, or ""."""
    for pod in failed:
        for index, rule in enumerate(_rules(job)):
            found = _applies(rule, pod)
            if found is not None:
                if rule["action"] == "FailJob":
                    name = "/".join(key(pod))
                    return (f"Container {found['name']} for pod {name} failed with exit code "
                            f"{found['code']} matching FailJob rule at index {index}")  # fmt: skip
                break
    return ""


def _applies(rule: Object, pod: Object) -> dict[str, Any] | None:
    """What in the Pod meets the rule: a container with its exit code, or a condition."""
    for pattern in rule.get("onPodConditions") or []:
        if condition(pod, pattern["type"]):
            return {"name": "", "code": 0}
    codes = rule.get("onExitCodes")
    for status in pod.get("status", {}).get("containerStatuses") or [] if codes else []:
        code = status.get("state", {}).get("terminated", {}).get("exitCode", 0)
        named = codes.get("containerName") in (None, status["name"])
        if named and code and (code in codes["values"]) is (codes["operator"] == "In"):
            return {"name": status["name"], "code": code}
    return None
