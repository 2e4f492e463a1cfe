"""The fake API server does what the conformance table says Kubernetes does."""

import pytest

from kube_runtime.kube import Kube
from tests.fakes import schema, virtual_time
from tests.fakes.cluster import FakeCluster
from tests.fakes.conformance import Bench
from tests.fakes.conformance_cases import CASES
from tests.fakes.paths import CRD


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_the_fake_does_what_kubernetes_does(case):
    async def on_the_fake():
        cluster = FakeCluster(crd_schema=schema.load(CRD))
        bench = Bench(Kube(cluster.client()), "default", cluster.store.compact)
        await case(bench)

    virtual_time.run(on_the_fake())
