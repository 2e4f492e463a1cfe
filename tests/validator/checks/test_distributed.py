"""A training on several replicas, and one that loses a worker on its way."""

import pytest

from tests.validator import world
from tests.validator.world import condition, spoiled, without
from validator import exercises  # noqa: F401 (registers the exercises)
from validator.engine import grade
from validator.snapshot import INDEX
from validator.verdicts import Verdict

WRONG, DONE = Verdict.WRONG, Verdict.DONE
COULD_NOT, CONVERGING = Verdict.COULD_NOT_CHECK, Verdict.CONVERGING


def judge(number, *changes):
    name = "module6-ex1" if number == "6.1" else "module6-ex2"
    data = world.distributed(name, 1000 if number == "6.1" else 3000)
    (result,) = grade(spoiled(*changes, of=data), [number])
    return result


def replica(index, **fields):
    return lambda data: data["objects"]["tfjobs"][0]["spec"]["replicaSpecs"][index].update(fields)


def template(**more):
    return {"spec": {"containers": [world.container(resources={}, **more)]}}


def unbegun(data):
    world.running(data)
    data["objects"]["pods"], data["logs"] = [], {}


def tf_config(value):
    def change(data):
        data["objects"]["pods"][0]["spec"]["containers"][0]["env"][0]["value"] = value

    return change


def log(old, new):
    def change(data):
        for key, written in data["logs"].items():
            data["logs"][key] = world.whole(written["head"].replace(old, new))

    return change


STEPS = ["--max-steps", "1000"]


@pytest.mark.parametrize("number", ["6.1", "6.2"])
def test_the_untouched_world_is_done(number):
    result = judge(number)
    assert result.verdict is DONE, result.finding


@pytest.mark.parametrize("number", ["6.1", "6.2"])
@pytest.mark.parametrize(
    ("changes", "id", "found", "fix"),
    [
        pytest.param(
            [unbegun, replica(1, replicas=1)], "replicas.count", "1 MASTER, 1 WORKER, 1 PS",
            "3 entries", id="one worker",
        ),
        pytest.param(
            [unbegun, lambda d: d["objects"]["tfjobs"][0]["spec"]["replicaSpecs"].pop()],
            "replicas.missing.ps", "1 MASTER, 2 WORKER", "3 entries", id="no PS",
        ),
        pytest.param(
            [unbegun, replica(2, template=template())], "ps.template", "PS has a template",
            "Delete `template`", id="a PS with a template",
        ),
        pytest.param(
            [unbegun, replica(1, template=template(image="busybox:1", args=STEPS))], "image.other",
            "the WORKER runs image busybox:1", "Set `image", id="another image on the workers",
        ),
        pytest.param(
            [unbegun, replica(0, template=template(env=[{"name": "TF_CONFIG", "value": "{}"}]))],
            "addresses.tf-config", "TF_CONFIG in the manifest of the MASTER", "Delete TF_CONFIG",
            id="TF_CONFIG by hand",
        ),
        pytest.param(
            [unbegun, replica(1, template=template(args=["--ps_hosts=a:1"]))],
            "addresses.ps-hosts", "--ps_hosts in the manifest of the WORKER", "Delete --ps_hosts",
            id="addresses by hand",
        ),
        pytest.param(
            [tf_config('{"cluster": {"worker": ["a"]}}')], "tf-config.other", "1 WORKER",
            "operator set TF_CONFIG", id="a TF_CONFIG of another cluster",
        ),
        pytest.param(
            [tf_config("x")], "tf-config.other", "no addresses", "operator set TF_CONFIG",
            id="no TF_CONFIG at all",
        ),
        pytest.param(
            [log("worker 0 took 512", "worker 0 took 12")], "workers.sum", "add up to",
            "image's own program", id="shares that do not add up",
        ),
    ],
)  # fmt: skip
def test_mistakes_of_both(number, changes, id, found, fix):
    result = judge(number, *changes)
    assert (result.verdict, result.finding.id) == (WRONG, id), result.finding
    assert found in result.finding.found
    assert fix in result.finding.next_step


# 6.2


def restarting(*said):
    """The TfJob's condition, or none."""

    def change(data):
        status = data["objects"]["tfjobs"][0]["status"]
        others = [c for c in status.get("conditions", []) if c["type"] != "Restarting"]
        status["conditions"] = others
        status["conditions"] += [condition("Restarting", *said)] if said else []

    return change


no_condition = restarting()
no_line = log("worker 1 is lost: training goes on", "hello")
no_events = without("events")


def next_day(data):
    data["taken"] = "2026-02-01T09:00:00Z"


