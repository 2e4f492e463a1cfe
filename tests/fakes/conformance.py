"""What a Kubernetes API server and its controllers do, as a table of cases.

The same cases run against the fake (tests/fakes/test_conformance.py) and against a real cluster
(tests/cluster/test_conformance.py), through the same Transport: what the operator's tests believe
about Kubernetes is what Kubernetes does. Pods here are left to no scheduler, and the case plays
the kubelet by writing their status, so neither nodes nor images are needed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from kube_runtime import kube
from kube_runtime.kube import ApiError, Kube, Request, Resource

Object = dict[str, Any]
NAMESPACES = Resource("Namespace", "/api/v1", "namespaces")
NOBODY = "nobody"  # a scheduler that does not exist
MERGE = "application/merge-patch+json"


@dataclass
class Bench:
    """Where a case works: a client, a namespace of its own, and a few verbs in short."""

    client: Kube
    namespace: str
    forget_history: Callable[[], None] = lambda: None

    async def create(self, resource: Resource, obj: Object, **query: str) -> Object:
        path = resource.path(self.namespace)
        return await self.client.send(Request("POST", path, query, obj))

    async def get(self, resource: Resource, name: str) -> Object:
        return await self.client.get(resource, self.namespace, name)

    async def listing(self, resource: Resource, **query: str) -> Object:
        return await self.client.send(Request("GET", resource.path(self.namespace), query))

    async def patch(self, resource: Resource, name: str, body: Object, part: str = "") -> Object:
        path = resource.path(self.namespace, name, part)
        return await self.client.send(Request("PATCH", path, {}, body, MERGE))

    async def put(self, resource: Resource, obj: Object) -> Object:
        path = resource.path(self.namespace, obj["metadata"]["name"])
        return await self.client.send(Request("PUT", path, {}, obj))

    async def delete(self, resource: Resource, name: str, **options: Any) -> Object:
        body = {"kind": "DeleteOptions", "apiVersion": "v1", **options}
        path = resource.path(self.namespace, name)
        return await self.client.send(Request("DELETE", path, {}, body))

    async def refused(self, call: Awaitable[Any]) -> ApiError:
        """The refusal that a call must end with."""
        try:
            await call
        except ApiError as error:
            return error
        raise AssertionError("the API server accepted what it should refuse")

    async def until(self, what: Callable[[], Awaitable[Any]], seconds: float = 30) -> Any:
        """The first true answer; an object that is missing is a false one."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            try:
                if found := await what():
                    return found
            except ApiError as error:
                if error.status != 404:
                    raise
            await asyncio.sleep(0.05)
        raise AssertionError(f"nothing came of {what} in {seconds} s")

    async def gone(self, resource: Resource, name: str) -> None:
        """Wait until there is no such object."""

        async def missing() -> bool:
            try:
                await self.get(resource, name)
            except ApiError as error:
                return error.status == 404
            return False

        await self.until(missing)

    async def pods(self, job: str) -> list[Object]:
        listed = await self.listing(kube.PODS, labelSelector=f"batch.kubernetes.io/job-name={job}")
        return list(listed["items"])

    async def pod(self, job: str, count: int = 1) -> Object:
        """The newest Pod of a Job, as soon as there are ``count``."""

        async def newest() -> Object | None:
            pods = await self.pods(job)
            pods.sort(key=lambda pod: int(pod["metadata"]["resourceVersion"]))
            unfinished = [p for p in pods if p["status"]["phase"] == "Pending"]
            return unfinished[-1] if len(pods) >= count and unfinished else None

        return await self.until(newest)

    async def end(
        self, pod: Object, exit_code: int, conditions: list[Object] | None = None
    ) -> None:
        """Play the kubelet: the Pod's container has ended."""
        at = pod["metadata"]["creationTimestamp"]
        ended = {"exitCode": exit_code, "reason": "Error", "startedAt": at, "finishedAt": at}
        container = {"name": "tensorflow", "image": "none", "imageID": "", "ready": False,
                     "restartCount": 0, "state": {"terminated": ended}}  # fmt: skip
        status = {"phase": "Failed" if exit_code else "Succeeded", "containerStatuses": [container]}
        if conditions:
            status["conditions"] = conditions
        await self.patch(kube.PODS, pod["metadata"]["name"], {"status": status}, "status")

    async def condition(self, job: str, kind: str, value: str = "True") -> Object:
        """A Job's condition, as soon as it has the value."""

        async def found() -> Object | None:
            conditions = (await self.get(kube.JOBS, job)).get("status", {}).get("conditions", [])
            return next((c for c in conditions if (c["type"], c["status"]) == (kind, value)), None)

        return await self.until(found)


def config_map(name: str, **meta: Any) -> Object:
    return {"metadata": {"name": name, **meta}, "data": {"key": "value"}}


def owner(obj: Object, kind: str = "ConfigMap", **more: Any) -> Object:
    """An owner reference to an object."""
    meta = obj["metadata"]
    return {"apiVersion": "v1", "kind": kind, "name": meta["name"], "uid": meta["uid"], **more}


def job(name: str, **spec: Any) -> Object:
    """A Job of one Pod that no node takes."""
    pod = {
        "restartPolicy": "Never",
        "schedulerName": NOBODY,
        "containers": [{"name": "tensorflow", "image": "none"}],
    }
    template = {"metadata": {"labels": {"role": "test"}}, "spec": pod}
    return {"metadata": {"name": name}, "spec": {"template": template, **spec}}


def tf_job(name: str, **spec: Any) -> Object:
    """The smallest TfJob."""
    template = {"spec": {"containers": [{"name": "tensorflow", "image": "none"}]}}
    replica = {"replicas": 1, "tfReplicaType": "MASTER", "template": template}
    return {
        "apiVersion": "tensorflow.org/v1alpha1",
        "kind": "TfJob",
        "metadata": {"name": name},
        "spec": {"replicaSpecs": [replica], **spec},
    }


FAIL_ON_1 = {
    "rules": [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {
            "action": "FailJob",
            "onExitCodes": {"containerName": "tensorflow", "operator": "In", "values": [1, 2]},
        },
    ]
}
