"""The benchmark gives the operator that ours is compared with the same work, and reads it right."""

import asyncio

import pytest

from bench.operator import peer, workload
from bench.operator.board import Board
from cluster.programs import binaries


@pytest.fixture
def subject(tmp_path, monkeypatch):
    """The peer, with the file that it waits for in a folder of the test."""
    monkeypatch.setattr(peer, "MOUNTED", tmp_path / "webhook" / "certs" / "tls.crt")
    with peer.subject(tmp_path) as made:
        yield made


def test_the_version_it_is_called_by_is_the_one_that_is_built():
    pins = (binaries.SOURCES / peer.RECIPE / "go.mod").read_text()
    assert f"github.com/kubeflow/training-operator v{peer.VERSION} " in pins
    assert peer.PROGRAM in binaries.RECIPES[peer.RECIPE].programs
    assert peer.RECIPE not in binaries.NEEDED


def test_its_job_is_a_chief_two_workers_and_a_ps_that_runs_on():
    replicas = peer.tf_job("load-00000", False)["spec"]["tfReplicaSpecs"]
    held = {kind: one["template"]["metadata"]["annotations"] for kind, one in replicas.items()}
    assert {kind: one["replicas"] for kind, one in replicas.items()} == {
        "Chief": 1,
        "Worker": 2,
        "PS": 1,
    }
    assert held == {"Chief": {}, "Worker": {}, "PS": {"bench/hold": "true"}}


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [
        pytest.param(None, "", id="none yet"),
        pytest.param([("Created", "True"), ("Running", "True")], "Running", id="it runs"),
        pytest.param(
            [("Created", "True"), ("Running", "False"), ("Succeeded", "True")],
            "Succeeded",
            id="what was true before does not count",
        ),
    ],
)
def test_a_state_is_the_last_condition_that_holds(conditions, wanted):
    listed = conditions and [{"type": kind, "status": holds} for kind, holds in conditions]
    assert peer.state({"conditions": listed} if listed else {}) == wanted


def pod(number, kind, phase):
    labels = {"training.kubeflow.org/job-name": "load-00000"}
    labels["training.kubeflow.org/replica-type"] = kind
    meta = {"name": f"load-00000-{kind}-{number}", "labels": labels}
    return {"kind": "Pod", "metadata": meta, "status": {"phase": phase}}


def test_its_children_are_services_and_pods_and_its_chief_is_a_pod(subject):
    async def watch():
        board = Board(subject, "load", 1)
        board.created("load-00000", 1.0)
        for number in range(workload.CHILDREN):
            service = pod(number, "worker", "Pending") | {"kind": "Service"}
            board.child("ADDED", service, 2.0)
            board.pod("ADDED", pod(number, "worker" if number else "chief", "Pending"), 3.0)
        board.pod("MODIFIED", pod(0, "chief", "Succeeded"), 5.0)
        return board

    board = asyncio.run(watch())
    assert board.since("complete", "created") == [2.0]
    assert board.since("chief_ended", "created") == [4.0]


def test_the_file_that_it_waits_for_is_there_only_meanwhile(tmp_path, monkeypatch):
    monkeypatch.setattr(peer, "MOUNTED", tmp_path / "webhook" / "certs" / "tls.crt")
    with peer.mounted_certificate():
        assert peer.MOUNTED.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_somebody_else_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(peer, "MOUNTED", tmp_path / "webhook" / "certs" / "tls.crt")
    peer.MOUNTED.parent.mkdir(parents=True)
    peer.MOUNTED.write_text("theirs")
    with peer.mounted_certificate():
        pass
    assert peer.MOUNTED.read_text() == "theirs"
