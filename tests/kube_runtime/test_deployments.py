import pytest

from kube_runtime import deployments

FAILED = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota"}
LATE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
GOING = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        pytest.param({}, "Unavailable", id="it is new"),
        pytest.param({"conditions": [GOING]}, "Unavailable", id="its Pod is being started"),
        pytest.param({"conditions": [GOING, FAILED]}, "FailedCreate", id="a quota refuses its Pod"),
        pytest.param({"conditions": [LATE]}, "ProgressDeadlineExceeded", id="its Pod is late"),
        pytest.param({"availableReplicas": 1, "conditions": [FAILED]}, None, id="it answers"),
    ],
)
def test_why_a_deployment_does_not_answer(status, reason):
    name, why = deployments.view({"metadata": {"name": "board"}, "status": status})
    assert (name, why and why[0]) == ("board", reason)