def indexed(data):
    """The workers are one Indexed Job, which says that it made Pods of both."""
    events = data["objects"]["events"]
    job = events[-1]["involvedObject"]["name"].rpartition("-")[0]
    for event in events[-2:]:
        event["involvedObject"]["name"] = job
    message = f"Created pod: {job}-0-klmno"
    events.append({**events[-2], "message": message, "lastTimestamp": "2026-01-31T12:00:04Z"})


def never_again(data):
    """The second Pod of worker 1 was never made."""
    data["objects"]["events"] = [
        event for event in data["objects"]["events"] if not event["message"].endswith("fghij")
    ]


def early(data):
    """The second Pod of the worker's Job was made before the first step."""
    data["objects"]["events"][-1]["lastTimestamp"] = "2026-01-31T11:59:55Z"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([no_events], id="the events have expired"),
        pytest.param([no_line], id="the log does not name it"),
        pytest.param([no_condition], id="the condition is not there"),
        pytest.param([no_condition, indexed], id="the workers are one Indexed Job"),
        pytest.param([no_events, next_day], id="graded the next day"),
    ],
)
def test_two_of_three_signs_prove_that_a_worker_was_replaced(changes):
    result = judge("6.2", *changes)
    assert result.verdict is DONE, result.finding


@pytest.mark.parametrize(
    ("changes", "verdict", "cause"),
    [
        pytest.param([no_condition, no_line, no_events], WRONG, "none", id="nobody deleted a Pod"),
        pytest.param(
            [no_condition, no_line, early], WRONG, "too-early", id="before the training began"
        ),
        pytest.param(
            [restarting("False", "Finished"), no_line], WRONG, "not-back", id="it did not come back"
        ),
        pytest.param([no_line, no_condition], WRONG, "unclear", id="one sign alone"),
        pytest.param(
            [no_condition, no_line, indexed, never_again],
            WRONG,
            "none",
            id="the first Pods of two replicas of an Indexed Job",
        ),
        pytest.param(
            [no_condition, no_events, next_day], COULD_NOT, "expired", id="one sign, a day later"
        ),
        pytest.param(
            [no_condition, world.forbid("events")], COULD_NOT, "expired", id="one sign, no events"
        ),
    ],
)
def test_what_does_not_prove_it(changes, verdict, cause):
    result = judge("6.2", *changes)
    assert (result.verdict, result.finding.id) == (verdict, f"replaced.{cause}"), result.finding


def still_training(data):
    world.running(data)
    tfjob, chief = data["objects"]["tfjobs"][0], data["objects"]["pods"][0]
    chief["status"] = {"phase": "Running", "containerStatuses": [world.at_work()]}
    worker = world.job(f"module6-ex2-worker-{world.RUNTIME}-0", tfjob, role="WORKER")
    data["objects"]["jobs"].append(worker)
    data["objects"]["pods"].append(world.pod("the-worker", worker, world.at_work()))


def test_while_it_trains_the_next_step_is_to_delete_a_worker():
    result = judge("6.2", still_training, no_events, no_line)
    assert (result.verdict, result.finding.id) == (CONVERGING, "ends.delete-a-worker")
    assert "$ kubectl delete pod the-worker" in result.finding.fix


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([], id="a worker was lost already"),
        pytest.param([no_events, no_line, restarting("True", "Restarting")], id="it is on its way"),
        pytest.param([no_events, log("step ", "stop ")], id="no step yet"),
        pytest.param([no_events, lambda data: data.update(logs={})], id="the log is not known"),
    ],
)
def test_else_it_is_to_wait(changes):
    result = judge("6.2", still_training, *changes)
    assert result.verdict is CONVERGING
    assert "delete" not in result.finding.next_step


@pytest.mark.parametrize("missing", [0, 1])
def test_no_replica_of_an_indexed_job_hides_another(missing):
    def one_has_no_image(data):
        still_training(data)
        worker, pods = data["objects"]["jobs"][-1], data["objects"]["pods"]
        states = [world.at_work(), world.at_work()]
        states[missing] = world.waiting("ErrImagePull", "not found")
        pods[1:] = [world.pod(f"worker-{n}", worker, state) for n, state in enumerate(states)]
        for number, pod in enumerate(pods[1:]):
            pod["metadata"]["labels"][INDEX] = str(number)

    result = judge("6.2", one_has_no_image, no_events, no_line)
    assert (result.verdict, result.finding.id) == (WRONG, "image.absent"), result.finding


def test_one_that_has_failed_is_wrong_whatever_may_still_be_deleted():
    result = judge("6.2", still_training, no_events, no_line, world.failed("DeadlineExceeded", "x"))
    assert (result.verdict, result.finding.id) == (WRONG, "ends.failed.DeadlineExceeded")
