import pytest

from kube_runtime.kube import ApiError, Response
from tfjob_operator.carry_out import meaning

GOING = {"causes": [{"reason": "NamespaceTerminating"}]}
BODY = {"kind": "Job", "metadata": {"name": "mnist-master-abcd-0"}}


@pytest.mark.parametrize(
    ("code", "details", "reason"),
    [
        pytest.param(422, None, "InvalidTemplate", id="a field that it will never accept"),
        pytest.param(400, None, "InvalidTemplate", id="a body that it cannot read"),
        pytest.param(
            403, None, "FailedCreate", id="a quota, a missing right or an admission webhook"
        ),
        pytest.param(403, GOING, "", id="a namespace that goes, with the TfJob in it"),
        pytest.param(404, None, "", id="a namespace that is gone"),
        pytest.param(409, None, "", id="a conflict"),
        pytest.param(429, None, "", id="too many requests"),
        pytest.param(500, None, "", id="a fault of its own"),
    ],
)
def test_what_a_refused_creation_means(code, details, reason):
    body = {"message": "no", "reason": "", "details": details}
    found = meaning(BODY, ApiError(Response(code, body, {})))
    assert found.reason == reason
    assert isinstance(found, ApiError) is (reason == "")
    assert "no" in str(found)
