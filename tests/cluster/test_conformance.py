"""The real cluster does what the conformance table says, and so what the fake API server does.

All cases run at once, each in a namespace of its own, since most of their time is waiting for
Kubernetes' controllers; then each is a test.
"""

import asyncio
import uuid

import pytest

from kube_runtime.kube import ApiError, Kube, Request
from kube_runtime.transport import HttpTransport, load_settings
from tests.fakes.conformance import NAMESPACES, Bench
from tests.fakes.conformance_cases import CASES, ONLY_FAKE
from tests.fakes.paths import CRD

CASE_SECONDS = 300
REAL_CASES = {name: case for name, case in CASES.items() if name not in ONLY_FAKE}


async def try_all(kubeconfig):
    """What came of each case: None, or what it raised."""
    async with HttpTransport(await load_settings(str(kubeconfig))) as transport:
        client = Kube(transport)
        results = await asyncio.gather(*(attempt(client, case) for case in REAL_CASES.values()))
    return dict(zip(REAL_CASES, results, strict=True))


async def attempt(client, case):
    name = f"conformance-{uuid.uuid4().hex[:8]}"
    await client.send(Request("POST", NAMESPACES.path(), {}, {"metadata": {"name": name}}))
    try:
        async with asyncio.timeout(CASE_SECONDS):
            await accounts_ready(client, name)
            await case(Bench(client, name))
    except Exception as error:
        return error
    finally:
        await delete_namespace(client, name)


async def accounts_ready(client, name):
    """Pods need the namespace's default service account, which a controller makes."""
    path = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    while (await client.transport.send(Request("GET", path))).status != 200:
        await asyncio.sleep(0.1)


async def delete_namespace(client, name):
    try:
        await client.send(Request("DELETE", NAMESPACES.path(name=name)))
    except ApiError as error:
        if error.status not in (404, 409):
            raise


@pytest.fixture(scope="module")
def outcomes(cluster):
    """Outcome of every case, with the TfJob's CRD in place for those that need it."""
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD))
    cluster.kubectl("wait", "--for=condition=Established", "-f", str(CRD), "--timeout=30s")
    return asyncio.run(try_all(cluster.kubeconfig))


@pytest.mark.parametrize("name", REAL_CASES)
def test_kubernetes_does_it(outcomes, name):
    if outcomes[name] is not None:
        raise outcomes[name]
