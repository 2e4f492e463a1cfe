"""The operator runs with exactly the verbs of its ClusterRole: none is missing, none is spare."""

import asyncio

import pytest

from kube_runtime.kube import Response
from tests.fakes import rbac, virtual_time
from tests.fakes.faults import conflict
from tests.fakes.kubelet import Run, by_replica
from tests.fakes.objects import CONFIG_MAPS, DEPLOYMENTS, LEASES, SERVICES, TFJOBS
from tests.fakes.operator_life import NAME, distributed, fake_world, replica, template
from tests.fakes.paths import CHART

MANIFEST = CHART / "templates" / "rbac.yaml"
RULES = rbac.read_rules(MANIFEST, "ClusterRole") + rbac.read_rules(MANIFEST, "Role")


def eventful_life(rules):
    """Live through everything that the operator can do; gives the calls that were forbidden.

    News are three seconds old, each kind's first creation loses its answer, the first status
    write meets a conflict, workers are taken away, a template that was refused is made good, one
    replica would try again after the end, the time after the end runs out. The API server has no
    streaming lists, labels are taken away by hand, a side-car outlives its training, and a job is
    suspended twice.
    """

    async def live():
        ever = Run(exit_code=None)
        late = [Run(95, 137), Run(8, 137), ever]  # at the end it waits for its third attempt
        script = by_replica(
            master=[Run(120)], worker=[ever], ps=[ever], evaluator=late, chief=[Run(5, 137), ever]
        )
        world = fake_world(script)
        operator = await world.start_operator(
            rules=rules, fault=first_of_each_kind(), identity="one", watch_delay=lambda change: 3.0
        )
        await asyncio.sleep(1)  # what watches begin with would be no old news
        workers = replica("WORKER", 2)
        ps = {"replicas": 1, "tfReplicaType": "PS"}
        spec = {"runPolicy": {"ttlSecondsAfterFinished": 60}, "enableDynamicWorker": True}
        replicas = [replica("MASTER"), workers, ps, replica("EVALUATOR")]
        world.cluster.store.create(TFJOBS, distributed(replicaSpecs=replicas, **spec))
        chief = [replica("CHIEF", template=with_side_car())]
        side_car = distributed("side", RuntimeId="side", tensorboard=None, replicaSpecs=chief)
        world.cluster.store.create(TFJOBS, side_car)
        await make_a_template_good(world)
        await asyncio.sleep(40)
        take_labels_away(world)
        await suspend_twice(world)
        await take_a_worker_away(world)
        await asyncio.sleep(400)
        await operator.stop()
        leases = world.cluster.store.all(LEASES)
        return [str(call) for call in world.calls if call.status == 403], leases

    return virtual_time.run(live())


async def take_a_worker_away(world):
    found = world.cluster.store.find(TFJOBS, "default", NAME)
    if found:
        found["spec"]["replicaSpecs"][1]["replicas"] = 1
        world.cluster.store.update(TFJOBS, found)


async def make_a_template_good(world):
    """Of two jobs: beside the refused worker, one has TensorBoard, one a parameter server."""
    store, bad = world.cluster.store, replica("WORKER", template=template(image=""))
    replicas = [replica("MASTER"), bad]
    store.create(TFJOBS, distributed("typo", RuntimeId="typo", replicaSpecs=replicas))
    served = [*replicas, {"replicas": 1, "tfReplicaType": "PS"}]
    spec = {"RuntimeId": "type", "replicaSpecs": served, "tensorboard": None}
    store.create(TFJOBS, distributed("type", **spec))
    await asyncio.sleep(20)
    for name in ("typo", "type"):
        found = store.get(TFJOBS, "default", name)
        found["spec"]["replicaSpecs"][1]["template"] = template()
        store.update(TFJOBS, found)


def with_side_car():
    pod = template()
    pod["spec"]["containers"].append({"name": "shipper", "image": "shipper"})
    return pod


def take_labels_away(world):
    """What somebody does to children of the one job, by hand."""
    for resource, name in (
        (SERVICES, "mnist-ps-76no-0"),
        (CONFIG_MAPS, "cm-ps-76no"),
        (DEPLOYMENTS, "mnist-tensorboard-76no"),
    ):
        found = world.cluster.store.find(resource, "default", name)
        if found and found["metadata"].pop("labels", None):
            world.cluster.store.update(resource, found)


async def suspend_twice(world):
    store = world.cluster.store
    spec = {"RuntimeId": "paus", "tensorboard": None, "replicaSpecs": [replica("MASTER")]}
    store.create(TFJOBS, distributed("pause", **spec, runPolicy={"suspend": True}))
    for suspend in (False, True):
        await asyncio.sleep(15)
        found = store.get(TFJOBS, "default", "pause")
        found["spec"]["runPolicy"]["suspend"] = suspend
        store.update(TFJOBS, found)


def first_of_each_kind():
    """The first write to each kind goes wrong: a lost answer, a conflict for the status."""
    seen = set()

    async def fault(number, request, go_on):
        kind = request.method, request.path.split("namespaces/default/")[-1]
        is_status = request.path.endswith("/status")
        if "sendInitialEvents" in request.query:
            return Response(422, {"message": "sendInitialEvents is forbidden for watch"})
        if request.method not in ("POST", "PUT") or "leases" in request.path or kind in seen:
            return await go_on(request)
        seen.add(kind)
        if is_status:
            return Response(409, conflict().status)
        response = await go_on(request)
        if response.status == 201:
            raise TimeoutError
        return response

    return fault


def test_the_whole_of_its_work_needs_no_other_right():
    forbidden, leases = eventful_life(RULES)
    assert forbidden == []
    assert [lease["metadata"]["name"] for lease in leases] == ["tf-job-operator"]


GRANTS = [pytest.param(g, id=f"{g[2]} {g[1]} {g[0] or 'core'}") for g in rbac.grants(RULES)]


@pytest.mark.parametrize("grant", GRANTS)
def test_each_right_is_missed_when_it_is_taken_away(grant):
    forbidden, _ = eventful_life(rbac.without(RULES, *grant))
    assert forbidden


def test_a_right_that_nobody_has_is_refused_in_the_api_servers_words():
    forbidden, _ = eventful_life([])
    assert forbidden
