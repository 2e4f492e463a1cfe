import asyncio
import socket

import aiohttp
import pytest
from prometheus_client import generate_latest

from tfjob_operator import conditions, metrics
from tfjob_operator.metrics import Metrics


def text(counters):
    return generate_latest(counters.registry).decode()


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        (conditions.SUCCEEDED, "succeeded"),
        (conditions.SUCCESSFUL_CREATE, "created"),
        *((reason, "failed") for reason in conditions.FAILURES),
    ],
)
def test_what_a_status_tells_is_counted_by_its_reason(reason, name):
    counters = Metrics()
    counters.count(reason)
    counters.count(conditions.CHIEF_RUNNING)
    assert f"tfjob_{name}_total 1.0" in text(counters)


def test_durations_are_a_cumulative_histogram():
    counters = Metrics()
    for seconds in (0.001, 0.3, 99):
        counters.duration.observe(seconds)
    counters.depth.set_function(lambda: 4)
    result = text(counters)
    for line in ('le="0.005"} 1', 'le="0.5"} 2', 'le="+Inf"} 3', "_count 3", "queue_depth 4"):
        assert line in result


@pytest.mark.parametrize(
    ("path", "problems", "wanted"),
    [
        pytest.param("healthz", [], (200, "ok"), id="well"),
        pytest.param("healthz", ["no news of pods"], (503, "no news of pods"), id="stuck"),
        pytest.param("metrics", [], (200, "tfjob_created_total 0"), id="metrics"),
        pytest.param("", [], (404, "Not Found"), id="elsewhere"),
    ],
)
def test_one_port_serves_health_and_metrics(path, problems, wanted):
    async def run():
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = await metrics.serve(port, Metrics(), lambda: problems)
        address = f"http://127.0.0.1:{port}/{path}"
        async with aiohttp.ClientSession() as session, session.get(address) as answer:
            result = answer.status, await answer.text()
        await server.cleanup()
        return result

    code, body = asyncio.run(run())
    assert (code, wanted[1] in body) == (wanted[0], True)


def test_nothing_is_told_that_nobody_asks_for():
    names = {line.split("{")[0].split(" ")[0] for line in text(Metrics()).splitlines()}
    totals = {f"tfjob_{name}_total" for name in ("created", "succeeded", "failed", "restarted")}
    totals |= {"tfjob_dropped_events_total"}
    durations = {f"tfjob_reconcile_duration_seconds_{part}" for part in ("bucket", "sum", "count")}
    assert names - {"#"} == totals | durations | {"tfjob_queue_depth"}
