"""What a snapshot file keeps: the verdicts of the live cluster, and nothing else."""

import copy
import json
from pathlib import Path

import pytest

from tests.validator import secrets, world
from validator import exercises  # noqa: F401 (registers the checks)
from validator.engine import EXERCISES, grade
from validator.handin.whitelist import whitelisted
from validator.redaction import redact
from validator.snapshot import Snapshot
from validator.verdicts import Verdict

SNAPSHOTS = sorted((Path(__file__).parent / "snapshots").glob("*.json"))


def kept(data):
    """What a file holds, as ``validator snapshot`` writes it."""
    return redact(whitelisted(data))


def judged(data):
    return [(g.exercise.number, g.verdict, g.finding) for g in grade(Snapshot(data), EXERCISES)]


def holds(data, word):
    return word in json.dumps(data, ensure_ascii=False)


# The same verdicts


def load(path):
    data = json.loads(path.read_text())
    # A path to the kubeconfig of whoever recorded it is not for who grades.
    data["flags"] = [f for f in data.get("flags", []) if not f.startswith("--kubeconfig")]
    return data


RECORDED = [pytest.param(load(path), id=path.stem) for path in SNAPSHOTS]


@pytest.mark.parametrize("data", RECORDED)
def test_a_recorded_cluster_has_the_same_verdicts_and_findings_from_its_file(data):
    before = copy.deepcopy(data)
    assert judged(kept(data)) == judged(data)
    assert data == before


@pytest.mark.parametrize("data", RECORDED)
def test_what_is_kept_is_kept_when_it_is_kept_again(data):
    once = kept(data)
    assert kept(once) == once


MASTER = "module5-ex1"
GPU_ON_ITS_OWN = {"resources": {world.GPU: 1}}


def replaced(**fields):
    """The learner's container with other fields, in a TfJob that has not begun."""

    def change(data):
        world.no_tfjob(data)
        spec = world.tfjob(MASTER, world.replica(**fields))
        spec["status"] = {}
        data["objects"]["tfjobs"] = [spec]

    return change


def started_by(*args, workingDir="", envFrom=(), **variables):
    """The training with other words and variables, in a Pod that has a volume at /data."""

    def change(data):
        (mine,), (pod,) = data["objects"]["tfjobs"], data["objects"]["pods"]
        template = mine["spec"]["replicaSpecs"][0]["template"]["spec"]
        for spec in (template, pod["spec"]):
            spec.setdefault("volumes", []).append({"name": "d", "configMap": {"name": "d"}})
            main = spec["containers"][0]
            main["args"] = list(args) or main["args"]
            main["env"] = [{"name": k, "value": v} for k, v in variables.items()]
            main.setdefault("volumeMounts", []).append({"name": "d", "mountPath": "/data"})
            main.update({"workingDir": workingDir, "envFrom": list(envFrom)})

    return change


def with_status(**fields):
    def change(data):
        data["objects"]["tfjobs"][0]["status"] = fields

    return change


def with_sidecar(**fields):
    def change(data):
        side = {"name": "side", "image": "x", **fields}
        template = data["objects"]["tfjobs"][0]["spec"]["replicaSpecs"][0]["template"]
        for spec in (template["spec"], data["objects"]["pods"][0]["spec"]):
            spec["containers"] = [*spec["containers"], side]

    return change


def long_log(cut):
    lines = [f"{secrets.TIME} line {n}" for n in range(300)]

    def change(data):
        key = f"{world.POD}/tensorflow"
        head, tail = "\n".join([*lines, world.LOG]), "\n".join(lines)
        data["logs"][key] = {"head": f"{head}\n", "tail": tail, "cut": cut}

    return change


def near(kind, name, **spec):
    def change(data):
        world.no_tfjob(data)
        item = {"kind": kind, "metadata": world.metadata(name), "spec": spec}
        data["objects"].setdefault(f"{kind.lower()}s", []).append(item)

    return change


def release(name, **status):
    """A release of Helm's, and the Deployment that it made."""

    def change(data):
        made = world.of_release(world.deployment(f"{name}-board"), name)
        made["metadata"]["labels"] = {
            "app.kubernetes.io/instance": name,
            "app.kubernetes.io/managed-by": "Helm",
        }
        data["objects"]["helm"] = [world.helm_secret(name, **status)]
        data["objects"]["deployments"] = [made, world.deployment("theirs")]

    return change


def without_secret(name):
    """What a release made, by a learner whose Secrets may not be read."""

    def change(data):
        release(name)(data)
        world.forbid("helm")(data)

    return change


