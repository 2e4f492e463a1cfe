import pytest

from kube_runtime.times import FOREVER
from tests.tfjob_operator.builders import NOW, ago, pod
from tfjob_operator import restart
from tfjob_operator.observed import Job

JOB = Job("j", "uid")
OOM = pod("Failed", 137, reason="OOMKilled")


@pytest.mark.parametrize(
    ("found", "policy", "state"),
    [
        pytest.param(pod("Running"), "ExitCode", "Running", id="it runs"),
        pytest.param(pod("Pending"), "ExitCode", "Unknown", id="it waits"),
        pytest.param(None, "ExitCode", "Unknown", id="there is no Pod yet"),
        pytest.param(pod("Succeeded", 0), "ExitCode", "Succeeded", id="it exited with 0"),
        pytest.param(pod("Succeeded"), "ExitCode", "Succeeded", id="it succeeded, codes unknown"),
        pytest.param(pod("Running", 0), "ExitCode", "Succeeded", id="its sidecar still runs"),
        pytest.param(pod("Running", 1), "ExitCode", "Failed", id="it failed, its sidecar runs"),
        pytest.param(pod("Failed", 1), "ExitCode", "Failed", id="1 is permanent"),
        pytest.param(pod("Failed", 127), "ExitCode", "Failed", id="127 is permanent"),
        pytest.param(pod("Failed", 128), "ExitCode", "Unknown", id="128 is retried"),
        pytest.param(pod("Failed", 143), "ExitCode", "Unknown", id="a signal is retried"),
        pytest.param(OOM, "ExitCode", "Failed", id="OOMKilled is permanent, whatever its code"),
        pytest.param(OOM, "OnFailure", "Unknown", id="OnFailure retries even OOMKilled"),
        pytest.param(pod("Failed", 1), "OnFailure", "Unknown", id="OnFailure retries 1"),
        pytest.param(pod("Failed", 1), "Always", "Unknown", id="Always retries 1"),
        pytest.param(pod("Failed", 143), "Never", "Failed", id="Never retries no signal"),
        pytest.param(pod("Failed"), "ExitCode", "Unknown", id="without a code it is retried"),
        pytest.param(
            pod("Failed", 1, disrupted=True), "ExitCode", "Unknown", id="a disruption is retried"
        ),
        pytest.param(
            pod("Failed", 1, disrupted=True), "Never", "Unknown", id="so is it with Never"
        ),
        pytest.param(
            pod("Failed", 0, disrupted=True, interrupted=True),
            "ExitCode",
            "Unknown",
            id="nor is what ends well because it is told to go done",
        ),
        pytest.param(
            pod("Running", deleting=True), "ExitCode", "Unknown", id="it is being deleted"
        ),
    ],
)
def test_a_replica_is_judged_by_its_pod_and_its_policy(found, policy, state):
    assert restart.judge(JOB, found, policy).state == state


@pytest.mark.parametrize(
    ("job", "found", "state"),
    [
        pytest.param(None, None, "Unknown", id="no Job, no verdict"),
        pytest.param(
            Job("j", "u", succeeded=True), None, "Succeeded", id="the Pod was collected, it is done"
        ),
        pytest.param(
            Job("j", "u", failure="BackoffLimitExceeded"),
            pod("Failed", 137),
            "Failed",
            id="the Job gave up, whatever the code",
        ),
        pytest.param(
            Job("j", "u", failure="BackoffLimitExceeded"), None, "Failed", id="without a Pod"
        ),
    ],
)
def test_the_job_speaks_where_the_pod_does_not(job, found, state):
    assert restart.judge(job, found, "ExitCode").state == state


def test_what_is_retried_says_why():
    assert "exited with code 137" in restart.judge(JOB, pod("Failed", 137), "ExitCode").retry
    assert "attempt 3" in restart.judge(Job("j", "u", failed=2), None, "ExitCode").retry


@pytest.mark.parametrize(
    ("found", "is_counted"),
    [
        pytest.param(pod("Failed", 137), True, id="a failure"),
        pytest.param(pod("Failed", 143, interrupted=True), True, id="deleted by hand"),
        pytest.param(pod("Failed", 143, disrupted=True), False, id="evicted"),
        pytest.param(pod("Succeeded", 0, interrupted=True), False, id="deleted, exits with 0"),
        pytest.param(
            pod("Failed", 0, interrupted=True),
            True,
            id="deleted, its side-car does not exit with 0",
        ),
        pytest.param(
            pod("Running", 0, interrupted=True), True, id="the same, while the side-car still runs"
        ),
    ],
)
def test_a_restart_that_the_job_does_not_count_as_a_failed_pod_is_known(found, is_counted):
    verdict = restart.judge(JOB, found, "ExitCode")
    assert (bool(verdict.retry), verdict.uncounted_pod) == (True, "" if is_counted else found.name)
    assert ("its exit code 0 is no success" in verdict.retry) is (found.exit_code == 0)


def test_a_first_attempt_is_no_retry():
    assert restart.judge(JOB, pod("Pending"), "ExitCode").retry == ""
    assert restart.judge(Job("j", "u", failed=2), pod("Running"), "ExitCode").retry == ""


@pytest.mark.parametrize(
    ("policy", "codes"),
    [
        pytest.param("ExitCode", ("In", list(range(1, 128))), id="ExitCode: 1 to 127 end the Job"),
        pytest.param("Never", ("NotIn", [0]), id="Never: every failure ends the Job"),
        pytest.param("OnFailure", None, id="OnFailure: no code ends the Job"),
        pytest.param("Always", None, id="Always: no code ends the Job"),
    ],
)
def test_the_jobs_own_policy_says_the_same(policy, codes):
    first, *others = restart.pod_failure_policy(policy)["rules"]
    assert first == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
    found = [(r["onExitCodes"]["operator"], r["onExitCodes"]["values"]) for r in others]
    assert found == ([codes] if codes else [])


@pytest.mark.parametrize(
    ("policy", "ended", "seconds"),
    [
        pytest.param("Always", ago(4), 6, id="ten seconds after its end"),
        pytest.param("Always", ago(99), -89, id="at once when they have passed"),
        pytest.param("Always", "", FOREVER, id="never while it runs"),
        pytest.param("OnFailure", ago(99), FOREVER, id="never with another policy"),
    ],
)
def test_a_replica_that_ended_well_runs_again_with_always(policy, ended, seconds):
    job = Job("j", "u", succeeded=bool(ended), completed_at=ended)
    assert restart.seconds_to_rerun(job, policy, NOW) == seconds


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(pod("Running", disrupted=True, deleting=True), id="it still runs"),
        pytest.param(pod("Failed", 0, disrupted=True, interrupted=True), id="exit code 0"),
        pytest.param(
            pod("Failed", 137, reason="OOMKilled", disrupted=True, interrupted=True),
            id="out of memory while it was being stopped",
        ),
    ],
)
def test_a_disruption_is_named_however_its_program_ended(found):
    verdict = restart.judge(JOB, found, "ExitCode")
    assert verdict.retry.startswith("Pod p was stopped")
    assert (verdict.state, verdict.uncounted_pod) == ("Unknown", "p")


def test_a_pod_out_of_memory_that_somebody_deletes_later_was_out_of_memory():
    found = pod("Failed", 137, reason="OOMKilled", deleting=True)
    assert "OOMKilled" in restart.judge(JOB, found, "OnFailure").retry
