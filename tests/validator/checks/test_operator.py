"""Exercise 5.0, and what the exercises with TfJobs need of the operator."""

import pytest

from tests.validator import world
from tests.validator.world import condition, forbid, no_tfjob, spoiled
from validator import exercises  # noqa: F401 (registers the exercises)
from validator.engine import grade
from validator.verdicts import Verdict

WRONG, DONE, BLOCKED = Verdict.WRONG, Verdict.DONE, Verdict.BLOCKED
COULD_NOT, CONVERGING = Verdict.COULD_NOT_CHECK, Verdict.CONVERGING
NOT_STARTED = Verdict.NOT_STARTED


def judge(number, *changes):
    (result,) = grade(spoiled(*changes), [number])
    return result


def operator(**fields):
    return lambda data: data["operator"].update(fields)


def deployment(**fields):
    return lambda data: data["operator"]["deployments"][0].update(fields)


def config(text):
    def change(data):
        data["operator"]["configmaps"][0]["data"]["controller_config_file.yaml"] = text

    return change


def pod(*statuses):
    def change(data):
        deployment(status={})(data)
        mine = world.pod_of(data["operator"]["deployments"][0], *statuses, phase="Pending")
        mine["spec"]["containers"][0]["image"] = "localhost/tf-job-operatr:1.1.0"
        data["operator"]["pods"] = [mine]

    return change


def crd_gone(data):
    forbid("tfjobs", 404)(data)
    data["objects"]["customresourcedefinitions"] = []


def crd_young(data):
    forbid("tfjobs", 404)(data)
    data["objects"]["customresourcedefinitions"][0]["status"] = {}


def crd_unserved(data):
    forbid("tfjobs", 404)(data)


def renewed(time):
    return lambda data: data["operator"]["leases"][0]["spec"].update(renewTime=time)


def unmarked(data):
    """As `helm template | kubectl apply` leaves it."""
    data["operator"]["deployments"][0]["metadata"]["annotations"] = {}


def in_ops(data):
    """The operator is in a namespace of its own."""
    for objects in data["operator"].values():
        for item in objects:
            item["metadata"]["namespace"] = "ops"


def helm(status):
    return operator(helm=[world.helm_secret("tf-job", 1, status)])


UNSUCCESSFUL = [condition("Available", "False")]


def test_an_operator_that_was_installed_is_done():
    result = judge("5.0")
    assert result.verdict is DONE, result.finding