def of_another(*, status):
    """The operator is gone; a TfJob of no exercise shows whether one has run."""

    def change(data):
        world.no_tfjob(data)
        data["operator"] = {"deployments": []}
        other = {**world.tfjob("mine"), "status": {"phase": "Done"} if status else {}}
        data["objects"]["tfjobs"] = [other]

    return change


WORLDS = [
    pytest.param([], id="done"),
    pytest.param([world.no_tfjob], id="nothing made"),
    pytest.param([world.running], id="running"),
    pytest.param([with_status()], id="no status"),
    pytest.param([with_status(foreign=1)], id="a status of unknown fields"),
    pytest.param([replaced(args="--max-steps 500")], id="args as one text"),
    pytest.param([replaced(args=["--max-steps", 500])], id="a number in args"),
    pytest.param([replaced(**GPU_ON_ITS_OWN)], id="a GPU outside limits"),
    pytest.param([replaced(resources={"limits": {world.GPU: 0.5}})], id="half a GPU"),
    pytest.param([replaced(resources={"limits": {"nvidia.com/gpus": 1}})], id="no such resource"),
    pytest.param([replaced(env=[{"name": "PYTHONPATH", "value": "/x"}])], id="code by a variable"),
    pytest.param([started_by("--max-steps", "$(STEPS)", STEPS="500")], id="a word by a variable"),
    pytest.param([started_by(PYTHONPATH="/data")], id="code by a variable, with a volume"),
    pytest.param([started_by(envFrom=[{"secretRef": {"name": "x"}}])], id="variables from afar"),
    pytest.param([started_by(workingDir="/data")], id="another folder, with a volume"),
    pytest.param([with_sidecar(args=[5])], id="a number in a side-car's args"),
    pytest.param([with_sidecar(args=["run"], command=["sh"])], id="a side-car"),
    pytest.param([long_log(False)], id="a long log"),
    pytest.param([long_log(True)], id="a log that was cut"),
    pytest.param([near("Job", MASTER)], id="another kind"),
    pytest.param([near("CronJob", MASTER)], id="another kind, read as metadata"),
    pytest.param([near("TfJob", "module5-exl")], id="another name"),
    pytest.param([near("TfJob", "module5-ex1-x7k2p")], id="a name that was generated"),
    pytest.param([release("module4-ex1")], id="a release"),
    pytest.param([release("module4-ex2", status="failed")], id="a release that failed"),
    pytest.param([release("module4-ex-1")], id="a release of another name"),
    pytest.param([without_secret("module4-ex-1")], id="a release that is known by its labels"),
    pytest.param([near("Deployment", "module4-ex1")], id="a release by hand"),
    pytest.param([of_another(status=True)], id="an operator that has run"),
    pytest.param([of_another(status=False)], id="an operator that has not run"),
    pytest.param([world.unschedulable("0/1 nodes: 1 Insufficient cpu.")], id="no room"),
    pytest.param([world.forbid("nodes")], id="nodes forbidden"),
    pytest.param([world.forbid("pods")], id="pods forbidden"),
    pytest.param([world.forbid("operator deployments")], id="the operator forbidden"),
    pytest.param([world.forbid("namespace", 404)], id="no namespace"),
]


@pytest.mark.parametrize("changes", WORLDS)
def test_a_hand_made_cluster_has_the_same_verdicts_and_findings_from_its_file(changes):
    data = world.spoiled(*changes).data
    assert judged(kept(data)) == judged(data)


@pytest.mark.parametrize("planted", [pytest.param(p, id=p.id) for p in secrets.TEXTS])
def test_a_secret_in_the_log_changes_no_verdict(planted):
    data = world.done()
    secrets.PLACES["a log"](data, planted.what)
    assert judged(kept(data)) == judged(data)


def test_what_was_not_kept_changes_the_verdict():
    """So that the tests above can fail."""
    data = kept(world.done())
    data["logs"] = {}
    assert judged(data) != judged(world.done())
    assert {n: v for n, v, _ in judged(world.done())}["5.1"] is Verdict.DONE


# Nothing else


@pytest.mark.parametrize("place", secrets.PLACES)
def test_no_planted_secret_is_left(place):
    for planted in secrets.TEXTS:
        data = world.done()
        secrets.PLACES[place](data, planted.what)
        shown = json.dumps(kept(data), ensure_ascii=False)
        assert not [word for word in planted.gone if word in shown], planted.id


@pytest.mark.parametrize("what", secrets.DROPPED)
def test_what_is_nobodys_business_is_left_out(what):
    data = world.done()
    secrets.DROPPED[what](data)
    assert holds(data, secrets.WORD)
    assert not holds(kept(data), secrets.WORD)


