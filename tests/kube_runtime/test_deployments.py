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
        pytest.param(
            {"availableReplicas": 1, "unavailableReplicas": 1, "conditions": [LATE]},
            "ProgressDeadlineExceeded",
            id="the old Pod answers, and the new one cannot start",
        ),
    ],
)
def test_why_a_deployment_does_not_answer(status, reason):
    name, why = deployments.view({"metadata": {"name": "board"}, "status": status})
    assert (name, why and why[0]) == ("board", reason)
