"""Module 8: how a server is started, what an account may do, and what no recorded world has."""

import copy
import json

import pytest

from tests.validator.cases import CHEAT_SNAPSHOTS
from tests.validator.cases_module8 import CHEATS
from tests.validator.recorded_worlds import judged, recorded, the
from tests.validator.stage import fits
from validator import exercises, jupyter  # noqa: F401 (registers the exercises)
from validator.cluster import slim
from validator.engine import EXERCISES, grade_one
from validator.handin.whitelist import whitelisted
from validator.redaction import redact
from validator.rights import lacking, of_role, rights, shown
from validator.snapshot import Snapshot
from validator.verdicts import Verdict

# How a server is started


@pytest.mark.parametrize(
    ("container", "served"),
    [
        pytest.param({}, True, id="as the image does"),
        pytest.param({"command": ["jupyter", "lab"]}, True, id="lab"),
        pytest.param({"args": ["jupyter", "server", "--ip=0.0.0.0"]}, True, id="in args"),
        pytest.param({"command": ["/opt/jupyter/bin/jupyter-lab"]}, True, id="its path"),
        pytest.param({"command": ["jupyter", "console"]}, False, id="no server"),
        pytest.param({"command": ["jupyter"], "args": []}, False, id="nothing to do"),
        pytest.param({"command": ["sh", "-c", "jupyter lab"]}, False, id="a shell"),
        pytest.param({"args": ["--ip=0.0.0.0"]}, False, id="an option as program"),
    ],
)
def test_the_server_is_known_by_its_words(container, served):
    assert jupyter.serves(jupyter.line(container)) is served


@pytest.mark.parametrize(
    ("words", "token"),
    [
        pytest.param([], None, id="none"),
        pytest.param(["--NotebookApp.token="], "", id="empty, as in 2017"),
        pytest.param(["--NotebookApp.token=''"], "", id="in quotes of a shell"),
        pytest.param(["--IdentityProvider.token", "x"], "x", id="two words"),
        pytest.param(["--ServerApp.token=a", "--token=b"], "b", id="the last one"),
        pytest.param(["--ServerApp.token"], "", id="without a value"),
        pytest.param(["--OtherApp.token=x"], None, id="of another program"),
    ],
)
def test_an_option_has_several_names(words, token):
    assert jupyter.option(words, "token") == token


@pytest.mark.parametrize(
    ("words", "port"),
    [
        pytest.param(["jupyter", "lab"], 8888, id="by default"),
        pytest.param(["jupyter", "lab", "--port=80"], 80, id="another"),
        pytest.param(["jupyter", "lab", "--port=x"], 8888, id="none at all"),
    ],
)
def test_the_port(words, port):
    assert jupyter.port({"command": words}) == port


# Rights

WANTED = rights({("", "pods"): "get list", ("a.org", "jobs"): "create"})


def role(*rules):
    keys = ("apiGroups", "resources", "verbs")
    return {"rules": [dict(zip(keys, rule, strict=True)) for rule in rules]}


@pytest.mark.parametrize(
    ("given", "lacks"),
    [
        pytest.param(role(), WANTED, id="no rules"),
        pytest.param(role(([""], ["pods"], ["get"])),
                     rights({("", "pods"): "list", ("a.org", "jobs"): "create"}), id="some"),
        pytest.param(role((["*"], ["*"], ["*"])), frozenset(), id="all by stars"),
        pytest.param(role((["", "a.org"], ["pods", "jobs"], ["get", "list", "create"])),
                     frozenset(), id="one rule for all"),
        pytest.param({"rules": [{"apiGroups": "", "resources": 3}, "x"]}, WANTED, id="no lists"),
    ],
)  # fmt: skip
def test_what_a_role_lacks(given, lacks):
    assert lacking(WANTED, of_role(given)) == lacks


def test_rights_in_words():
    assert shown(WANTED) == "create jobs.a.org; get, list pods"


# Who has made a TfJob


def test_of_a_tfjob_the_reader_keeps_who_has_made_it_and_not_which_fields():
    manager = {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {}}}
    spec = {"replicaSpecs": [{"replicas": 1}]}
    job = slim({"metadata": {"managedFields": [dict(manager)]}, "spec": spec})
    assert job["metadata"]["managedFields"] == [{"manager": "kubectl", "operation": "Update"}]
    assert "managedFields" not in slim({"metadata": {"managedFields": [manager]}})["metadata"]


# Worlds


def test_an_account_of_another_namespace_is_another_account():
    def elsewhere(data):
        subject = the(data, "rolebindings", "module8-ex2")["subjects"][0]
        subject["namespace"] = "elsewhere"
        the(data, "tfjobs", "module8-ex2")["status"] = {}

    assert judged("8.2-solution", elsewhere) == (Verdict.WRONG, "binding.namespace")