def test_a_secret_whose_name_is_on_a_line_that_is_left_out_is_taken_out():
    data = world.done()
    lines = [f"{secrets.TIME} {said}" for said in ["a line"] * 9 + ["password:", secrets.WORD]]
    data["logs"][f"{world.POD}/tensorflow"] = world.whole("\n".join([*lines, *lines[:4]]))
    assert not holds(kept(data), secrets.WORD)


def test_of_a_near_miss_its_metadata_are_kept_alone():
    data = world.spoiled(near("Job", MASTER, template={"spec": {"x": secrets.WORD}})).data
    (found,) = kept(data)["objects"]["jobs"]
    assert set(found) == {"kind", "metadata"}


def test_what_an_own_object_made_and_mounts_is_own():
    data = world.done()
    pod = data["objects"]["pods"][0]
    pod["spec"]["volumes"].append({"name": "m", "persistentVolumeClaim": {"claimName": "mine"}})
    data["objects"]["persistentvolumeclaims"] = [world.claim("mine"), world.claim("theirs")]
    data["objects"]["events"] = [
        world.event(pod, "Pulled", "x"),
        world.event(world.pod("theirs"), "Pulled", "x"),
        world.event({"metadata": {"name": f"{MASTER}-gone", "uid": "u"}}, "Killed", "x"),
    ]
    objects = kept(data)["objects"]
    assert [claim["metadata"]["name"] for claim in objects["persistentvolumeclaims"]] == ["mine"]
    assert [event["reason"] for event in objects["events"]] == ["Pulled", "Killed"]
    assert [pod["metadata"]["name"] for pod in objects["pods"]] == [world.POD]


def test_names_of_variables_stay_and_their_values_do_not():
    data = world.done()
    variables = [{"name": "MY_WORD", "value": "x"}, {"name": "TF_CONFIG", "value": '{"task": {}}'}]
    data["objects"]["pods"][0]["spec"]["containers"][0]["env"] = variables
    (pod,) = kept(data)["objects"]["pods"]
    assert pod["spec"]["containers"][0]["env"] == [
        {"name": "MY_WORD", "value": "REDACTED"},
        {"name": "TF_CONFIG", "value": '{"task": {}}'},
    ]


def test_a_label_that_a_selector_names_stays():
    data = world.done()
    pod, node = data["objects"]["pods"][0], data["objects"]["nodes"][0]
    pod["spec"]["nodeSelector"] = {"example.com/disk": "fast"}
    node["metadata"]["labels"].update({"example.com/disk": "slow", "example.com/rack": "7"})
    (shown,) = kept(data)["objects"]["nodes"]
    assert shown["metadata"]["labels"]["example.com/disk"] == "slow"
    assert "example.com/rack" not in shown["metadata"]["labels"]


def test_the_first_and_last_lines_of_a_log_stay_and_those_that_checks_know():
    data = world.spoiled(long_log(True)).data
    log = kept(data)["logs"][f"{world.POD}/tensorflow"]
    assert log["cut"] is True
    assert [line.split(" ", 1)[1] for line in log["head"].splitlines()[:5]] == [
        f"line {n}" for n in range(5)
    ]
    assert world.LOG in log["head"]
    assert len(log["tail"].splitlines()) == 5


def test_the_namespaces_in_which_an_exercises_object_is_are_the_learners_own_and_stay():
    data = world.done()
    data["elsewhere"] = {"tfjobs": {MASTER: ["ann-two"]}}
    assert kept(data)["elsewhere"] == {"tfjobs": {MASTER: ["ann-two"]}}


def test_flags_that_reach_the_namespace_stay():
    data = {**world.done(), "flags": ["--kubeconfig=/x", "--context=c", "--namespace=ann"]}
    assert kept(data)["flags"] == ["--context=c", "--namespace=ann"]


@pytest.mark.parametrize(
    "value", [None, 5, "x", [], {}, [None, 5, {}], {"x": None}, {"a/b": 5}, {"": {"": [[]]}}]
)
@pytest.mark.parametrize("section", [*world.done(), "identity"])
def test_odd_data_stop_nothing(section, value):
    kept({**world.done(), section: value})


@pytest.mark.parametrize("value", [None, 5, "x", [], ["x"], {"a": "b"}, [{"name": 5}]])
def test_odd_objects_stop_nothing(value):
    for part in ("metadata", "spec", "status", "involvedObject", "data"):
        data = world.done()
        for section in ("objects", "operator"):
            for items in data[section].values():
                for item in items:
                    item[part] = value
        kept(data)
