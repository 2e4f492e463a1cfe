"""The only reader: what it asks for, and what it makes of refusals."""

import pytest

from tests.validator import world
from tests.validator.api_server import serve
from validator import cluster
from validator.kubeconfig import NoCluster, connect
from validator.snapshot import Snapshot, Unreadable

SPACE = "/api/v1/namespaces/learner"
POD = {
    "metadata": {"name": "p", "ownerReferences": [{"kind": "Job", "uid": "j"}]},
    "status": {"containerStatuses": [world.terminated(0)]},
}


@pytest.fixture
def api():
    with serve() as server:
        yield server


@pytest.fixture
def read(api, tmp_path):
    def reading(**user):
        return Snapshot(cluster.read(connect(str(api.kubeconfig(tmp_path, **user)), None, None)))

    return reading


def test_objects_and_logs_come_into_the_snapshot(api, read):
    api.answers = {f"{SPACE}/pods": [POD], f"{SPACE}/pods/p/log": "2026-01-31T12:00:00Z hello"}
    seen = read()
    assert [line.text for line in seen.log(seen.items("pods")[0])] == ["hello"]
    assert seen.namespace == "learner"


def test_only_lists_and_logs_are_read_and_secrets_only_as_metadata(api, read):
    read()
    for path, _, accept in api.seen:
        assert "secrets" not in path or "PartialObjectMetadata" in accept
    assert any("secrets" in path for path, _, _ in api.seen)


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_kind_that_is_refused_stops_nothing_else(api, read, status):
    api.answers = {"/api/v1/nodes": status, f"{SPACE}/pods": [POD], f"{SPACE}/pods/p/log": status}
    seen = read()
    assert len(seen.items("pods")) == 1
    with pytest.raises(Unreadable, match=f"refused with {status}"):
        seen.items("nodes")
    with pytest.raises(Unreadable):
        seen.log(POD)


def test_an_api_without_tfjobs_does_not_serve_them(api, read):
    api.answers = {"/apis/tensorflow.org/v1alpha1/namespaces/learner/tfjobs": 404}
    assert not read().served("tfjobs")


def test_without_rights_elsewhere_the_operator_is_looked_for_at_home(api, read):
    deployment = {"metadata": {"name": "tf-job-operator"}}
    config = {"metadata": {"name": "tf-job-operator-config"}}
    api.answers = {
        "/apis/apps/v1/deployments": 403,
        "/api/v1/configmaps": 403,
        "/apis/apps/v1/namespaces/learner/deployments": [deployment],
        f"{SPACE}/configmaps": [config],
    }
    seen = read()
    assert seen.items("deployments", "operator") == [deployment]
    assert seen.items("configmaps", "operator") == [config]


def test_large_fields_that_no_check_reads_are_left_out(api, read):
    node = {"metadata": {"name": "n", "managedFields": [1]}, "status": {"images": [1]}}
    api.answers = {"/api/v1/nodes": [node]}
    assert read().items("nodes") == [{"metadata": {"name": "n"}, "status": {}}]


@pytest.mark.parametrize(
    ("default", "words"),
    [
        pytest.param(401, "does not know you", id="wrong credentials"),
        pytest.param("<html>", "not JSON", id="something else answers"),
    ],
)
def test_no_answer_that_helps_is_no_cluster(api, read, default, words):
    api.default = default
    with pytest.raises(NoCluster, match=words):
        read()


def test_nobody_listening_is_no_cluster(tmp_path):
    with serve() as api:
        path = api.kubeconfig(tmp_path)
    with pytest.raises(NoCluster, match="no answer from") as caught:
        cluster.read(connect(str(path), None, None))
    assert "make lab" in caught.value.next_step


def test_a_token_is_sent_and_not_kept(api, read):
    assert "s3cr3t" not in str(read(token="s3cr3t").data)


def test_a_name_that_is_a_path_stays_one_name(api, read):
    hostile = {**POD, "metadata": {**POD["metadata"], "name": "../../secrets?x"}}
    api.answers = {f"{SPACE}/pods": [hostile]}
    read()
    logs = [whole for _, whole, _ in api.seen if "/log?" in whole]
    assert logs[0].startswith(f"{SPACE}/pods/..%2F..%2Fsecrets%3Fx/log?")
