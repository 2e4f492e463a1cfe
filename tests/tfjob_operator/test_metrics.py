import pytest
from prometheus_client import generate_latest

from tfjob_api import reasons
from tfjob_operator.metrics import Metrics


def text(counters):
    return generate_latest(counters.registry).decode()


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        (reasons.SUCCEEDED, "succeeded"),
        (reasons.SUCCESSFUL_CREATE, "created"),
        *((reason, "failed") for reason in reasons.FAILURES),
    ],
)
def test_what_a_status_tells_is_counted_by_its_reason(reason, name):
    counters = Metrics()
    counters.count(reason)
    counters.count(reasons.CHIEF_RUNNING)
    assert f"tfjob_{name}_total 1.0" in text(counters)


def test_durations_are_a_cumulative_histogram():
    counters = Metrics()
    for seconds in (0.001, 0.3, 99):
        counters.duration.observe(seconds)
    counters.depth.set_function(lambda: 4)
    result = text(counters)
    for line in ('le="0.005"} 1', 'le="0.5"} 2', 'le="+Inf"} 3', "_count 3", "queue_depth 4"):
        assert line in result


def test_nothing_is_told_that_nobody_asks_for():
    names = {line.split("{")[0].split(" ")[0] for line in text(Metrics()).splitlines()}
    totals = {f"tfjob_{name}_total" for name in ("created", "succeeded", "failed", "restarted")}
    totals |= {"tfjob_dropped_events_total"}
    durations = {f"tfjob_reconcile_duration_seconds_{part}" for part in ("bucket", "sum", "count")}
    assert names - {"#"} == totals | durations | {"tfjob_queue_depth"}
