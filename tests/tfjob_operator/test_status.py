from datetime import timedelta

import pytest

from kube_runtime import conditions
from tests.tfjob_api.builders import parsed, replica
from tests.tfjob_operator.builders import NOW, ago
from tfjob_api import reasons
from tfjob_operator import status
from tfjob_operator.restart import Verdict
from tfjob_operator.status import Progress

JOB = parsed(replica("MASTER"), replica("WORKER", 2))
LATER = NOW + timedelta(seconds=5)


def verdicts(master="Running", *workers, **more):
    return {
        ("MASTER", 0): Verdict(master, **more),
        **{("WORKER", i): Verdict(state) for i, state in enumerate(workers or ("Running",) * 2)},
    }


def active(job, judged, now=NOW, **progress):
    return status.active_status(job, Progress(judged, **progress), now)


def held(result):
    return {c["type"]: c["status"] for c in result["conditions"]}


def test_a_condition_is_merged_by_its_type():
    result = conditions.merge({}, {"Created": (True, "A", "a")}, NOW)
    result = conditions.merge(result, {"Running": (True, "B", "b")}, NOW)
    result = conditions.merge(result, {"Created": (False, "C", "c")}, LATER)
    assert held(result) == {"Running": "True", "Created": "False"}


def test_the_time_of_transition_moves_only_with_the_value():
    result = conditions.merge({}, {"Created": (True, "A", "a")}, NOW)
    result = conditions.merge(result, {"Created": (True, "A", "b")}, LATER)
    (condition,) = result["conditions"]
    assert condition["lastTransitionTime"] == ago(0)
    assert condition["lastUpdateTime"] == ago(-5)


def test_the_same_said_again_changes_nothing():
    result = active(JOB, verdicts())
    again = active(parsed(*_replicas(), status=result), verdicts(), now=LATER)
    assert again == result


def _replicas():
    return replica("MASTER"), replica("WORKER", 2)


