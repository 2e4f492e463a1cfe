import pytest

from tests.tfjob_api.builders import parsed, replica
from tests.tfjob_operator.builders import children, pod
from tfjob_operator import cleanup

REPLICAS = (replica("MASTER"), replica("WORKER", 2), replica("PS"))
STATES = {
    "master_0": pod("Succeeded", 0),
    "worker_0": pod("Failed", 1),
    "worker_1": None,
    "ps_0": pod("Running"),
}


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        pytest.param("Running", ["ps", "worker"], id="Running: those whose Pod has not ended"),
        pytest.param("", ["ps", "worker"], id="nothing said is Running"),
        pytest.param("All", ["master", "ps", "worker", "worker"], id="All: all"),
        pytest.param("None", [], id="None: none"),
    ],
)
def test_the_policy_chooses_the_jobs_that_go(policy, names):
    job = parsed(*REPLICAS, runPolicy={"cleanPodPolicy": policy})
    to_delete = cleanup.jobs_to_delete(job, children(job, STATES))
    assert sorted(child.name.split("-")[1] for child in to_delete) == names


@pytest.mark.parametrize(
    ("policy", "names"), [("Running", ["worker"]), ("", ["worker"]), ("All", []), ("None", [])]
)
def test_what_would_try_again_is_suspended_where_logs_are_kept(policy, names):
    job = parsed(*REPLICAS, runPolicy={"cleanPodPolicy": policy})
    to_suspend = cleanup.jobs_to_suspend(job, children(job, STATES))
    assert [child.name.split("-")[1] for child in to_suspend] == names


@pytest.mark.parametrize("field", ["suspended", "deleting", "failure", "succeeded"])
def test_what_starts_no_pod_any_more_need_not_be_suspended(field):
    job = parsed()
    observed = children(job, {"master_0": pod("Failed", 1)}, master_0={field: True})
    assert cleanup.jobs_to_suspend(job, observed) == []


def test_a_suspended_job_is_left_to_its_controller():
    job = parsed()
    observed = children(job, {"master_0": pod()}, master_0={"suspended": True})
    assert cleanup.jobs_to_delete(job, observed) == []


def test_a_finished_job_without_its_pod_stays():
    job = parsed()
    observed = children(job, {"master_0": None}, master_0={"succeeded": True})
    assert cleanup.jobs_to_delete(job, observed) == []


def test_what_is_being_deleted_already_is_left_alone():
    job = parsed()
    assert cleanup.jobs_to_delete(job, children(job, master_0={"deleting": True})) == []


def test_the_newest_pod_counts():
    job = parsed()
    pods = [pod("Failed", 137, created="2026-01-01T00:00:00Z"), pod(created="2026-01-01T00:01:00Z")]
    assert len(cleanup.jobs_to_delete(job, children(job, {"master_0": pods}))) == 1
