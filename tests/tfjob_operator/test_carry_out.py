import pytest

from tfjob_operator.carry_out import Blocked, InvalidTemplate, meaning
from tfjob_operator.kube import ApiError, Response

GOING = {"causes": [{"reason": "NamespaceTerminating"}]}
BODY = {"kind": "Job", "metadata": {"name": "mnist-master-abcd-0"}}


@pytest.mark.parametrize(
    ("code", "details", "kind"),
    [
        pytest.param(422, None, InvalidTemplate, id="a field that it will never accept"),
        pytest.param(400, None, InvalidTemplate, id="a body that it cannot read"),
        pytest.param(403, None, Blocked, id="a quota, a missing right or an admission webhook"),
        pytest.param(403, GOING, ApiError, id="a namespace that goes, with the TfJob in it"),
        pytest.param(404, None, ApiError, id="a namespace that is gone"),
        pytest.param(409, None, ApiError, id="a conflict"),
        pytest.param(429, None, ApiError, id="too many requests"),
        pytest.param(500, None, ApiError, id="a fault of its own"),
    ],
)
def test_what_a_refused_creation_means(code, details, kind):
    body = {"message": "no", "details": details}
    found = meaning(BODY, ApiError(Response(code, body, {})))
    assert type(found) is kind
    assert "no" in str(found)
