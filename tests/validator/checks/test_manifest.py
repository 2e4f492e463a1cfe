"""What the learner asked for: the object's own words, each mistake with its cause and its fix."""

from functools import partial

import pytest

from tests.validator import world
from tests.validator.world import GPU, forbid, master, running, spoiled
from validator import exercises  # noqa: F401 (registers the exercises)
from validator.checks import asks_for_gpus, mounts_from_node, option_is
from validator.engine import Exercise, Seen, grade
from validator.subjects import Job, TfJob
from validator.verdicts import Verdict

WRONG, DONE, COULD_NOT = Verdict.WRONG, Verdict.DONE, Verdict.COULD_NOT_CHECK


def judge(number, *changes, of=None):
    (result,) = grade(spoiled(*changes, of=of), [number])
    return result


def container(**fields):
    return lambda data: master(data).update(fields)


def log(written):
    return lambda data: data["logs"].update({f"{world.POD}/tensorflow": world.whole(written)})


def template(**fields):
    def change(data):
        replica = data["objects"]["tfjobs"][0]["spec"]["replicaSpecs"][0]
        replica["template"]["spec"].update(fields)

    return change


def add(*replicas):
    return lambda data: data["objects"]["tfjobs"][0]["spec"]["replicaSpecs"].extend(replicas)


def no_gpus(data):
    data["objects"]["nodes"][0]["status"]["allocatable"] = {"cpu": "2"}


def no_mounts(data):
    """The operator adds nothing for this GPU."""
    data["objects"]["pods"][0]["spec"]["volumes"] = []
    pod_runs(volumeMounts=[])(data)


def unbegun(data):
    """Nothing has run yet, so the words of the manifest are all there is."""
    running(data)
    data["objects"]["pods"], data["logs"] = [], {}


def pod_runs(**fields):
    """The Pod was made from the same words."""
    return lambda data: data["objects"]["pods"][0]["spec"]["containers"][0].update(fields)


def both(**fields):
    return lambda data: (container(**fields)(data), pod_runs(**fields)(data))


HALF = {"limits": {"nvidia.com/gpu": "500m"}}


