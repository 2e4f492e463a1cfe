"""What came of it: how it ended, what is left of it, and that done stays done."""

import pytest

from tests.validator import world
from tests.validator.world import forbid, spoiled, without
from validator import exercises  # noqa: F401 (registers the exercises)
from validator.checks import log_says
from validator.engine import Exercise, Seen, grade
from validator.subjects import Job
from validator.verdicts import Verdict

WRONG, DONE = Verdict.WRONG, Verdict.DONE
COULD_NOT, CONVERGING = Verdict.COULD_NOT_CHECK, Verdict.CONVERGING
LOG = f"{world.POD}/tensorflow"
WORLDS = {
    "5.1": world.done,
    "6.1": world.distributed,
    "6.2": lambda: world.distributed("module6-ex2", 3000),
}


def judge(number, *changes):
    (result,) = grade(spoiled(*changes, of=WORLDS[number]()), [number])
    return result


def operator(**fields):
    return lambda data: data["operator"].update(fields)


def run_policy(**fields):
    return lambda data: data["objects"]["tfjobs"][0]["spec"].update(runPolicy=fields)


def side_car(data):
    template = data["objects"]["tfjobs"][0]["spec"]["replicaSpecs"][0]["template"]
    template["spec"]["containers"].append({"name": "side", "image": world.IMAGE})


def other_cloud(data):
    config = world.CONFIG.replace("nvidia-384", "nvidia-999")
    data["operator"]["configmaps"][0]["data"]["controller_config_file.yaml"] = config


def no_gpus(data):
    data["objects"]["nodes"] = [world.node("small", cpu="2")]


def node_gone(data):
    data["objects"]["nodes"] = []


def deleting(data):
    data["objects"]["tfjobs"][0]["metadata"]["deletionTimestamp"] = world.TAKEN


def written(change):
    return lambda data: data["logs"].update({LOG: change(data["logs"][LOG])})


def replaced(old, new):
    return written(lambda log: world.whole(log["head"].replace(old, new)))


def cut(data):
    """The middle of the log, with its steps, was not read."""
    lines = world.LOG.split("\n")
    data["logs"][LOG] = {"head": lines[0], "tail": "the end", "cut": True}


@pytest.mark.parametrize("number", WORLDS)
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: None, id="nothing happens"),
        pytest.param(
            operator(deployments=[], leases=[], helm=[]), id="the operator is uninstalled"
        ),
        pytest.param(
            lambda data: data["operator"]["deployments"][0]["spec"].update(replicas=0),
            id="it is scaled to 0",
        ),
        pytest.param(operator(configmaps=[]), id="its ConfigMap is deleted"),
        pytest.param(other_cloud, id="it is installed again with another cloud"),
        pytest.param(forbid("operator deployments"), id="it may not be looked for"),
        pytest.param(forbid("operator configmaps"), id="its ConfigMap may not be read"),
        pytest.param(no_gpus, id="the GPU nodes are scaled away"),
        pytest.param(node_gone, id="no node is left"),
        pytest.param(without("events"), id="the events expire"),
        pytest.param(lambda data: data.update(taken="2026-02-01T12:00:00Z"), id="a day goes by"),
        pytest.param(deleting, id="the TfJob is being deleted"),
        pytest.param(
            lambda data: data["objects"]["pods"].append(world.pod("other")), id="others run Pods"
        ),
    ],
)
def test_done_is_not_undone_by_what_comes_later(number, change):
    result = judge(number, change)
    assert result.verdict is DONE, result.finding


@pytest.mark.parametrize(
    ("changes", "cause", "fix"),
    [
        pytest.param([], "deleted", "If the check has not said done", id="its Job was deleted"),
        pytest.param(
            [run_policy(cleanPodPolicy="All")], "policy", "delete cleanPodPolicy", id="its policy"
        ),
        pytest.param([side_car], "side-car", "native side-car", id="a side-car that never ended"),
    ],
)
def test_what_is_gone_is_nobodys_fault(changes, cause, fix):
    result = judge("5.1", without("pods", "jobs"), *changes)
    assert (result.verdict, result.finding.id) == (COULD_NOT, f"ends.pods-gone.{cause}")
    assert fix in result.finding.next_step


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(forbid(f"log {LOG}"), id="may not be read"),
        pytest.param(lambda data: data.update(logs={}), id="was not read"),
        pytest.param(cut, id="was cut where the steps are"),
    ],
)
def test_a_log_that_is_not_known_accuses_nobody(change):
    result = judge("5.1", change)
    assert result.verdict is COULD_NOT, result.finding


