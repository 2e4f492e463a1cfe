"""The operator runs with exactly the verbs of its ClusterRole: none is missing, none is spare."""

import asyncio

import pytest

from kube_runtime.kube import Response
from tests.fakes import rbac, virtual_time
from tests.fakes.faults import conflict
from tests.fakes.kubelet import Run, by_replica
from tests.fakes.objects import LEASES, TFJOBS
from tests.fakes.operator_life import NAME, distributed, fake_world, replica, template
from tests.fakes.paths import CHART

MANIFEST = CHART / "templates" / "rbac.yaml"
RULES = rbac.read_rules(MANIFEST, "ClusterRole") + rbac.read_rules(MANIFEST, "Role")


def eventful_life(rules):
    """Live through everything that the operator can do; gives the calls that were forbidden.

    News are three seconds old, each kind's first creation loses its answer, the first status
    write meets a conflict, workers are taken away, a template that was refused is made good, one
    replica would try again after the end, the time after the end runs out.
    """

    async def live():
        ever = Run(exit_code=None)
        late = [Run(95, 137), Run(8, 137), ever]  # at the end it waits for its third attempt
        script = by_replica(master=[Run(120)], worker=[ever], ps=[ever], evaluator=late)
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
        await make_a_template_good(world)
        await asyncio.sleep(70)
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
    store = world.cluster.store
    replicas = [replica("MASTER"), replica("WORKER", template=template(image=""))]
    store.create(TFJOBS, distributed("typo", RuntimeId="typo", replicaSpecs=replicas))
    await asyncio.sleep(20)
    found = store.get(TFJOBS, "default", "typo")
    found["spec"]["replicaSpecs"][1]["template"] = template()
    store.update(TFJOBS, found)


def first_of_each_kind():
    """The first write to each kind goes wrong: a lost answer, a conflict for the status."""
    seen = set()

    async def fault(number, request, go_on):
        kind = request.method, request.path.split("namespaces/default/")[-1]
        is_status = request.path.endswith("/status")
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
