"""A distributed job's whole life against the fake cluster, with an operator that may be killed.

The tests of faults run it once in peace, then again for every API call that the operator made,
with something going wrong at that call; the end must be the same each time.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from tests.fakes import schema, virtual_time
from tests.fakes.cluster import FakeCluster
from tests.fakes.kubelet import Run, Script, by_replica
from tests.fakes.objects import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    JOBS,
    PODS,
    SERVICES,
    TFJOBS,
    Object,
    Resource,
    key,
)
from tests.fakes.operator_process import OperatorProcess
from tests.fakes.paths import CRD
from tests.fakes.transport import Call

CHILDREN = (JOBS, SERVICES, CONFIG_MAPS, DEPLOYMENTS)
NAME, RUNTIME_ID = "mnist", "76no"
MOST_PASSES = 200  # over one TfJob in a second: each event may cause one
SETTLED_SECONDS = 160.0


def template(image: str = "localhost/fashion-mnist:1.2.0") -> Object:
    """A Pod template with the one container that counts."""
    return {"spec": {"containers": [{"name": "tensorflow", "image": image}]}}


def replica(kind: str, replicas: int = 1, **more: Any) -> Object:
    return {"replicas": replicas, "tfReplicaType": kind, "template": template(), **more}


def distributed(name: str = NAME, **spec: Any) -> Object:
    """One master, two workers, and a parameter server of the default kind; TensorBoard too."""
    replicas = [replica("MASTER"), replica("WORKER", 2), {"replicas": 1, "tfReplicaType": "PS"}]
    wanted = {
        "RuntimeId": RUNTIME_ID,
        "replicaSpecs": replicas,
        "tensorboard": {"logDir": "/tmp/logs"},
        **spec,
    }
    return {
        "apiVersion": "tensorflow.org/v1alpha1",
        "kind": "TfJob",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {field: value for field, value in wanted.items() if value is not None},
    }


def script() -> Script:
    """The second worker is killed once and comes back; the parameter server runs for ever."""
    for_ever = Run(exit_code=None)
    second = [Run(30, 137), Run(60)]
    return by_replica(master=[Run(180)], worker_0=[Run(90)], worker_1=second, ps=[for_ever])


@dataclass
class World:
    """One life in progress. ``options`` go to the first operator's connection."""

    cluster: FakeCluster
    options: dict[str, Any] = field(default_factory=dict)
    operators: list[OperatorProcess] = field(default_factory=list)
    crash: asyncio.Event = field(default_factory=asyncio.Event)

    async def start_operator(self, identity: str = "", **options: Any) -> OperatorProcess:
        """Start one more operator; with an ``identity`` it takes part in leader election."""
        operator = OperatorProcess(self.cluster.client(**options), identity=identity)
        self.operators.append(operator)
        operator.start()
        return operator

    async def supervise(self) -> None:
        """Start the operator; when it is to die, kill it and start another, as Kubernetes does."""
        await self.start_operator(**self.options)
        await self.crash.wait()
        await self.operators[-1].kill()
        await asyncio.sleep(1)
        later = {k: v for k, v in self.options.items() if k != "fault"}
        await self.start_operator(**later)

    async def stop(self) -> None:
        """Kill all operators. Raises: AssertionError if one was busy without an end."""
        for operator in self.operators:
            await operator.kill()
            busiest = max(operator.controller.passes.values(), default=0)
            assert busiest <= MOST_PASSES, f"{busiest} passes over one TfJob in one second"

    @property
    def calls(self) -> list[Call]:
        return [call for operator in self.operators for call in operator.transport.calls]

    def job(self, name: str = NAME, namespace: str = "default") -> Object:
        return self.cluster.store.get(TFJOBS, namespace, name)

    async def until(self, what: Callable[[], Any], seconds: float = 600) -> Any:
        """The first true answer, asked every virtual second."""
        for _ in range(int(seconds)):
            if found := what():
                return found
            await asyncio.sleep(1)
        raise AssertionError(f"not within {seconds} s; the calls were {self.tail()}")

    def tail(self) -> str:
        return "\n".join(f"{call} → {call.status}" for call in self.calls[-30:])

    def is_done(self, name: str = NAME) -> bool:
        found = self.cluster.store.find(TFJOBS, "default", name)
        return bool(found) and found.get("status", {}).get("phase") in ("Done", "Failed")


