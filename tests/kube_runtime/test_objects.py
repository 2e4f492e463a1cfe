import pytest

from kube_runtime import objects


@pytest.mark.parametrize(
    ("references", "uid"),
    [
        pytest.param([], "", id="nobody"),
        pytest.param([{"uid": "a"}], "", id="an owner that does not control"),
        pytest.param([{"uid": "a"}, {"uid": "b", "controller": True}], "b", id="the controller"),
    ],
)
def test_the_owner_is_the_one_that_controls(references, uid):
    assert objects.owner_uid({"metadata": {"ownerReferences": references}}) == uid
