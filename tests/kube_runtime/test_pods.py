import pytest

from kube_runtime import pods


@pytest.mark.parametrize(
    ("ends", "phase"),
    [
        pytest.param([{"terminated": {"exitCode": 0}}], "Succeeded", id="it ended well"),
        pytest.param([{"terminated": {"exitCode": 3}}], "Failed", id="it failed"),
        pytest.param(
            [{"terminated": {"exitCode": 0}}, {"running": {}}], "Running", id="a sidecar runs on"
        ),
        pytest.param([{"running": {}}], "Running", id="it runs"),
    ],
)
def test_the_end_of_all_containers_is_the_pods_end_before_its_phase_says_so(ends, phase):
    states = [{"name": f"c{number}", "state": state} for number, state in enumerate(ends)]
    assert pods.phase({"phase": "Running", "containerStatuses": states}) == phase


DELETED = {"deletionTimestamp": "2026-01-01T00:00:30Z", "deletionGracePeriodSeconds": 30}
DRAINED = {"type": "DisruptionTarget", "status": "True", "reason": "Evicted", "message": "drain"}


@pytest.mark.parametrize(
    ("meta", "status", "finished_at", "result"),
    [
        pytest.param({}, {}, None, (False, ""), id="nobody stopped it"),
        pytest.param({}, {"conditions": [DRAINED]}, None, (True, "Evicted: drain"), id="drained"),
        pytest.param({}, {"reason": "Preempting"}, None, (True, "Preempting"), id="preempted"),
        pytest.param(
            {},
            {"conditions": [{**DRAINED, "lastTransitionTime": "2026-01-01T00:05:00Z"}]},
            "2026-01-01T00:00:00Z",
            (False, ""),
            id="ended, then drained beside a side-car",
        ),
        pytest.param(
            {},
            {"conditions": [{**DRAINED, "lastTransitionTime": "2026-01-01T00:00:04Z"}]},
            "2026-01-01T00:00:00Z",
            (True, "Evicted: drain"),
            id="drained, by a node whose clock is late",
        ),
        pytest.param(
            DELETED, {}, "2026-01-01T00:00:01Z", (True, "it was deleted"), id="deleted, then ended"
        ),
        pytest.param(
            DELETED,
            {},
            "2025-12-31T23:59:56Z",
            (True, "it was deleted"),
            id="deleted, on a node whose clock is late",
        ),
        pytest.param(
            DELETED, {}, "2025-12-31T23:59:54Z", (False, "it was deleted"), id="ended, then deleted"
        ),
        pytest.param(DELETED, {}, None, (False, "it was deleted"), id="deleted, and still runs"),
    ],
)
def test_a_pod_is_interrupted_if_it_is_stopped_before_its_program_ends(
    meta, status, finished_at, result
):
    assert pods.interruption(meta, status, {"finishedAt": finished_at}) == result


def waiting(reason):
    return [{"name": "c", "state": {"waiting": {"reason": reason, "message": "why"}}}]


@pytest.mark.parametrize(
    ("status", "result"),
    [
        pytest.param({}, None, id="it is new"),
        pytest.param({"containerStatuses": waiting("ContainerCreating")}, None, id="it starts"),
        pytest.param(
            {"containerStatuses": waiting("ImagePullBackOff")},
            ("ImagePullBackOff", "why"),
            id="its image is missing",
        ),
        pytest.param(
            {
                "initContainerStatuses": waiting("CrashLoopBackOff"),
                "containerStatuses": waiting("PodInitializing"),
            },
            ("CrashLoopBackOff", "why"),
            id="an init container fails",
        ),
        pytest.param(
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "no room"}]},
            ("Unschedulable", "no room"),
            id="no node has room",
        ),
    ],
)
def test_why_a_pod_waits(status, result):
    assert pods.waiting(status) == result