def fake_world(life: Script | None = None, **options: Any) -> World:
    """A fresh cluster under the CRD's schema, without an operator yet."""
    cluster = FakeCluster(life or script(), schema.load(CRD))
    return World(cluster, options)


def in_world(
    story: Callable[[World], Coroutine[Any, Any, Any]], script: Script | None = None, **kubelet: Any
) -> Any:
    """Run a story in virtual time. ``kubelet``: attributes of the fake kubelet, by their names."""

    async def live() -> Any:
        world = fake_world(script)
        for name, value in kubelet.items():
            setattr(world.cluster.kubelet, name, value)
        try:
            return await story(world)
        finally:
            await world.stop()

    return virtual_time.run(live())


def put(world: World, obj: Object, namespace: str = "default") -> Any:
    """Create a TfJob as a user does."""
    obj["metadata"]["namespace"] = namespace
    return world.cluster.store.create(TFJOBS, obj)


async def whole_life(
    world: World,
    obj: Object | None = None,
    user: Callable[[World], Coroutine[Any, Any, None]] | None = None,
) -> dict[str, Any]:
    """Create the job, let it end, look, delete it, look again; returns what there was to see.

    ``user`` does something to the job meanwhile.
    """
    supervisor = asyncio.create_task(world.supervise())
    try:
        world.cluster.store.create(TFJOBS, obj or distributed())
        if user:
            await user(world)
        await world.until(world.is_done)
        await asyncio.sleep(SETTLED_SECONDS)
        seen = summary(world)
        world.cluster.store.delete(TFJOBS, "default", NAME)
        await asyncio.sleep(10)
        return {**seen, "left over": leftovers(world.cluster)}
    finally:
        supervisor.cancel()
        await world.stop()


def summary(world: World, name: str = NAME) -> dict[str, Any]:
    """What a user would notice: children, Pods, how often each was made, and the status."""
    store, status = world.cluster.store, world.job(name).get("status", {})
    # What is no longer true is history, and depends on when somebody looked.
    is_true = {
        c["type"]: c["reason"] for c in status.get("conditions", []) if c["status"] == "True"
    }
    return {
        "children": sorted((r.kind, key(obj)[1]) for r in CHILDREN for obj in store.peek(r)),
        "pods": sorted(pod_role(pod) for pod in store.peek(PODS)),
        "made twice": made_twice(world.cluster),
        "phase": (status.get("phase"), status.get("state")),
        "conditions": is_true,
        "replicas": status.get("replicaStatuses"),
        "runtime id": status.get("runtimeId"),
        "generation": world.job(name)["metadata"]["generation"],
    }


def pod_role(pod: Object) -> tuple[str, str, str]:
    labels = pod["metadata"]["labels"]
    return labels["job_type"], labels["task_index"], pod["status"]["phase"]


def made_twice(cluster: FakeCluster) -> list[tuple[str, str, int]]:
    """Children that were created more than once in the whole life, and how often."""
    made = Counter(
        (change.resource.kind, key(change.obj)[1])
        for change in cluster.store.log
        if change.kind == "ADDED" and change.resource in CHILDREN
    )
    return sorted((*child, times) for child, times in made.items() if times > 1)


def leftovers(cluster: FakeCluster) -> list[tuple[str, str]]:
    """Whatever a deleted job left behind."""
    watched: tuple[Resource, ...] = (TFJOBS, *CHILDREN, PODS)
    return [(r.kind, key(obj)[1]) for r in watched for obj in cluster.store.peek(r)]


def peaceful() -> tuple[dict[str, Any], list[Call]]:
    """The end and the operator's calls when nothing goes wrong."""

    async def live() -> tuple[dict[str, Any], list[Call]]:
        world = fake_world()
        return await whole_life(world), world.calls

    return virtual_time.run(live())