@pytest.mark.parametrize(
    ("changes", "id", "found", "fix"),
    [
        pytest.param(
            [add({"tfReplicaType": "PS"})], "replicas.extra.ps", "1 MASTER, 1 PS",
            "Write one entry", id="a replica too many",
        ),
        pytest.param(
            [unbegun, container(name="tf")], "container.name", "containers of the MASTER: tf",
            "Set `name: tensorflow`", id="another container's name",
        ),
        pytest.param(
            [unbegun, container(args=["--max-steps", 500])], "args.unquoted",
            "args[1] is 500 without quotes", '"500"', id="a number without quotes",
        ),
        pytest.param(
            [unbegun, container(args=500)], "args.not-a-list", "args is a number", "args: [",
            id="a number for a list: no internal error",
        ),
        pytest.param(
            [unbegun, container(args="--max-steps 500")], "args.one-text", "args is one text",
            'args: ["--max-steps", "500"]', id="one text for a list",
        ),
        pytest.param(
            [unbegun, container(args={"a": 1})], "args.not-a-list", "a mapping", "args: [",
            id="a mapping for a list",
        ),
        pytest.param(
            [unbegun, container(image="busybox:1")], "image.other", "MASTER runs image busybox:1",
            f"Set `image: {world.IMAGE}`", id="another image",
        ),
        pytest.param(
            [unbegun, container(resources={})], "gpus.none",
            f"no GPU asked for (no {GPU} under resources.limits)",
            f"limits: {{{GPU}: 1}}", id="no GPU, and the page's name of it in the fix",
        ),
        pytest.param(
            [unbegun, container(resources={GPU: 1})], "gpus.no-limits",
            f"{GPU} is under resources, not under resources.limits", f"{{{GPU}: 1}}",
            id="a GPU without limits",
        ),
        pytest.param(
            [unbegun, container(resources={"limits": {GPU: 2}})], "gpus.count", f"asks for 2 {GPU}",
            f"{{{GPU}: 1}}", id="two GPUs, with the resource that the learner chose",
        ),
        pytest.param(
            [unbegun, container(resources={"limits": {GPU: 9}})], "gpus.too-many",
            "no node has more than 4", f"{{{GPU}: 1}}", id="more than any node has",
        ),
        pytest.param(
            [unbegun, container(resources=HALF)], "gpus.amount", "500m nvidia.com/gpu",
            f"{{{GPU}: 1}}", id="half a GPU",
        ),
        pytest.param(
            [unbegun, container(resources={"limits": {"amd.com/gpu": 1}})], "gpus.resource",
            "amd.com/gpu, which is not a GPU resource of this cluster", f"{{{GPU}: 1}}",
            id="another vendor's",
        ),
        pytest.param(
            [unbegun, no_gpus], "gpus.no-such", "no node of this cluster has any",
            "Leave the GPU limit out", id="a GPU on a cluster without",
        ),
        pytest.param(
            [unbegun, template(volumes=[{"hostPath": {"path": "/usr/lib/nvidia-384"}}])],
            "host-mounts.by-hand", "/usr/lib/nvidia-384", "Delete the hostPath volumes",
            id="drivers by hand",
        ),
        pytest.param(
            [unbegun, container(args=["--max-steps=50"])], "option.value", "--max-steps is 50",
            '["--max-steps", "500"]', id="another number of steps",
        ),
        pytest.param(
            [unbegun, container(args=[])], "option.missing", "no --max-steps in args",
            '["--max-steps", "500"]', id="no number of steps",
        ),
        pytest.param(
            [unbegun, container(args=["--max_steps", "500"])], "option.misspelled",
            "the option --max_steps, which the program does not know", '["--max-steps", "500"]',
            id="an underscore",
        ),
    ],
)  # fmt: skip
def test_a_mistake_in_the_manifest(changes, id, found, fix):
    result = judge("5.1", *changes)
    assert (result.verdict, result.finding.id) == (WRONG, id), result.finding
    assert found in result.finding.found
    assert fix in result.finding.next_step


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([both(args=["--max-step", "500"])], id="an option cut short, as argparse may"),
        pytest.param([both(args=["--max-steps", "5", "--max-steps", "500"])], id="the last wins"),
        pytest.param([both(args=["--max-steps=500"])], id="with an equals sign"),
        pytest.param(
            [both(args=["--max-steps", "$(STEPS)"], env=[{"name": "STEPS", "value": "500"}])],
            id="from a variable",
        ),
        pytest.param([both(image=f"registry.example/{world.IMAGE}")], id="the image of a mirror"),
        pytest.param(
            [both(resources={"limits": {"nvidia.com/gpu": 1}}), no_mounts],
            id="NVIDIA's own resource, which needs no folders",
        ),
    ],
)  # fmt: skip
def test_what_the_log_shows_to_be_right_is_right(changes):
    result = judge("5.1", *changes)
    assert result.verdict is DONE, result.finding


def test_the_manifest_is_blamed_only_before_anything_has_run():
    """The words ask for 50 steps, and the log shows 500: as with an edited manifest."""
    seen = spoiled(container(args=["--max-steps", "50"]))
    check = option_is("--max-steps", "500")
    assert check.judge(Seen(seen, TfJob("module5-ex1"), exercise())) is None


def exercise():
    return Exercise("9.9", "t", "9-x#y", TfJob("module5-ex1"), [])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(no_gpus, id="the GPU nodes were scaled away"),
        pytest.param(forbid("nodes"), id="the nodes may not be read"),
        pytest.param(lambda data: data["objects"].update(nodes=[]), id="no node is left"),
    ],
)
def test_a_training_that_ended_well_needs_no_gpu_any_more(change):
    assert judge("5.1", change).verdict is DONE


def test_without_gpus_in_the_cluster_the_variant_without_a_limit_passes():
    assert judge("5.1", no_gpus, both(resources={}), no_mounts).verdict is DONE


@pytest.mark.parametrize(
    ("time", "verdict"),
    [
        pytest.param("2026-02-01T08:00:00Z", DONE, id="were added the day after"),
        pytest.param("2026-01-31T08:00:00Z", WRONG, id="were there before"),
    ],
)
def test_the_variant_without_a_limit_stays_done_when_gpus(time, verdict):
    def made(data):
        data["objects"]["nodes"][0]["metadata"]["creationTimestamp"] = time

    assert judge("5.1", both(resources={}), no_mounts, made).verdict is verdict


def test_no_gpu_and_no_right_to_see_whether_there_are_any_accuses_nobody():
    assert judge("5.1", forbid("nodes"), both(resources={})).verdict is COULD_NOT


