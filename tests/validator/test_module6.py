"""Exercises 6.1 and 6.2 on hand-made snapshots: each mistake, its verdict and its hint."""

import json

import pytest

from tests.validator import world
from validator.engine import grade
from validator.exercises import module6  # noqa: F401 (registers the checks)
from validator.snapshot import Snapshot
from validator.verdicts import Verdict

HOSTS = {"master": ["m-0:2222"], "worker": ["w-0:2222", "w-1:2222"], "ps": ["p-0:2222"]}
LOG = "\n".join(
    [
        f"2026-01-31T12:00:{n * 4:02d}Z step {n * 100}/1000 loss {2 - n / 10:.4f} accuracy 0.7000"
        for n in range(1, 11)
    ]
    + [
        "2026-01-31T12:00:50Z worker 0 took 512 steps",
        "2026-01-31T12:00:50Z worker 1 took 488 steps",
        "2026-01-31T12:00:52Z test accuracy 0.8612 on 10000 images",
    ]
)


def template(**more):
    container = world.container(args=["--max-steps", "1000"], resources={}, **more)
    return {"spec": {"containers": [container]}}


def created(job, time):
    return {
        "involvedObject": {"kind": "Job", "name": f"module6-ex2-worker-ab12-{job}"},
        "reason": "SuccessfulCreate",
        "lastTimestamp": f"2026-01-31T{time}Z",
    }


def data_for(name):
    """A cluster in which the exercise is done."""
    data = world.done()
    tfjob = world.tfjob(name)
    tfjob["status"]["runtimeId"] = "ab12"
    tfjob["spec"]["replicaSpecs"] = [
        {"tfReplicaType": "MASTER", "template": template()},
        {"tfReplicaType": "WORKER", "replicas": 2, "template": template()},
        {"tfReplicaType": "PS"},
    ]
    job = {"kind": "Job", "metadata": world.metadata(f"{name}-master-ab12-0", tfjob)}
    pod = world.child_pod(job)
    config = {"cluster": HOSTS, "task": {"type": "master", "index": 0}, "environment": "cloud"}
    variables = [{"name": "TF_CONFIG", "value": json.dumps(config)}]
    pod["spec"] = template(env=variables)["spec"]
    data["objects"].update(tfjobs=[tfjob], jobs=[job], pods=[pod])
    data["objects"]["events"] = [
        created(0, "11:59:51"),
        created(1, "11:59:51"),
        created(1, "12:00:20"),
    ]
    data["logs"] = {f"{pod['metadata']['name']}/tensorflow": LOG}
    return data


def judge(number, *changes):
    data = data_for("module6-ex1" if number == "6.1" else "module6-ex2")
    for change in changes:
        change(data)
    (result,) = grade(Snapshot(data), [number])
    return result


def replica(index, **fields):
    return lambda data: data["objects"]["tfjobs"][0]["spec"]["replicaSpecs"][index].update(fields)


def log(old, new):
    def change(data):
        data["logs"] = {key: text.replace(old, new) for key, text in data["logs"].items()}

    return change


def tf_config(value):
    def change(data):
        data["objects"]["pods"][0]["spec"]["containers"][0]["env"][0]["value"] = value

    return change


def no_events(data):
    data["objects"]["events"] = []


def early(data):
    data["objects"]["events"][-1]["lastTimestamp"] = "2026-01-31T11:59:55Z"


def still_training(data):
    world.running(data)
    data["objects"]["tfjobs"][0]["status"]["runtimeId"] = "ab12"
    data["objects"]["pods"][0]["status"] = {
        "containerStatuses": [{"name": "tensorflow", "state": {"running": {}}}]
    }
    job = {
        "kind": "Job",
        "metadata": world.metadata("module6-ex2-worker-ab12-0", data["objects"]["tfjobs"][0]),
    }
    worker = world.child_pod(job)
    worker["metadata"]["labels"] = {"job_type": "WORKER"}
    worker["status"] = data["objects"]["pods"][0]["status"]
    data["objects"]["jobs"].append(job)
    data["objects"]["pods"][0]["metadata"]["labels"] = {"job_type": "MASTER"}
    worker["metadata"]["name"] = "the-worker"
    data["objects"]["pods"].append(worker)


@pytest.mark.parametrize("number", ["6.1", "6.2"])
def test_the_untouched_world_is_done(number):
    result = judge(number)
    assert result.verdict is Verdict.DONE, result.finding


@pytest.mark.parametrize("number", ["6.1", "6.2"])
@pytest.mark.parametrize(
    ("change", "verdict", "found", "hint"),
    [
        pytest.param(
            world.no_tfjob, Verdict.NOT_STARTED, "no TfJob", "kubectl apply", id="nothing"
        ),
        pytest.param(
            replica(1, replicas=1), Verdict.WRONG, "1 WORKER", "three entries", id="one worker"
        ),
        pytest.param(
            replica(2, template=template()), Verdict.WRONG, "template", "delete", id="a PS by hand"
        ),
        pytest.param(
            replica(0, template=template(env=[{"name": "TF_CONFIG", "value": "{}"}])),
            Verdict.WRONG,
            "TF_CONFIG in the manifest of the MASTER",
            "delete TF_CONFIG",
            id="TF_CONFIG by hand",
        ),
        pytest.param(
            replica(1, template=template(command=["x", "--ps_hosts=a:1"])),
            Verdict.WRONG,
            "--ps_hosts in the manifest of the WORKER",
            "delete --ps_hosts",
            id="a cluster spec by hand",
        ),
        pytest.param(
            tf_config('{"cluster": {"worker": ["a"]}}'),
            Verdict.WRONG,
            "TF_CONFIG of 1 WORKER",
            "operator",
            id="a TF_CONFIG of another cluster",
        ),
        pytest.param(
            tf_config("x"), Verdict.WRONG, "nothing", "operator", id="no TF_CONFIG at all"
        ),
        pytest.param(
            log("worker 1 took 488", "worker 1 took 0"),
            Verdict.WRONG,
            "no steps of worker 1",
            "sample image",
            id="an idle worker",
        ),
        pytest.param(
            log("2026-01-31T12:00:", "2026-01-31T12:00:01.00"),
            Verdict.WRONG,
            "did not train",
            "take `command` out",
            id="only words",
        ),
    ],
)
def test_mistakes_of_both(number, change, verdict, found, hint):
    result = judge(number, change)
    assert result.verdict is verdict, result.finding
    assert found in result.finding.found, result.finding
    assert hint in result.finding.next_step, result.finding


def test_a_thousand_steps_are_asked_for():
    result = judge("6.1", log("/1000", "/900"), log("step 1000/", "step 900/"))
    assert "step 900 as the last" in result.finding.found


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param(no_events, "no worker was lost", id="nobody deleted a Pod"),
        pytest.param(early, "before the first step", id="it was deleted before the training"),
    ],
)
def test_a_worker_has_to_be_lost_while_it_trains(change, found):
    result = judge("6.2", change)
    assert result.verdict is Verdict.WRONG
    assert found in result.finding.found


def test_while_it_trains_the_next_step_is_to_delete_a_worker():
    result = judge("6.2", still_training, no_events)
    assert result.verdict is Verdict.CONVERGING
    assert "`kubectl delete pod the-worker`" in result.finding.next_step


def test_once_a_worker_is_lost_the_next_step_is_to_wait():
    assert "wait" in judge("6.2", still_training).finding.next_step
