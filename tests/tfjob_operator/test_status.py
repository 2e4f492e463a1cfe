from datetime import timedelta

import pytest

from tests.tfjob_operator.builders import NOW, ago, parsed, replica
from tfjob_operator import status
from tfjob_operator.restart import Verdict

JOB = parsed(replica("MASTER"), replica("WORKER", 2))
LATER = NOW + timedelta(seconds=5)


def verdicts(master="Running", *workers, **more):
    return {
        ("MASTER", 0): Verdict(master, **more),
        **{("WORKER", i): Verdict(state) for i, state in enumerate(workers or ("Running",) * 2)},
    }


def conditions(told):
    return {c["type"]: c["status"] for c in told["conditions"]}


def test_a_condition_is_merged_by_its_type():
    told = status.with_conditions({}, {"Created": (True, "A", "a")}, NOW)
    told = status.with_conditions(told, {"Running": (True, "B", "b")}, NOW)
    told = status.with_conditions(told, {"Created": (False, "C", "c")}, LATER)
    assert conditions(told) == {"Running": "True", "Created": "False"}


def test_the_time_of_transition_moves_only_with_the_value():
    told = status.with_conditions({}, {"Created": (True, "A", "a")}, NOW)
    told = status.with_conditions(told, {"Created": (True, "A", "b")}, LATER)
    (condition,) = told["conditions"]
    assert condition["lastTransitionTime"] == ago(0)
    assert condition["lastUpdateTime"] == ago(-5)


def test_the_same_said_again_changes_nothing():
    told = status.at_work(JOB, verdicts(), "", NOW)
    again = status.at_work(parsed(*_replicas(), status=told), verdicts(), "", LATER)
    assert again == told


def _replicas():
    return replica("MASTER"), replica("WORKER", 2)


def test_replicas_are_counted_by_their_states():
    told = status.replica_fields(JOB, verdicts("Running", "Succeeded", "Unknown"))
    assert told == {
        "replicaStatuses": [
            {"tf_replica_type": "MASTER", "state": "Running", "ReplicasStates": {"Running": 1}},
            {
                "tf_replica_type": "WORKER",
                "state": "Unknown",
                "ReplicasStates": {"Succeeded": 1, "Unknown": 1},
            },
        ],
        "replicas": "2/3",
    }


@pytest.mark.parametrize(
    ("states", "overall"),
    [
        pytest.param(["Running", "Failed"], "Failed", id="one failed"),
        pytest.param(["Succeeded", "Succeeded"], "Succeeded", id="all succeeded"),
        pytest.param(["Succeeded", "Running"], "Running", id="one still runs"),
        pytest.param(["Unknown", "Succeeded"], "Unknown", id="one is waited for"),
        pytest.param([], "Unknown", id="there is none"),
    ],
)
def test_a_type_has_one_state(states, overall):
    job = parsed(replica("MASTER"), replica("WORKER", len(states)))
    judged = {("MASTER", 0): Verdict("Running")}
    judged |= {("WORKER", i): Verdict(state) for i, state in enumerate(states)}
    assert status.replica_fields(job, judged)["replicaStatuses"][1]["state"] == overall


def test_the_phase_follows_the_chief():
    waiting = status.at_work(JOB, verdicts("Unknown"), "", NOW)
    running = status.at_work(JOB, verdicts("Running"), "", NOW)
    assert (waiting["phase"], waiting["state"]) == ("Creating", "Unknown")
    assert (running["phase"], running["state"]) == ("Running", "Running")
    assert conditions(running) == {"Created": "True", "Running": "True"}


def test_a_retry_is_a_restarting_job_until_all_runs_again():
    bad = status.at_work(JOB, verdicts("Unknown", retry="it was killed"), "", NOW)
    assert conditions(bad) == {"Created": "True", "Restarting": "True"}
    good = status.at_work(parsed(*_replicas(), status=bad), verdicts(), "", LATER)
    assert conditions(good) == {"Created": "True", "Running": "True", "Restarting": "False"}


def test_what_keeps_pods_from_being_made_is_told_and_taken_back():
    bad = status.at_work(JOB, verdicts("Unknown"), "exceeded quota", NOW)
    assert status.condition(bad, "Created")["message"] == "exceeded quota"
    assert conditions(bad) == {"Created": "False"}
    good = status.at_work(parsed(*_replicas(), status=bad), verdicts(), "", LATER)
    assert conditions(good) == {"Created": "True", "Running": "True"}


def test_a_failure_is_told_in_phase_state_reason_and_condition():
    told = status.failed(JOB, status.INVALID_SPEC, "spec.x: is wrong", NOW)
    assert (told["phase"], told["state"]) == ("Failed", "Failed")
    assert told["reason"] == "InvalidSpec: spec.x: is wrong"
    assert status.condition(told, "Failed")["reason"] == "InvalidSpec"
    assert told["completionTime"] == ago(0)


def test_an_ended_job_runs_no_more():
    running = parsed(*_replicas(), status=status.at_work(JOB, verdicts(), "", NOW))
    told = status.succeeded(running, verdicts("Succeeded"), LATER)
    assert conditions(told) == {"Created": "True", "Running": "False", "Succeeded": "True"}
    assert status.is_finished(told)


def test_a_suspended_job_has_no_start_and_a_resumed_one_has_a_new_one():
    running = status.at_work(JOB, verdicts(), "", NOW)
    paused = status.suspended(parsed(*_replicas(), status=running), NOW)
    assert (paused.get("startTime"), conditions(paused)["Suspended"]) == (None, "True")
    resumed = status.resumed(parsed(*_replicas(), status=paused), LATER)
    assert (resumed["startTime"], conditions(resumed)["Suspended"]) == (ago(-5), "False")
