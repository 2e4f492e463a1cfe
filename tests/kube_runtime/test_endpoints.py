import asyncio
import socket

import aiohttp
import prometheus_client as prometheus
import pytest

from kube_runtime import endpoints


@pytest.mark.parametrize(
    ("path", "problems", "wanted"),
    [
        pytest.param("healthz", [], (200, "ok"), id="well"),
        pytest.param("healthz", ["no events of pods"], (503, "no events of pods"), id="stuck"),
        pytest.param("metrics", [], (200, "things_total 0"), id="metrics"),
        pytest.param("", [], (404, "Not Found"), id="elsewhere"),
    ],
)
def test_one_port_serves_health_and_metrics(path, problems, wanted):
    async def run():
        registry = prometheus.CollectorRegistry()
        prometheus.Counter("things", "Things that were counted", registry=registry)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = await endpoints.serve(port, registry, lambda: problems)
        address = f"http://127.0.0.1:{port}/{path}"
        async with aiohttp.ClientSession() as session, session.get(address) as answer:
            result = answer.status, await answer.text()
        await server.cleanup()
        return result

    code, body = asyncio.run(run())
    assert (code, wanted[1] in body) == (wanted[0], True)
