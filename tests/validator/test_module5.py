"""Exercises 5.0 and 5.1 on hand-made snapshots: each mistake, its verdict and its hint."""

import pytest

from tests.validator import world
from tests.validator.world import done, forbid, master, no_tfjob, spoiled
from validator import exercises  # noqa: F401 (registers the checks)
from validator.engine import grade
from validator.snapshot import Snapshot
from validator.verdicts import Verdict


def judge(number, *changes):
    (result,) = grade(spoiled(*changes), [number])
    return result


def operator(kind, value):
    return lambda data: data["operator"].update({kind: value})


def container(**fields):
    return lambda data: master(data).update(fields)


def log(text):
    return lambda data: data["logs"].update({f"{world.CHILD}-x/tensorflow": text})


def renamed(name):
    return lambda data: data["objects"]["tfjobs"][0]["metadata"].update(name=name)


def without_gpu(data):
    master(data).pop("resources")


def no_gpus_in_the_cluster(data):
    data["objects"]["nodes"][0]["status"]["allocatable"] = {"cpu": "2"}


def pod_without_mounts(data):
    data["objects"]["pods"][0]["spec"] = {"containers": [world.container()]}


def drivers_by_hand(data):
    spec = data["objects"]["tfjobs"][0]["spec"]["replicaSpecs"][0]["template"]["spec"]
    spec["volumes"] = [{"name": "lib", "hostPath": {"path": "/usr/lib/nvidia-384"}}]


def vanilla_job(data):
    no_tfjob(data)
    data["objects"]["jobs"] = [{"kind": "Job", "metadata": world.metadata("module5-ex1")}]


def in_namespaces(*names):
    def change(data):
        no_tfjob(data)
        data["elsewhere"]["tfjobs"] = [
            {"metadata": {"name": "module5-ex1", "namespace": name}} for name in names
        ]

    return change


def two_masters(data):
    data["objects"]["tfjobs"][0]["spec"]["replicaSpecs"].append({"tfReplicaType": "PS"})


def config(text):
    def change(data):
        data["operator"]["configmaps"][0]["data"]["controller_config_file.yaml"] = text

    return change


def deployment_status(status):
    return lambda data: data["operator"]["deployments"][0].update(status=status)


def operator_pod(reason):
    pod = {
        "metadata": world.metadata("op"),
        "spec": {"containers": [{"name": "tensorflow", "image": "tf-job-operator:0"}]},
        "status": {"containerStatuses": [world.waiting(reason)]},
    }
    return lambda data: data["operator"].update(pods=[pod])


def helm_release(status):
    labels = {"owner": "helm", "name": "tf-job", "status": status, "version": "1"}
    return lambda data: data["objects"].update(helm=[{"metadata": {"labels": labels}}])


def made_without_helm(data):
    data["operator"]["deployments"][0]["metadata"]["annotations"] = {}


def crd_gone(data):
    forbid("tfjobs", 404)(data)
    data["objects"]["customresourcedefinitions"] = []


def crd_young(data):
    forbid("tfjobs", 404)(data)
    data["objects"]["customresourcedefinitions"][0]["status"] = {}


@pytest.mark.parametrize(
    "number",
    [
        pytest.param("5.0", id="an installed operator is done"),
        pytest.param("5.1", id="a TfJob that trained is done"),
    ],
)
def test_the_untouched_world_is(number):
    result = judge(number)
    assert (result.verdict, result.finding) == (Verdict.DONE, None)


