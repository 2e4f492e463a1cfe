import pytest

from kube_runtime import conditions
from tests.tfjob_operator.builders import NOW
from tfjob_api import reasons


@pytest.mark.parametrize(
    ("reason", "count"),
    [
        pytest.param(reasons.SUCCEEDED, 1, id="an end is"),
        pytest.param(reasons.NAME_TAKEN, 1, id="an obstacle is"),
        pytest.param(reasons.CHIEF_RUNNING, 0, id="that all is as it should be is not"),
    ],
)
def test_what_a_person_would_look_for_is_announced(reason, count):
    result = conditions.merge({}, {"Any": (True, reason, "…")}, NOW)
    assert len([*reasons.new_events({}, result)]) == count
    assert [*reasons.new_events(result, result)] == []
