"""The benchmark counts a job's times from what its watches see."""

import asyncio
import math
from pathlib import Path

import orjson
import pytest

from bench.operator import ours, workload
from bench.operator.board import Board, percentile

OURS = ours.subject(Path("unused"))


@pytest.mark.parametrize(
    ("values", "share", "wanted"),
    [
        pytest.param([3.0, 1.0, 2.0], 0.5, 2.0, id="the middle of three"),
        pytest.param(list(range(1, 101)), 0.99, 99, id="the last but one of a hundred"),
        pytest.param([7.0], 0.99, 7.0, id="the only one"),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(values, share, wanted):
    assert percentile(values, share) == wanted


def test_nothing_measured_has_no_percentile():
    assert math.isnan(percentile([], 0.5))


def child(kind, number, job="load-00000"):
    return {"kind": kind, "metadata": {"name": f"{kind}-{number}", "labels": {"tf_job_name": job}}}


def seen_by(board):
    """One job with all its children at 3 s, its chief's end at 5 s and its success at 6 s."""
    board.created("load-00000", 1.0)
    for kind in ("Service", "Job"):
        for number in range(workload.CHILDREN):
            board.child("ADDED", child(kind, number), 2.0 if kind == "Service" else 3.0)
    labels = {"tf_job_name": "load-00000", "job_type": "MASTER"}
    first = {"conditions": [{"type": "Created", "status": "False"}]}
    board.tf_job("MODIFIED", {"metadata": {"name": "load-00000"}, "status": first}, 1.25)
    board.pod("MODIFIED", {"metadata": {"labels": labels}, "status": {"phase": "Running"}}, 4.0)
    running = {**first, "state": "Running"}
    board.tf_job("MODIFIED", {"metadata": {"name": "load-00000"}, "status": running}, 4.5)
    board.pod("MODIFIED", {"metadata": {"labels": labels}, "status": {"phase": "Succeeded"}}, 5.0)
    meta, status = {"name": "load-00000"}, {"state": "Succeeded"}
    board.tf_job("MODIFIED", {"metadata": meta, "status": status}, 6.0)
    return board


def test_a_job_is_timed_from_its_creation_to_its_success():
    async def watch():
        return seen_by(Board(OURS, "load", 1))

    board = asyncio.run(watch())
    assert board.since("complete", "created") == [2.0]
    assert board.since("first_status", "created") == [0.25]
    assert board.since("running", "chief_running") == [0.5]
    assert board.since("succeeded", "chief_ended") == [1.0]
    assert board.last("succeeded", 1.0) == 5.0
    assert board.all_succeeded.is_set()


def test_another_runs_jobs_do_not_count():
    async def watch():
        board = Board(OURS, "load", 1)
        board.child("ADDED", child("Job", 0, job="other-1"), 2.0)
        return board

    assert not asyncio.run(watch()).jobs


def test_the_load_is_one_master_two_workers_and_a_ps_that_runs_on():
    name, _, body = next(workload.tf_jobs(OURS, "load", 1, ["team-00"]))
    replicas = orjson.loads(body)["spec"]["replicaSpecs"]
    held = {r["tfReplicaType"]: r["template"]["metadata"]["annotations"] for r in replicas}
    assert name == "load-00000"
    assert [(r["tfReplicaType"], r["replicas"]) for r in replicas] == list(workload.REPLICAS)
    assert held == {"MASTER": {}, "WORKER": {}, "PS": {"bench/hold": "true"}}


def test_jobs_take_turns_among_the_namespaces():
    paths = [path for _, path, _ in workload.tf_jobs(OURS, "load", 3, ["team-00", "team-01"])]
    api = "/apis/tensorflow.org/v1alpha1/namespaces"
    assert paths == [f"{api}/{team}/tfjobs" for team in ("team-00", "team-01", "team-00")]


def test_a_bare_jobs_service_is_in_its_namespace_too():
    made = list(workload.bare_children("floor", 2, ["team-00", "team-01"]))
    spaces = [path.split("/namespaces/")[1].split("/")[0] for _, path, _ in made]
    half = 2 * workload.CHILDREN
    assert spaces == ["team-00"] * half + ["team-01"] * half
