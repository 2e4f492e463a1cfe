import pytest

from kube_runtime.kube import ApiError, Response
from tfjob_operator.refusals import classify_create_error

GOING = {"causes": [{"reason": "NamespaceTerminating"}]}
WEBHOOK = 'admission webhook "policy.example" denied the request: no'
POLICY = "ValidatingAdmissionPolicy 'images' with binding 'all' denied request: no"
UNREACHABLE = 'Internal error occurred: failed calling webhook "policy.example": no'


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param(400, WEBHOOK, id="a webhook that gives no code"),
        pytest.param(422, POLICY, id="a policy"),
        pytest.param(500, UNREACHABLE, id="a webhook that cannot be called"),
    ],
)
def test_what_the_clusters_policy_refuses_is_tried_again_and_said(code, message):
    error = ApiError(Response(code, {"message": message}, {}))
    found = classify_create_error("Job", "j", error)
    assert (found.reason, found.is_permanent) == ("FailedCreate", False)


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
    error = ApiError(Response(code, body, {}))
    found = classify_create_error("Job", "mnist-master-abcd-0", error)
    assert found.reason == reason
    assert isinstance(found, ApiError) is (reason == "")
    assert "no" in str(found)