def test_a_status_that_says_more_than_its_pod_is_not_done():
    def still_runs(data):
        data["objects"]["pods"][0]["status"] = {
            "phase": "Running",
            "containerStatuses": [world.at_work()],
        }

    result = judge("5.1", still_runs)
    assert (result.verdict, result.finding.id) == (CONVERGING, "trained.not-ended")


@pytest.mark.parametrize(
    ("change", "id", "found"),
    [
        pytest.param(replaced("0.8612", "0.4000"), "accuracy.low", "0.4", id="it learned little"),
        pytest.param(
            replaced("test accuracy", "accuracy"), "trained", "no test accuracy", id="no test"
        ),
        pytest.param(
            replaced("step 500/500", "stop"), "trained.steps", "the last step in the log is 400",
            id="another number of steps",
        ),
        pytest.param(replaced("step ", "stop "), "trained.no-steps", "no line", id="no steps"),
    ],
)  # fmt: skip
def test_a_log_that_shows_another_training(change, id, found):
    result = judge("5.1", change)
    assert result.verdict is WRONG, result.finding
    assert result.finding.id.startswith(id)
    assert found in result.finding.found


@pytest.mark.parametrize(
    ("volumes", "verdict"),
    [
        pytest.param(None, DONE, id="what the ConfigMap names"),
        pytest.param([], WRONG, id="nothing"),
    ],
)
def test_the_pod_mounts_what_the_operator_knows(volumes, verdict):
    def mounts(data):
        spec = data["objects"]["pods"][0]["spec"]
        if volumes is not None:
            spec["volumes"] = volumes
            spec["containers"][0]["volumeMounts"] = []

    result = judge("5.1", mounts)
    assert result.verdict is verdict
    assert verdict is DONE or result.finding.id == "drivers.other"


def test_folders_that_the_configmap_gained_later_undo_nothing():
    """The Pod asked for today's GPU, for which the ConfigMap had nothing to mount."""

    def todays(data):
        limits = {"resources": {"limits": {"nvidia.com/gpu": 1}}}
        pod = data["objects"]["pods"][0]["spec"]
        pod["volumes"], pod["containers"][0]["volumeMounts"] = [], []
        for container in (world.master(data), pod["containers"][0]):
            container.update(limits)
        config = data["operator"]["configmaps"][0]["data"]
        key = "controller_config_file.yaml"
        config[key] = config[key].replace("alpha.kubernetes.io/nvidia-gpu:", "nvidia.com/gpu:")

    result = judge("5.1", todays)
    assert result.verdict is DONE, result.finding


def seen(head, is_cut=False):
    job = world.job("module3-ex1", None, world.condition("Complete"))
    data = world.cluster_with(jobs=[job], pods=[world.pod("p", job, world.terminated(0))])
    data["logs"] = {"p/tensorflow": {"head": head, "tail": "", "cut": is_cut}}
    subject = Job("module3-ex1")
    return Seen(spoiled(of=data), subject, Exercise("9.9", "t", "3-x#y", subject, []))


def test_a_line_of_the_log():
    check = log_says(r"NVIDIA-SMI .*Driver Version", "the table that nvidia-smi prints")
    assert check.judge(seen("a\n| NVIDIA-SMI 384.145   Driver Version: 384.145 |")) is None
    assert (
        check.judge(seen("hello")).found == "its log does not have the table that nvidia-smi prints"
    )


def test_a_line_that_may_be_in_what_was_cut():
    with pytest.raises(Exception, match="only its beginning and its end were read"):
        log_says("x", "an x").judge(seen("hello", is_cut=True))