@pytest.mark.parametrize(
    ("changes", "verdict", "hint"),
    [
        pytest.param(
            [operator("deployments", [])],
            Verdict.NOT_STARTED,
            "helm install",
            id="nothing installed",
        ),
        pytest.param(
            [operator("deployments", []), helm_release("failed")],
            Verdict.WRONG,
            "helm uninstall",
            id="a release that failed",
        ),
        pytest.param([made_without_helm], Verdict.WRONG, "delete deployment", id="made by hand"),
        pytest.param([crd_gone], Verdict.WRONG, "helm uninstall", id="the CRD was deleted"),
        pytest.param([crd_young], Verdict.CONVERGING, "kubectl wait", id="a CRD not Established"),
        pytest.param(
            [deployment_status({}), operator_pod("ImagePullBackOff")],
            Verdict.WRONG,
            "python -m cluster load",
            id="the operator's image is not there",
        ),
        pytest.param([deployment_status({})], Verdict.CONVERGING, "rollout", id="still starting"),
        pytest.param([operator("configmaps", [])], Verdict.WRONG, "upgrade", id="no ConfigMap"),
        pytest.param(
            [config("accelerators: {}")],
            Verdict.WRONG,
            "cloud=azure",
            id="installed without a cloud",
        ),
        pytest.param([config("a: [")], Verdict.WRONG, "cloud=azure", id="a ConfigMap of no YAML"),
        pytest.param(
            [forbid("operator deployments")],
            Verdict.COULD_NOT_CHECK,
            "rbac.yaml",
            id="no right to look for the operator",
        ),
    ],
)
def test_exercise_0(changes, verdict, hint):
    result = judge("5.0", *changes)
    assert (result.verdict, hint in result.finding.next_step) == (verdict, True), result.finding


@pytest.mark.parametrize(
    ("changes", "verdict", "found", "hint"),
    [
        pytest.param(
            [no_tfjob],
            Verdict.NOT_STARTED,
            "no TfJob module5-ex1",
            "kubectl apply",
            id="nothing made",
        ),
        pytest.param(
            [no_tfjob, operator("deployments", [])],
            Verdict.BLOCKED,
            "exercise 5.0",
            "helm install",
            id="the operator is missing",
        ),
        pytest.param(
            [vanilla_job],
            Verdict.WRONG,
            "found Job module5-ex1; this exercise wants a TfJob",
            "delete job",
            id="a vanilla Job instead",
        ),
        pytest.param(
            [renamed("module5-ex-1")],
            Verdict.WRONG,
            "module5-ex-1",
            "metadata.name",
            id="a near name",
        ),
        pytest.param(
            [renamed("training")],
            Verdict.WRONG,
            "TfJob training",
            "metadata.name",
            id="the right shape under another name",
        ),
        pytest.param(
            [in_namespaces("other")],
            Verdict.WRONG,
            "namespace other",
            "--namespace",
            id="elsewhere",
        ),
        pytest.param(
            [in_namespaces("ann", "bob")],
            Verdict.NOT_STARTED,
            "no TfJob",
            "kubectl apply",
            id="those of other learners are no near miss",
        ),
        pytest.param([two_masters], Verdict.WRONG, "1 PS", "replicaSpecs", id="another replica"),
        pytest.param(
            [container(name="tf")], Verdict.WRONG, "tf", "name: tensorflow", id="another container"
        ),
        pytest.param(
            [container(args=["--max-steps", 500])],
            Verdict.WRONG,
            "args[1] is 500",
            '"500"',
            id="an unquoted number",
        ),
        pytest.param(
            [container(args=["--verbose", True])],
            Verdict.WRONG,
            "a truth value",
            '"true"',
            id="an unquoted truth value",
        ),
        pytest.param(
            [container(image="busybox")],
            Verdict.WRONG,
            "busybox",
            "does not pull",
            id="another image",
        ),
        pytest.param(
            [world.pod_status(world.waiting("ErrImagePull"))],
            Verdict.WRONG,
            f"{world.IMAGE} is not on this cluster",
            "python -m cluster load",
            id="an image that does not exist",
        ),
        pytest.param([without_gpu], Verdict.WRONG, "no GPU", "limits", id="no GPU asked for"),
        pytest.param(
            [container(resources={"limits": {world.GPU: 2}})],
            Verdict.WRONG,
            "2 alpha",
            "limits",
            id="two GPUs",
        ),
        pytest.param(
            [container(resources={"limits": {world.GPU: 9}})],
            Verdict.WRONG,
            "no node has more than 4",
            "ask for",
            id="more GPUs than there are",
        ),
        pytest.param(
            [no_gpus_in_the_cluster],
            Verdict.WRONG,
            "no node of this cluster has any",
            "leave the GPU limit out",
            id="a GPU on a cluster without",
        ),
        pytest.param(
            [without_gpu, pod_without_mounts, forbid("nodes")],
            Verdict.COULD_NOT_CHECK,
            "nodes could not be read",
            "rbac.yaml",
            id="no GPU, and no right to see whether there are any",
        ),
        pytest.param(
            [drivers_by_hand],
            Verdict.WRONG,
            "/usr/lib/nvidia-384",
            "volumeMounts",
            id="drivers by hand",
        ),
        pytest.param(
            [container(args=["--max-steps=50"])],
            Verdict.WRONG,
            "--max-steps 50",
            '"500"',
            id="50 steps",
        ),
        pytest.param(
            [container(args=[])], Verdict.WRONG, "no --max-steps", '"500"', id="steps left out"
        ),
        pytest.param(
            [pod_without_mounts], Verdict.WRONG, "mounts nothing", "ConfigMap", id="no mounts"
        ),
        pytest.param(
            [log(world.LOG.replace("/500", "/50").replace("00/", "/"))],
            Verdict.WRONG,
            "step 5 as the last",
            '"500"',
            id="a log of other steps",
        ),
        pytest.param(
            [log("2026-01-31T12:00:01Z accuracy 0.99")],
            Verdict.WRONG,
            "no line",
            "take `command` out",
            id="only words",
        ),
        pytest.param(
            [
                log(
                    "\n".join(
                        "2026-01-31T12:00:01Z " + x.split(" ", 1)[1] for x in world.LOG.split("\n")
                    )
                )
            ],
            Verdict.WRONG,
            "within 0.000 s",
            "take `command` out",
            id="all steps at one moment",
        ),
        pytest.param(
            [log(world.LOG.replace("0.8612", "0.4000"))],
            Verdict.WRONG,
            "0.4 in the log",
            "--learning-rate",
            id="it learned too little",
        ),
        pytest.param(
            [lambda data: data["objects"].update(pods=[])],
            Verdict.WRONG,
            "none of its Pods is left",
            "ttlSecondsAfterFinished",
            id="the Pod is gone",
        ),
        pytest.param(
            [forbid(f"log {world.CHILD}-x/tensorflow")],
            Verdict.COULD_NOT_CHECK,
            "could not be read",
            "rbac.yaml",
            id="no right to read logs",
        ),
    ],
)
def test_exercise_1(changes, verdict, found, hint):
    result = judge("5.1", *changes)
    assert result.verdict is verdict, result.finding
    assert found in f"found {result.finding.found}", result.finding
    assert hint in result.finding.next_step, result.finding