def test_replicas_are_counted_by_their_states():
    result = status.replica_fields(JOB, verdicts("Running", "Succeeded", "Unknown"))
    assert result == {
        "replicaStatuses": [
            {"tf_replica_type": "MASTER", "state": "Running", "ReplicasStates": {"Running": 1}},
            {
                "tf_replica_type": "WORKER",
                "state": "Unknown",
                "ReplicasStates": {"Succeeded": 1, "Unknown": 1},
            },
        ],
        "replicas": "2/3",
        "completedIndexes": {"WORKER": "0"},
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
    waiting = active(JOB, verdicts("Unknown"))
    running = active(JOB, verdicts("Running"))
    assert (waiting["phase"], waiting["state"]) == ("Creating", "Unknown")
    assert (running["phase"], running["state"]) == ("Running", "Running")
    assert held(running) == {"Created": "True", "Running": "True"}


def test_a_retry_is_a_restarting_job_until_all_runs_again():
    bad = active(JOB, verdicts("Unknown", retry="it was killed"))
    assert held(bad) == {"Created": "True", "Restarting": "True"}
    good = active(parsed(*_replicas(), status=bad), verdicts(), now=LATER)
    assert held(good) == {"Created": "True", "Running": "True", "Restarting": "False"}


def test_after_a_restart_the_status_still_says_why_and_how_often():
    why = "Pod p was stopped (PreemptionByScheduler: for another)"
    bad = active(JOB, verdicts("Unknown", retry=why), failed_pods=1)
    assert (conditions.find(bad, "Restarting")["message"], bad["restarts"]) == (why, 1)
    good = active(parsed(*_replicas(), status=bad), verdicts(), failed_pods=1, now=LATER)
    restarting = conditions.find(good, "Restarting")
    assert (restarting["status"], restarting["reason"]) == ("False", "Recovered")
    assert why in restarting["message"]
    assert good["restarts"] == 1


def test_a_disruption_is_a_restart_though_no_job_counts_it():
    first = verdicts("Unknown", retry="Pod p was stopped (Evicted)", uncounted_pod="p")
    second = verdicts("Unknown", retry="Pod q was stopped (x)", uncounted_pod="q")
    bad = active(JOB, first)
    same = active(parsed(*_replicas(), status=bad), first)
    again = active(parsed(*_replicas(), status=same), second)
    assert [each["restarts"] for each in (bad, same, again)] == [1, 1, 2]


@pytest.mark.parametrize(
    "later",
    [
        pytest.param("Pod p was stopped (EvictionByEvictionAPI: x)", id="another reason"),
        pytest.param("Pod p was OOMKilled", id="out of memory while it was being stopped"),
        pytest.param("Pod p was stopped, so its exit code 0 is no success", id="exit code 0"),
    ],
)
def test_a_disruption_that_has_another_message_later_is_still_one_restart(later):
    bad = active(JOB, verdicts("Unknown", retry="Pod p was stopped", uncounted_pod="p"))
    again = active(
        parsed(*_replicas(), status=bad), verdicts("Unknown", retry=later, uncounted_pod="p")
    )
    assert (again["restarts"], conditions.find(again, "Restarting")["message"]) == (1, later)


def test_each_of_many_disruptions_counts_though_the_message_has_no_room_for_all():
    lost = {
        ("WORKER", i): Verdict("Unknown", "", f"Pod {i:060} was lost", f"{i:060}")
        for i in range(50)
    }
    job = parsed(replica("MASTER"), replica("WORKER", 50))
    judged = {("MASTER", 0): Verdict("Running"), **lost}
    result = active(job, judged)
    for _ in range(3):
        assert (result["restarts"], result["disruptedIndexes"]) == (50, {"WORKER": "0-49"})
        result = active(job.with_status(result), judged)
    judged["WORKER", 7] = Verdict("Running")
    result = active(job.with_status(result), judged)
    assert result["disruptedIndexes"] == {"WORKER": "0-6,8-49"}
    judged["WORKER", 7] = lost["WORKER", 7]
    result = active(job.with_status(result), judged)
    assert result["restarts"] == 51
    for end in (status.suspended(job.with_status(result), True, NOW),
                status.failed(job.with_status(result), "ReplicaFailed", "x", NOW)):  # fmt: skip
        assert "disruptedIndexes" not in end
        assert end["restarts"] == 51


def after(*passes, **before):
    """restarts after passes that saw so many failed Pods; True stands for a disruption."""
    result = before
    for number, seen in enumerate(passes):
        retry = f"Pod p{number} was stopped" if seen is True else ""
        state, pod = ("Unknown", f"p{number}") if retry else ("Running", "")
        judged = verdicts(state, retry=retry, uncounted_pod=pod)
        failed_pods = 0 if seen is True else seen
        result = active(parsed(*_replicas(), status=result), judged, failed_pods=failed_pods)
    return result.get("restarts", 0)


@pytest.mark.parametrize(
    ("restarts", "expected"),
    [
        pytest.param(after(1, 1, 2), 2, id="each failure counts once"),
        pytest.param(after(True, 0, 1), 2, id="a disruption, then a failure"),
        pytest.param(after(3, 0, 2), 5, id="after a resume the Jobs count from 0 again"),
        pytest.param(after(3, 4, restarts=3), 4, id="an older operator did not write failedPods"),
        pytest.param(after(0), 0, id="none"),
    ],
)
def test_restarts_are_all_disruptions_and_failures_so_far(restarts, expected):
    assert restarts == expected


@pytest.mark.parametrize(
    ("first", "second", "restarts"),
    [
        pytest.param("Pod z was stopped", "Pod a was stopped", 2, id="two, in any order"),
        pytest.param("Pod z exited with 137", "Pod a was stopped", 1, id="behind a failure"),
        pytest.param("Pod z was stopped", "Pod a was lost" + "." * 2000, 2, id="no room for two"),
        pytest.param("Pod z was stopped" + "." * 2000, "", 1, id="longer than a message may be"),
    ],
)
def test_however_many_passes_look_at_a_disruption_it_counts_once(first, second, restarts):
    pod = "z" if "was stopped" in first else ""
    judged = verdicts("Unknown", "Unknown", "Running", retry=first, uncounted_pod=pod)
    judged["WORKER", 0] = Verdict("Unknown", retry=second, uncounted_pod="a" if second else "")
    result = active(JOB, judged)
    for _ in range(3):
        result = active(parsed(*_replicas(), status=result), judged)
        assert result.get("restarts") == restarts


@pytest.mark.parametrize(
    "passes",
    [
        pytest.param(["ab", "b", ""], id="at once, and the first is back before the second"),
        pytest.param(["b", "ab", "b", ""], id="one after the other"),
        pytest.param(["a", "", "b", ""], id="one, and later the other"),
    ],
)
def test_two_pods_of_a_drained_node_are_two_restarts(passes):
    result = {}
    for there in passes:
        judged = verdicts()
        for task, name in ((("WORKER", 0), "a"), (("PS", 0), "b")):
            if name in there:
                why = f"Pod {name} was stopped (EvictionByEvictionAPI)"
                judged[task] = Verdict("Unknown", retry=why, uncounted_pod=name)
        result = active(parsed(*_replicas(), status=result), judged)
    assert result["restarts"] == 2


def test_a_replica_that_has_not_come_back_has_not_recovered():
    bad = active(JOB, verdicts("Unknown", retry="it was killed"))
    still = active(parsed(*_replicas(), status=bad), verdicts("Unknown"), now=LATER)
    assert held(still)["Restarting"] == "True"


def test_the_first_pod_that_cannot_run_is_a_condition_until_it_does():
    why = ("ImagePullBackOff", "MASTER 0: Pod p: Back-off pulling image")
    bad = active(JOB, verdicts("Unknown"), waiting=(True, *why))
    found = conditions.find(bad, "Waiting")
    assert (found["status"], found["reason"], found["message"]) == ("True", *why)
    good = active(parsed(*_replicas(), status=bad), verdicts(), now=LATER)
    assert conditions.find(good, "Waiting")["status"] == "False"
    assert "Waiting" not in held(active(JOB, verdicts()))


def test_a_chief_that_no_longer_runs_is_not_called_running():
    running = parsed(*_replicas(), status=active(JOB, verdicts()))
    result = active(running, verdicts("Unknown"), now=LATER)
    assert (result["phase"], result["state"]) == ("Running", "Unknown")
    assert held(result)["Running"] == "False"


def test_messages_are_cut_at_the_length_of_an_event():
    result = status.failed(JOB, reasons.INVALID_TEMPLATE, "x" * 5000, NOW)
    assert len(result["reason"]) == 1024
    assert len(conditions.find(result, "Failed")["message"]) == 1024


def test_which_replicas_have_succeeded_is_remembered():
    result = active(JOB, verdicts("Running", "Succeeded", "Running"))
    assert result["completedIndexes"] == {"WORKER": "0"}
    assert JOB.with_status(result).completed == {("WORKER", 0)}


@pytest.mark.parametrize("ended", [False, True])
def test_the_condition_that_tells_why_is_the_last_one_whatever_tensorboard_does(ended):
    why = (True, "Unschedulable", "MASTER 0: Pod p: 0/1 nodes are available")
    result = active(JOB, verdicts("Unknown"), waiting=why)
    if ended:
        result = status.failed(parsed(*_replicas(), status=result), "ReplicaFailed", "x", LATER)
    board = {"TensorBoardReady": (True, reasons.AVAILABLE, "TensorBoard answers")}
    result = status.merge(result, board, LATER)
    assert result["conditions"][-1]["reason"] == ("ReplicaFailed" if ended else "Unschedulable")


def test_a_short_job_tells_that_it_was_created():
    first = status.first_status(JOB, verdicts("Unknown"), NOW)
    result = status.succeeded(parsed(*_replicas(), status=first), verdicts("Succeeded"), LATER)
    assert held(result) == {"Created": "True", "Succeeded": "True"}
    assert result["conditions"][-1]["reason"] == "Succeeded"  # which -o wide shows


def test_what_keeps_pods_from_being_made_is_told_and_taken_back():
    bad = active(JOB, verdicts("Unknown"), blocked="exceeded quota")
    assert conditions.find(bad, "Created")["message"] == "exceeded quota"
    assert held(bad) == {"Created": "False"}
    good = active(parsed(*_replicas(), status=bad), verdicts(), now=LATER)
    assert held(good) == {"Created": "True", "Running": "True"}


def test_a_failure_is_told_in_phase_state_reason_and_condition():
    result = status.failed(JOB, reasons.INVALID_SPEC, "spec.x: is wrong", NOW)
    assert (result["phase"], result["state"]) == ("Failed", "Failed")
    assert result["reason"] == "InvalidSpec: spec.x: is wrong"
    assert conditions.find(result, "Failed")["reason"] == "InvalidSpec"
    assert result["completionTime"] == ago(0)


def test_an_ended_job_runs_no_more():
    running = parsed(*_replicas(), status=active(JOB, verdicts()))
    result = status.succeeded(running, verdicts("Succeeded"), LATER)
    assert held(result) == {"Created": "True", "Running": "False", "Succeeded": "True"}
    assert running.with_status(result).is_finished


def test_a_suspended_job_has_no_start_and_a_resumed_one_has_a_new_one():
    running = active(JOB, verdicts())
    paused = status.suspended(parsed(*_replicas(), status=running), True, NOW)
    assert (paused.get("startTime"), held(paused)["Suspended"]) == (None, "True")
    resumed = status.resumed(parsed(*_replicas(), status=paused), LATER)
    assert (resumed["startTime"], held(resumed)["Suspended"]) == (ago(-5), "False")


def ran(**more):
    """A status as a pass has written it; ``more`` are other fields."""
    return active(JOB, verdicts()) | more


@pytest.mark.parametrize(
    ("change", "is_minor"),
    [
        pytest.param({}, True, id="nothing"),
        pytest.param({"replicas": "2/3"}, True, id="a count"),
        pytest.param({"replicaStatuses": []}, True, id="states of replicas"),
        pytest.param({"completedIndexes": {"WORKER": "0"}}, True, id="a worker has succeeded"),
        pytest.param({"phase": "Running"}, False, id="the phase"),
        pytest.param({"state": "Failed"}, False, id="the state"),
        pytest.param({"reason": "x"}, False, id="the reason"),
        pytest.param({"restarts": 1}, False, id="a restart"),
        pytest.param({"observedGeneration": 2}, False, id="a new spec was seen"),
        pytest.param({"conditions": []}, False, id="a condition"),
    ],
)
def test_a_change_is_minor_if_nobody_waits_for_it(change, is_minor):
    old = ran(phase="Creating", state="Unknown")
    assert status.is_minor(old, old | change) == is_minor


def test_that_the_children_are_there_is_minor_and_that_they_are_not_is_not():
    first = status.first_status(JOB, verdicts("Unknown", "Unknown", "Unknown"), NOW)
    job = JOB.with_status(first)
    waiting = verdicts("Unknown", "Unknown", "Unknown")
    assert status.is_minor(first, active(job, waiting, LATER))
    assert not status.is_minor(first, active(job, waiting, LATER, blocked="quota"))
    assert not status.is_minor(
        first, active(job, waiting, LATER, waiting=(True, "Unschedulable", "x"))
    )
    assert not status.is_minor(first, active(job, verdicts(), LATER))
