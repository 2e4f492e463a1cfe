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


def written(manager, fields, **more):
    return {"manager": manager, "operation": "Update", "fieldsV1": fields, **more}


OURS = written("tf-job-operator", {"f:spec": {"f:selector": {}}})
REPLICAS = {"f:spec": {"f:replicas": {}}}


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        pytest.param(None, "", id="an object without managers"),
        pytest.param([OURS], "", id="we wrote it"),
        pytest.param(
            [OURS, written("kubectl-label", {"f:metadata": {"f:labels": {"f:a": {}}}})],
            "",
            id="a label of theirs",
        ),
        pytest.param(
            [OURS, written("kube-controller-manager", REPLICAS, subresource="status")],
            "",
            id="a status",
        ),
        pytest.param(
            [OURS, written("cloud", {"f:spec": {"f:loadBalancerIP": {}}})], "", id="a cloud"
        ),
        pytest.param(
            [OURS, {"fieldsV1": REPLICAS}], "x: somebody changed spec.replicas", id="no manager"
        ),
        pytest.param(
            [OURS, written("kubectl", REPLICAS, subresource="scale")],
            "x: kubectl changed spec.replicas",
            id="scaled",
        ),
        pytest.param(
            [
                written("kubectl-edit", {"f:data": {".": {}, "f:cluster": {}, "f:more": {}}}),
                OURS,
                written("queue", {"f:spec": {"f:suspend": {}}, "f:metadata": {}}),
            ],
            "x: kubectl-edit changed data.cluster, data.more and queue changed spec.suspend",
            id="two others",
        ),
    ],
)
def test_who_else_changed_an_object_is_known_from_its_managed_fields(entries, sentence):
    meta = {"name": "x"} if entries is None else {"name": "x", "managedFields": entries}
    assert objects.changed_by_others({"metadata": meta}) == sentence


def test_what_is_being_deleted_need_not_be_made_right():
    meta = {"name": "x", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    meta["managedFields"] = [written("kubectl-edit", REPLICAS)]
    assert objects.changed_by_others({"metadata": meta}) == ""