def test_a_known_mistake_is_told_whatever_else_could_not_be_checked():
    result = judge("5.1", unbegun, forbid("nodes"), container(args=[], resources={}))
    assert (result.verdict, result.finding.id) == (WRONG, "option.missing")


def test_a_tfjobs_own_reason_comes_before_what_its_manifest_lacks():
    """`arg:` is refused; "no --max-steps in args" would be true and of no help."""
    message = (
        'Job in version "v1" cannot be handled as a Job: strict decoding error: unknown field '
        '"spec.template.spec.containers[0].arg"'
    )
    finding = judge("5.1", unbegun, container(args=[]), world.failed("InvalidTemplate", message))
    finding = finding.finding
    assert finding.id == "ends.refused.unknown-field"
    assert "the operator refused the TfJob (InvalidTemplate)" in finding.found
    assert "perhaps args?" in finding.wanted


def test_a_refused_spec_is_only_applied_again_and_any_other_made_again():
    def steps(*changes):
        return judge("5.1", *changes).finding.fix

    refused = steps(unbegun, world.failed("InvalidSpec", "spec.replicaSpecs: is empty, so"))
    assert not any("delete" in step for step in refused)
    assert refused[-1] == "$ kubectl apply -f {checkout}/my-module5-ex1.yaml"
    ended = steps(world.pod_status(world.terminated(1, "Error"), phase="Failed"))
    assert ended[-2:] == (
        "$ kubectl delete tfjob module5-ex1",
        "$ kubectl apply -f {checkout}/my-module5-ex1.yaml",
    )


def test_commands_reach_the_learners_namespace_and_our_own_kind():
    def kubeflow(data):
        data.update(flags=["--namespace=ann"])
        data["groups"].append("kubeflow.org")

    fix = judge("5.1", unbegun, kubeflow, container(args=[])).finding.fix
    assert "$ kubectl delete tfjobs.tensorflow.org module5-ex1 --namespace=ann" in fix


def job(*changes, check):
    made = world.job("module3-ex1")
    data = world.cluster_with(jobs=[made])
    for change in changes:
        change(data["objects"]["jobs"][0]["spec"]["template"]["spec"])
    subject = Job("module3-ex1")
    return check.judge(Seen(spoiled(of=data), subject, Exercise("9.9", "t", "3-x#y", subject, [])))


DRIVERS = ("/usr/lib/nvidia-384", "/usr/lib/nvidia-384/bin")


def test_the_same_checks_judge_a_job():
    assert job(check=asks_for_gpus(1)) is None
    assert job(check=asks_for_gpus(2)).cause == "count"


@pytest.mark.parametrize(
    ("paths", "cause", "found"),
    [
        pytest.param(DRIVERS, "", "", id="both folders"),
        pytest.param([*DRIVERS, "/data"], "", "", id="and another one, which is no fault here"),
        pytest.param(["/usr/lib/nvidia-384/"], "missing", "/usr/lib/nvidia-384", id="one of two"),
        pytest.param([], "missing", "none", id="none"),
    ],
)
def test_folders_that_a_job_has_to_mount(paths, cause, found):
    volumes = [{"name": f"v{n}", "hostPath": {"path": path}} for n, path in enumerate(paths)]
    finding = job(lambda spec: spec.update(volumes=volumes), check=mounts_from_node(*DRIVERS))
    assert (finding.cause if finding else "") == cause
    assert not finding or found in finding.found


@pytest.mark.parametrize("junk", [None, 7, "x", [], [1], {"a": 1}], ids=repr)
@pytest.mark.parametrize("number", ["5.0", "5.1", "6.2"])
def test_no_junk_in_a_snapshot_makes_a_check_raise(number, junk):
    """A file to grade may hold anything."""
    make = partial(world.distributed, "module6-ex2", 3000) if number == "6.2" else world.done
    for path in _paths(make()):
        spoilt = make()
        node = spoilt
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = junk
        try:
            seen = world.Snapshot(spoilt)
        except ValueError:
            continue
        (result,) = grade(seen, [number])
        internal = result.finding is not None and ".internal" in f".{result.finding.id}"
        assert not internal, (path, junk, result.finding)


def _paths(node, before=()):
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in pairs:
        yield (*before, key)
        if isinstance(value, dict | list):
            yield from _paths(value, (*before, key))
