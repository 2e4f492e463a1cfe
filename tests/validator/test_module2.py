"""Module 2: an image of one's own does as well, cheats are told, the program decides on ports."""

import copy
import json
import re

import pytest

from tests.validator.cases import SNAPSHOTS
from tests.validator.cases_module2 import CHEATS
from tests.validator.stage import fits
from validator import exercises  # noqa: F401 (registers the checks)
from validator.checks.servers import server_port
from validator.engine import EXERCISES, grade_one
from validator.handin.whitelist import whitelisted
from validator.redaction import redact
from validator.snapshot import Snapshot
from validator.verdicts import Verdict

OWN = "localhost/module1-ex1:v1"


def recorded(title):
    return json.loads((SNAPSHOTS / f"{title}.json").read_text())


def judged(data, number):
    return grade_one(Snapshot(copy.deepcopy(data)), EXERCISES[number])


def said(grade):
    return grade.verdict, grade.finding.id if grade.finding else ""


@pytest.fixture
def trained():
    """The recorded training, as a program of the learner's own would have printed it."""

    def make(image, accuracy):
        data = recorded("2.1-solution")
        for item in data["objects"]["jobs"]:
            item["spec"]["template"]["spec"]["containers"][0]["image"] = image
        for pod in data["objects"]["pods"]:
            pod["spec"]["containers"][0]["image"] = image
        for log in data["logs"].values():
            for part in ("head", "tail"):
                log[part] = re.sub(r"test accuracy \S+", f"test accuracy {accuracy}", log[part])
                log[part] = re.sub(r"\S+ saved model to .*\n", "", log[part])
                # A softmax regression learns more slowly.
                log[part] = re.sub(r"loss 0", "loss 1", log[part])
        return data

    return make


@pytest.mark.parametrize(
    ("image", "accuracy", "wanted"),
    [
        pytest.param(OWN, 0.78, (Verdict.DONE, ""), id="its own way is in order"),
        pytest.param(OWN, 0.70, (Verdict.WRONG, "accuracy.low"), id="and must learn something"),
        pytest.param(
            "localhost/module1-ex2:v1", 0.78, (Verdict.WRONG, "image.other"), id="no other image"
        ),
        pytest.param(
            "localhost/fashion-mnist:1.2.0", 0.84, (Verdict.WRONG, "trained.log.no-end"),
            id="the sample image saves its model",
        ),
    ],
)  # fmt: skip
def test_an_image_of_the_learners_own_trains_as_well(trained, image, accuracy, wanted):
    assert said(judged(trained(image, accuracy), "2.1")) == wanted


def started(**container):
    """An edit: what the container of the training is given, in place of args."""

    def edit(data):
        for item in (*data["objects"]["jobs"], *data["objects"]["pods"]):
            spec = item["spec"].get("template", item)["spec"]
            del spec["containers"][0]["args"]
            spec["containers"][0].update(container)

    return edit


def not_begun(data):
    data["objects"]["jobs"][0]["status"] = {}
    data["objects"]["pods"], data["logs"] = [], {}


def a_volume_has_the_program(data):
    for item in (*data["objects"]["jobs"], *data["objects"]["pods"]):
        spec = item["spec"].get("template", item)["spec"]
        spec["volumes"] = [{"name": "app", "configMap": {"name": "app"}}]
        spec["containers"][0]["volumeMounts"] = [{"name": "app", "mountPath": "/app"}]


MAIN = ["python", "/app/main.py"]
ASKED = ["--max-steps", "500"]
ENDLESS_LOOP = ["sh", "-c", "while true; do sleep 1; done"]
UNCLEAR = (Verdict.COULD_NOT_CHECK, "trained.program.unclear")


@pytest.mark.parametrize(
    ("edits", "wanted"),
    [
        pytest.param([started(command=MAIN, args=ASKED)], (Verdict.DONE, ""),
                     id="its entry point written out"),
        pytest.param([started()], (Verdict.DONE, ""), id="the steps in its Dockerfile"),
        pytest.param([started(), not_begun], (Verdict.CONVERGING, "ends.no-pod"),
                     id="which nobody sees before it trains"),
        pytest.param([started(command=MAIN, args=ASKED), a_volume_has_the_program], UNCLEAR,
                     id="a program that a volume brings"),
        pytest.param([started(command=["python", "main.py"]), a_volume_has_the_program], UNCLEAR,
                     id="a program that may be in a volume"),
        pytest.param([started(command=ENDLESS_LOOP)], UNCLEAR, id="a script"),
        pytest.param([started(command=["python", "-Bc", "import time"])], UNCLEAR,
                     id="code behind an option of Python"),
        pytest.param([started(command=["python", "--check-hash-based-pycs", "default", "-c", "1"])],
                     UNCLEAR, id="code behind an option with a value"),
        pytest.param([started(command=["python", "/usr/lib/python3.11/timeit.py", "1"])], UNCLEAR,
                     id="a module of Python that runs code"),
        pytest.param([started(args=["--max-steps 500"]), not_begun],
                     (Verdict.WRONG, "option.one-word"), id="an option as one word"),
        pytest.param([started(command=["echo", "step 500/500 loss 0.3 accuracy 0.9"])],
                     (Verdict.WRONG, "trained.program.prints"), id="a line of the log"),
    ],
)  # fmt: skip
def test_an_image_of_the_learners_own_has_an_entry_point_of_its_own(trained, edits, wanted):
    data = trained(OWN, 0.78)
    for edit in edits:
        edit(data)
    assert said(judged(data, "2.1")) == wanted


