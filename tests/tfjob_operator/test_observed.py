import pytest

from tfjob_operator import observed
from tfjob_operator.observed import Children, Job, Pod


def pod(status, **meta):
    return observed.pod({"metadata": {"name": "p", "uid": "u", **meta}, "status": status})


def ended(name, **state):
    return {"containerStatuses": [{"name": name, "state": {"terminated": state}}]}


def test_the_exit_code_is_that_of_the_container_tensorflow():
    assert pod(ended("tensorflow", exitCode=3)).exit_code == 3
    assert pod(ended("sidecar", exitCode=3)).exit_code is None
    assert pod(ended("tensorflow", exitCode=137, reason="OOMKilled")).reason == "OOMKilled"


def test_a_pod_without_a_status_waits():
    assert pod({}).phase == "Pending"
    assert pod({}).exit_code is None


def test_a_disrupted_and_a_dying_pod_are_known_as_such():
    target = {"type": "DisruptionTarget", "status": "True"}
    assert pod({"conditions": [target]}).disrupted
    assert not pod({"conditions": [{**target, "status": "False"}]}).disrupted
    assert pod({}, deletionTimestamp="2026-01-01T00:00:00Z").deleting


@pytest.mark.parametrize(
    ("status", "succeeded", "reason"),
    [
        pytest.param({}, False, "", id="it runs"),
        pytest.param(
            {"conditions": [{"type": "Complete", "status": "True"}]}, True, "", id="it is complete"
        ),
        pytest.param({"succeeded": 1}, True, "", id="its Pod is counted, the condition to come"),
        pytest.param(
            {"conditions": [{"type": "Failed", "status": "True", "reason": "PodFailurePolicy"}]},
            False,
            "PodFailurePolicy",
            id="it failed",
        ),
        pytest.param(
            {"conditions": [{"type": "FailureTarget", "status": "True", "reason": "X"}]},
            False,
            "X",
            id="it is about to fail",
        ),
        pytest.param(
            {"conditions": [{"type": "Failed", "status": "False"}]}, False, "", id="it did not fail"
        ),
    ],
)
def test_a_job_is_what_its_conditions_say(status, succeeded, reason):
    made = observed.job({"metadata": {"name": "j", "uid": "u"}, "status": status})
    assert (made.succeeded, made.failure) == (succeeded, reason)
    assert made.is_finished == (succeeded or bool(reason))


def test_the_newest_pod_speaks_and_of_equals_the_one_that_runs():
    old = Pod("old", "1", "2026-01-01T00:00:00Z", "Failed")
    new = Pod("new", "2", "2026-01-01T00:00:09Z", "Running")
    twin = Pod("twin", "3", "2026-01-01T00:00:09Z", "Failed")
    job = Job("j", "job")
    assert Children(pods={"job": (old, new, twin)}).newest_pod(job) is new
    assert Children().newest_pod(job) is None
