import asyncio
import socket

import pytest

from tfjob_operator import metrics, status
from tfjob_operator.metrics import Metrics


def told(kind):
    return {"conditions": [{"type": kind, "status": "True"}]}


@pytest.mark.parametrize(
    ("kind", "name"),
    [("Succeeded", "succeeded"), ("Failed", "failed"), ("Restarting", "restarted")],
)
def test_what_a_status_says_first_is_counted_once(kind, name):
    counters = Metrics()
    counters.count_transition({}, told(kind))
    counters.count_transition(told(kind), told(kind))
    assert f"tfjob_{name}_total 1" in counters.text()
    assert status.condition(told(kind), kind)


def test_durations_are_a_cumulative_histogram():
    counters = Metrics()
    for seconds in (0.001, 0.3, 99):
        counters.observe_pass(seconds, depth=4)
    text = counters.text()
    for line in ('le="0.005"} 1', 'le="0.5"} 2', 'le="+Inf"} 3', "_count 3", "queue_depth 4"):
        assert line in text


async def ask(port, request):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer.decode()


@pytest.mark.parametrize(
    ("request_", "problems", "wanted"),
    [
        pytest.param(b"GET /healthz HTTP/1.1\r\n\r\n", [], "200 OK", id="well"),
        pytest.param(b"GET /healthz HTTP/1.1\r\n\r\n", ["no news of pods"], "503", id="stuck"),
        pytest.param(b"GET /metrics HTTP/1.1\r\n\r\n", [], "tfjob_created_total 0", id="metrics"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", [], "404", id="elsewhere"),
        pytest.param(b"\r\n", [], "", id="no HTTP at all"),
    ],
)
def test_one_port_serves_health_and_metrics(request_, problems, wanted):
    async def run():
        server = await metrics.serve(0, Metrics(), lambda: problems)
        # Port 0 gives every address family a port of its own.
        ipv4 = next(s for s in server.sockets if s.family == socket.AF_INET)
        answer = await ask(ipv4.getsockname()[1], request_)
        server.close()
        return answer

    assert wanted in asyncio.run(run())