@pytest.mark.parametrize("case", CHEATS, ids=lambda case: case.title)
def test_a_cheat_is_told(case):
    data = json.loads(case.snapshot.read_text())
    for each in (data, redact(whitelisted(data))):
        grade = judged(each, case.exercise)
        assert fits(case, grade), grade.finding
        assert grade.verdict is not Verdict.DONE


def all_came_at_once(data):
    """Every Pod is as old as its ReplicaSet: a quick cluster, and a learner who is quick too."""
    [replica_set] = data["objects"]["replicasets"]
    for pod in data["objects"]["pods"]:
        pod["metadata"]["creationTimestamp"] = replica_set["metadata"]["creationTimestamp"]


def gone_pods_were_scaled_away(data):
    present = {pod["metadata"]["name"] for pod in data["objects"]["pods"]}
    made = [e for e in data["objects"]["events"] if e["reason"] == "SuccessfulCreate"]
    for event in made:
        name = event["message"].removeprefix("Created pod: ")
        if name not in present:
            data["objects"]["events"].append(
                {**event, "reason": "SuccessfulDelete", "message": f"Deleted pod: {name}"}
            )


def events_are_over(data):
    data["objects"]["events"] = []


def one_pod_is_older(data):
    [replica_set] = data["objects"]["replicasets"]
    pods = sorted(data["objects"]["pods"], key=lambda pod: pod["metadata"]["creationTimestamp"])
    pods[0]["metadata"]["creationTimestamp"] = replica_set["metadata"]["creationTimestamp"]


NOT_REPLACED = (Verdict.WRONG, "replaced.first")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        pytest.param([], (Verdict.DONE, ""), id="younger than their ReplicaSet"),
        pytest.param([events_are_over], (Verdict.DONE, ""), id="whose events are over"),
        pytest.param([one_pod_is_older], (Verdict.DONE, ""), id="a replacement at once"),
        pytest.param([one_pod_is_older, events_are_over], NOT_REPLACED, id="a first Pod is left"),
        pytest.param([all_came_at_once], NOT_REPLACED, id="three came, two are gone"),
        pytest.param(
            [one_pod_is_older, gone_pods_were_scaled_away], NOT_REPLACED, id="only scaled"
        ),
    ],
)
def test_the_first_pods_are_replaced_by_time_or_by_events(changes, wanted):
    data = recorded("2.2-solution")
    for change in changes:
        change(data)
    assert said(judged(data, "2.2")) == wanted


def test_a_selector_of_expressions_hides_no_first_pod():
    data = recorded("2.2-first-pods")
    [deployment] = [d for d in data["objects"]["deployments"] if "ex2" in d["metadata"]["name"]]
    expression = {"key": "app", "operator": "In", "values": ["module2-ex2"]}
    deployment["spec"]["selector"] = {"matchExpressions": [expression]}
    assert said(judged(data, "2.2")) == NOT_REPLACED


def another_pod(**fields):
    """A Pod with the labels that the Service looks for, which no ReplicaSet made."""

    def change(data):
        pod = copy.deepcopy(data["objects"]["pods"][0])
        pod["metadata"].update(name="other", uid="other", ownerReferences=[])
        for part, values in fields.items():
            pod[part].update(values)
        data["objects"]["pods"].append(pod)

    return change


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        pytest.param(another_pod(), (Verdict.WRONG, "endpoints.foreign"), id="it runs"),
        pytest.param(
            another_pod(metadata={"deletionTimestamp": "2026-11-26T00:00:00Z"}),
            (Verdict.DONE, ""),
            id="it is being deleted",
        ),
        pytest.param(
            another_pod(status={"phase": "Succeeded"}), (Verdict.DONE, ""), id="it has ended"
        ),
        pytest.param(
            another_pod(status={"phase": "Failed"}), (Verdict.DONE, ""), id="it has failed"
        ),
    ],
)
def test_a_pod_of_the_same_labels_counts_while_it_gets_requests(change, wanted):
    data = recorded("2.2-solution")
    change(data)
    assert said(judged(data, "2.2")) == wanted


@pytest.mark.parametrize("kind", ["services", "replicasets", "endpointslices"])
def test_who_may_not_read_a_kind_is_not_accused(kind):
    data = recorded("2.2-solution")
    data["missing"][kind] = {"status": 403, "message": "forbidden"}
    assert judged(data, "2.2").verdict is Verdict.COULD_NOT_CHECK


@pytest.mark.parametrize(
    ("command", "opened", "port"),
    [
        pytest.param(["python", "-m", "http.server", "8080"], 80, 8080, id="the program decides"),
        pytest.param(["sh", "-c", "exec python -m http.server 81 -d /"], 80, 81, id="in a shell"),
        pytest.param(["python", "-m", "http.server", "--bind", "::", "90"], 80, 90, id="last"),
        pytest.param(["python", "-m", "http.server"], 80, 8000, id="Python's own port"),
        pytest.param(["sleep", "3600"], 80, 80, id="another program: what the manifest says"),
        pytest.param([], None, 0, id="nothing is known"),
    ],
)
def test_the_port_of_a_server(command, opened, port):
    ports = [{"containerPort": opened}] if opened else []
    assert server_port({"command": command, "ports": ports}) == port