def test_who_made_a_tfjob_long_ago_may_be_unknown_and_nobody_is_accused():
    def forgotten(data):
        the(data, "tfjobs", "module8-ex2")["metadata"]["managedFields"] = []

    assert judged("8.2-solution", forgotten) == (Verdict.COULD_NOT_CHECK, "made.unknown")


def test_a_tfjob_that_was_labelled_by_kubectl_later_is_still_the_notebooks():
    def labelled(data):
        managers = the(data, "tfjobs", "module8-ex2")["metadata"]["managedFields"]
        managers.append({"manager": "kubectl-label", "operation": "Update"})

    assert judged("8.2-solution", labelled) == (Verdict.DONE, "")


def test_what_a_notebook_has_trained_stays_done_without_its_account_and_its_server():
    def cleaned_up(data):
        for kind in ("serviceaccounts", "roles", "rolebindings", "deployments"):
            data["objects"][kind] = []

    assert judged("8.2-solution", cleaned_up) == (Verdict.DONE, "")


def test_a_server_that_does_not_answer_is_not_called_open():
    def silent(data):
        for request in list(data["answers"]):
            if request.startswith("module8-ex1"):
                del data["answers"][request]
                data["missing"][f"answer {request}"] = {"status": 503, "message": "no endpoints"}

    assert judged("8.1-solution", silent) == (Verdict.CONVERGING, "locked.no-endpoints")


def test_the_image_alone_says_how_to_start():
    def without_a_command(data):
        server = the(data, "deployments", "module8-ex1")
        del server["spec"]["template"]["spec"]["containers"][0]["command"]

    assert judged("8.1-solution", without_a_command) == (Verdict.DONE, "")


def test_a_snapshot_has_no_token():
    data = copy.deepcopy(recorded("8.1-solution"))
    container = the(data, "deployments", "module8-ex1")["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "JUPYTER_TOKEN", "value": "let-me-in-9"}]
    container["command"].append("--IdentityProvider.token=let-me-in-9")
    assert "let-me-in-9" not in json.dumps(redact(whitelisted(data)))


@pytest.mark.parametrize("case", CHEATS, ids=lambda case: case.title)
def test_a_cheat_gets_its_finding_and_is_never_done(case):
    """As it was recorded, and from a file, which leaves out what no check reads."""
    data = json.loads(case.snapshot.read_text())
    for kept in (data, redact(whitelisted(copy.deepcopy(data)))):
        made = grade_one(Snapshot(kept), EXERCISES[case.exercise])
        assert fits(case, made), made.finding


def test_each_exercise_has_two_cheats():
    numbers = [case.exercise for case in CHEATS]
    assert all(numbers.count(number) >= 2 for number in ("8.1", "8.2"))


def test_every_manifest_of_a_cheat_is_played():
    typed = " ".join(str(case.manifest) for case in CHEATS)
    folder = CHEAT_SNAPSHOTS.parents[1] / "cheats/commands"
    assert [path.name for path in folder.glob("8.*.yaml") if path.name not in typed] == []


# What the hub says that it runs with


def with_values(values):
    """An edit: the hub's Deployment has this text in place of its values."""

    def edit(data):
        container = the(data, "deployments", "module8-ex3")["spec"]["template"]["spec"]
        variables = container["containers"][0]["env"]
        next(v for v in variables if v["name"] == "HUB_VALUES")["value"] = values

    return edit


ALL_VALUES = '"storage": "1Gi", "gpuProfile": true, "hubIp": "0.0.0.0"'


@pytest.mark.parametrize(
    ("values", "said"),
    [
        pytest.param("REDACTED", "hub.other", id="nothing that can be read"),
        pytest.param("[]", "hub.other", id="a list"),
        pytest.param('{"users": ["learner1"]}', "hub.localhost", id="no address"),
        pytest.param(f'{{"users": "learner1", {ALL_VALUES}}}', "users.nobody", id="a text"),
        pytest.param(f'{{"users": [1, null], {ALL_VALUES}}}', "users.nobody", id="no names"),
        pytest.param(f'{{"users": ["learner1"], {ALL_VALUES}}}', "", id="all that is wanted"),
    ],
)
def test_the_hub_is_judged_by_the_values_that_it_runs_with(values, said):
    verdict = Verdict.WRONG if said else Verdict.DONE
    assert judged("8.3-solution", with_values(values)) == (verdict, said)


def test_where_the_cluster_has_no_gpu_neither_profile_nor_gpu_is_wanted():
    def edit(data):
        with_values(f'{{"users": ["learner1"], {ALL_VALUES.replace("true", "false")}}}')(data)
        for node in data["objects"]["nodes"]:
            node["status"]["allocatable"] = {"cpu": "2"}
        server = the(data, "pods", "jupyter-learner1")["spec"]["containers"][0]
        server["resources"] = {}

    assert judged("8.3-solution", edit) == (Verdict.DONE, "")