def test_without_gpus_in_the_cluster_the_variant_without_a_limit_passes():
    result = judge("5.1", no_gpus_in_the_cluster, without_gpu, pod_without_mounts)
    assert result.verdict is Verdict.DONE, result.finding


def test_nvidias_own_resource_needs_no_mounts():
    result = judge(
        "5.1", container(resources={"limits": {"nvidia.com/gpu": 1}}), pod_without_mounts
    )
    assert result.verdict is Verdict.DONE, result.finding


def test_the_module_pages_example_is_no_attempt_at_the_exercise():
    example = container(args=[])
    result = judge("5.1", renamed("example-tfjob"), example)
    assert result.verdict is Verdict.NOT_STARTED
    assert "example-tfjob" in result.finding.found


def test_an_operator_that_could_not_be_looked_for_blocks_nothing():
    result = judge("5.1", forbid("operator deployments"), no_tfjob)
    assert result.verdict is Verdict.NOT_STARTED


def test_a_mistake_is_known_whatever_else_could_not_be_checked():
    result = judge("5.1", forbid("nodes"), container(args=["--max-steps", "50"]), without_gpu)
    assert result.verdict is Verdict.WRONG


@pytest.mark.parametrize("junk", [None, 7, "x", [], [1], {"a": 1}], ids=repr)
def test_no_junk_in_a_snapshot_makes_a_check_raise(junk):
    """A file to grade may hold anything."""
    for path in _paths(done()):
        data = done()
        node = data
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = junk
        try:
            seen = Snapshot(data)
        except ValueError:
            continue
        assert len(grade(seen, ["5.0", "5.1"])) == 2


def _paths(node, before=()):
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in pairs:
        yield (*before, key)
        if isinstance(value, dict | list):
            yield from _paths(value, (*before, key))