@pytest.mark.parametrize(
    ("changes", "verdict", "id", "fix"),
    [
        pytest.param(
            [operator(deployments=[], helm=[])], NOT_STARTED, "exists.none",
            "helm upgrade --install", id="nothing installed",
        ),
        pytest.param(
            [operator(deployments=[]), helm("failed")], WRONG, "exists.failed", "helm uninstall",
            id="a release that failed before it made anything",
        ),
        pytest.param([helm("failed")], WRONG, "helm.failed", "helm status", id="one that failed"),
        pytest.param(
            [helm("pending-install")], CONVERGING, "helm.pending", "helm rollback",
            id="one on its way",
        ),
        pytest.param(
            [operator(helm=[])], WRONG, "helm.no-release", "kubectl delete deployment",
            id="made without Helm",
        ),
        pytest.param([crd_gone], WRONG, "crd.no-crd", "helm uninstall", id="no definition"),
        pytest.param(
            [crd_young], CONVERGING, "crd.not-established", "kubectl wait", id="a young one"
        ),
        pytest.param(
            [crd_unserved], CONVERGING, "crd.not-served", "Wait a few", id="one not served yet"
        ),
        pytest.param(
            [pod(world.waiting("ErrImageNeverPull"))], WRONG, "runs.image.misspelled",
            "tf-job-operator:1.1.0", id="its image is not there",
        ),
        pytest.param(
            [deployment(status={})], CONVERGING, "runs.starting", "rollout status", id="it starts"
        ),
        pytest.param(
            [lambda data: data["operator"]["deployments"][0]["spec"].update(replicas=0)],
            WRONG, "runs.scaled-to-zero", "kubectl scale", id="scaled to 0",
        ),
        pytest.param(
            [renewed("2026-01-31T11:00:00Z")], CONVERGING, "runs.lease", "kubectl logs",
            id="it runs, and renews no Lease",
        ),
        pytest.param(
            [lambda data: data["operator"]["deployments"][0]["spec"]["template"]["spec"][
                "containers"][0].update(image="busybox:1")],
            WRONG, "runs.image", "helm upgrade", id="another program under its name",
        ),
        pytest.param(
            [operator(configmaps=[])], WRONG, "drivers.no-configmap", "helm upgrade",
            id="no ConfigMap",
        ),
        pytest.param(
            [config("accelerators: {}")], WRONG, "drivers.no-cloud", "cloud=azure", id="no cloud"
        ),
        pytest.param([config("a: [")], WRONG, "drivers.no-cloud", "cloud=azure", id="no YAML"),
        pytest.param(
            [config(world.CONFIG.replace("/usr/lib/nvidia-384", "/home/nvidia"))], WRONG,
            "drivers.other-cloud", "cloud=azure", id="another cloud's folders",
        ),
        pytest.param(
            [forbid("operator deployments")], COULD_NOT, "exists.forbidden", "rbac.yaml",
            id="no right to look for it",
        ),
    ],
)  # fmt: skip
def test_exercise_0(changes, verdict, id, fix):
    result = judge("5.0", *changes)
    assert (result.verdict, result.finding.id) == (verdict, id), result.finding
    assert fix in result.finding.next_step
    assert verdict is not CONVERGING or result.finding.since


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        pytest.param("operator helm", DONE, id="Helm's Secrets: its mark is enough"),
        pytest.param("operator leases", DONE, id="its Lease"),
        pytest.param("operator configmaps", COULD_NOT, id="its ConfigMap"),
        pytest.param("customresourcedefinitions", DONE, id="the definition, while it is served"),
    ],
)
def test_what_may_not_be_read_accuses_nobody(kind, verdict):
    assert judge("5.0", forbid(kind)).verdict is verdict


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(deployment(status={"conditions": UNSUCCESSFUL}), id="it is not available"),
        pytest.param(renewed("2026-01-31T11:00:00Z"), id="it does not lead"),
        pytest.param(operator(configmaps=[]), id="it has no ConfigMap"),
        pytest.param(operator(helm=[]), id="it was made without Helm"),
        pytest.param(helm("failed"), id="its release has failed"),
        pytest.param(helm("pending-install"), id="its release is on its way"),
        pytest.param(crd_gone, id="it has no definition"),
    ],
)
def test_of_an_operator_in_another_namespace_nothing_is_deleted(change):
    steps = judge("5.0", change, in_ops).finding.fix
    commands = [step for step in steps if step.startswith(("$ kubectl", "$ helm"))]
    assert commands
    assert all(command.endswith("--namespace=ops") for command in commands)
    assert not [step for step in steps if "delete" in step or "uninstall" in step.lower()]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(operator(helm=[]), id="by another tool, or under another name"),
        pytest.param(
            lambda data: (forbid("operator helm")(data), unmarked(data)), id="and nobody may look"
        ),
    ],
)
def test_how_another_person_installed_the_operator_accuses_nobody(change):
    result = judge("5.0", change, in_ops)
    assert (result.verdict, result.finding.id) == (COULD_NOT, "helm.no-release")


@pytest.mark.parametrize("number", ["5.1", "6.1", "6.2"])
@pytest.mark.parametrize(
    ("changes", "verdict", "id"),
    [
        pytest.param([], NOT_STARTED, "exists.none", id="an operator that runs"),
        pytest.param(
            [operator(deployments=[], helm=[])], BLOCKED, "exists.needs.operator.none", id="none"
        ),
        pytest.param(
            [lambda data: data["operator"]["deployments"][0]["spec"].update(replicas=0)],
            BLOCKED, "exists.needs.operator.scaled-to-zero", id="one scaled to 0",
        ),
        pytest.param([forbid("operator deployments")], NOT_STARTED, "exists.none", id="unknown"),
        pytest.param([renewed("2026-01-31T11:00:00Z")], NOT_STARTED, "exists.none", id="at rest"),
        pytest.param(
            [operator(deployments=[], helm=[]),
             lambda data: data["objects"]["tfjobs"].append(world.tfjob("example-tfjob"))],
            NOT_STARTED, "exists.none", id="one that has run: a TfJob has a status",
        ),
    ],
)  # fmt: skip
def test_what_the_exercises_need_of_it(number, changes, verdict, id):
    result = judge(number, no_tfjob, *changes)
    assert (result.verdict, result.finding.id) == (verdict, id), result.finding


def test_only_the_exercise_with_a_gpu_needs_the_drivers():
    other = config("accelerators: {}")
    assert judge("5.1", no_tfjob, other).finding.id == "exists.needs.drivers.none"
    assert judge("6.1", no_tfjob, other).verdict is NOT_STARTED


def test_a_blocked_exercise_shows_how_to_install_and_how_to_check_it():
    fix = judge("6.1", no_tfjob, operator(deployments=[], helm=[])).finding.fix
    assert any(step.startswith("$ helm upgrade --install tf-job") for step in fix)
    assert "$ python -m validator module5 --exercise 0" in fix
