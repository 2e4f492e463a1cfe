"""Module 9: what no recorded world has: other ways to say the same, and what has expired since."""

import copy
import json

import pytest

from tests.validator.cases import CHEAT_SNAPSHOTS
from tests.validator.cases_module9 import CHEATS
from tests.validator.recorded_worlds import judged, recorded, the
from tests.validator.stage import fits
from validator import exercises, model_server  # noqa: F401 (registers the exercises)
from validator.engine import EXERCISES, grade_one
from validator.handin.whitelist import whitelisted
from validator.places import Mount, Place
from validator.redaction import redact
from validator.snapshot import Snapshot
from validator.verdicts import Verdict


def server(data):
    return the(data, "deployments", "module9-ex1")["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.parametrize(
    ("line", "served"),
    [
        pytest.param(["python", "-m", "fashion_mnist.serve"], True, id="python alone"),
        pytest.param(["/opt/venv/bin/python", "-m", "fashion_mnist.serve"], True, id="its path"),
        pytest.param(["env", "--block-signal=TERM", "python", "-m", "fashion_mnist.serve"], True,
                     id="as on the page"),
        pytest.param(["python", "-m", "fashion_mnist.train"], False, id="another program"),
        pytest.param(["python", "-u", "-m", "fashion_mnist.serve"], True, id="an option of python"),
        pytest.param(["sh", "-c", "exec python -m fashion_mnist.serve"], True, id="in a shell"),
        pytest.param(["sh", "/run.sh", "fashion_mnist.serve"], False, id="a script in a file"),
        pytest.param([], False, id="nothing"),
    ],
)  # fmt: skip
def test_the_server_is_known_by_its_words(line, served):
    assert model_server.calls({"command": line}, model_server.PROGRAM) is served


def test_options_in_a_script_that_cannot_be_read_are_not_taken_for_the_defaults():
    def unread(data):
        server(data).update(command=["sh", "-c", "nohup python -m fashion_mnist.serve"], args=[])

    assert judged("9.1-solution", unread) == (Verdict.COULD_NOT_CHECK, "server.unclear")


ASK = "python -m fashion_mnist.ask http://module9-ex1:8501/v1/models/fashion-mnist"


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        pytest.param(["python", "-u", *ASK.split()[1:], "--seconds=60"], (Verdict.DONE, ""),
                     id="an option of python"),
        pytest.param(["sh", "-c", f"exec {ASK} --seconds 60"], (Verdict.DONE, ""), id="a shell"),
        pytest.param(["sh", "-c", f"{ASK} --seconds 5"], (Verdict.WRONG, "load.short"),
                     id="too short, in a shell"),
        pytest.param(["sh", "-c", f"{ASK} --seconds $N"], (Verdict.COULD_NOT_CHECK, "load.unclear"),
                     id="a variable"),
        pytest.param(["sleep", "60"], (Verdict.WRONG, "load.program"), id="another program"),
    ],
)  # fmt: skip
def test_the_load_is_known_by_its_words(command, wanted):
    def loaded_by(data):
        pod = the(data, "jobs", "module9-ex2-load")["spec"]["template"]["spec"]
        pod["containers"][0].update(command=command, args=[])

    assert judged("9.2-solution", loaded_by) == wanted


@pytest.mark.parametrize(
    ("container", "base"),
    [
        pytest.param({}, "/models/model", id="by default"),
        pytest.param({"env": [{"name": "MODEL_NAME", "value": "x"}]}, "/models/x", id="a name"),
        pytest.param(
            {"env": [{"name": "MODEL_BASE_PATH", "value": "/m"}]}, "/m/model", id="a base"
        ),
        pytest.param({"args": ["--model-name=x"]}, "/models/x", id="an option"),
        pytest.param({"args": ["--model_base_path", "/a/b"]}, "/a/b", id="the folder itself"),
        pytest.param(
            {"command": ["sh", "-c", "python -m fashion_mnist.serve --model-name=x"]},
            "/models/x",
            id="an option in a script",
        ),
    ],
)
def test_the_server_looks_below_its_base_path(container, base):
    command = ["python", "-m", "fashion_mnist.serve"]
    assert model_server.base_path({"command": command, **container}) == base


@pytest.mark.parametrize(
    ("path", "sub_path", "seen"),
    [
        pytest.param("/models/f/1", "run/model", "/models/f/1", id="the folder itself"),
        pytest.param("/models/f", "run", "/models/f/model", id="the folder above"),
        pytest.param("/models", "", "/models/run/model", id="the whole claim"),
        pytest.param("/models/f/1", "other", "", id="another folder"),
    ],
)
def test_where_the_server_sees_a_saved_model(path, sub_path, seen):
    pod = {
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
        "containers": [{"volumeMounts": [{"name": "v", "mountPath": path, "subPath": sub_path}]}],
    }
    saved = Place("c", "run/model", Mount("c", "/x", "run"))
    assert model_server.path_of(pod, saved) == seen


def test_a_server_that_was_scaled_has_been_asked_whatever_one_replica_says():
    def scaled_and_started_again(data):
        for request, answer in data["answers"].items():
            if request.endswith("metrics"):
                answer["body"] = "# TYPE :tensorflow:serving:request_count counter\n"

    assert judged("9.2-solution", scaled_and_started_again) == (Verdict.DONE, "")
    assert judged("9.1-solution", scaled_and_started_again) == (Verdict.CONVERGING, "asked.none")


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        pytest.param(8501, (Verdict.DONE, ""), id="it leads to the server"),
        pytest.param(8502, (Verdict.WRONG, "endpoints.port"), id="it leads to nothing"),
    ],
)
def test_of_a_service_with_a_port_for_grpc_too_the_other_one_is_judged(target, wanted):
    def two_ports(data):
        grpc = {"name": "grpc", "port": 8500, "targetPort": 8500}
        rest = {"name": "rest", "port": 8501, "targetPort": target}
        the(data, "services", "module9-ex1")["spec"]["ports"] = [grpc, rest]

    assert judged("9.1-solution", two_ports) == wanted


def test_a_claim_that_is_mounted_read_only_as_a_whole_is_read_only():
    def whole(data):
        pod = the(data, "deployments", "module9-ex1")["spec"]["template"]["spec"]
        del pod["containers"][0]["volumeMounts"][0]["readOnly"]
        pod["volumes"][0]["persistentVolumeClaim"]["readOnly"] = True

    assert judged("9.1-solution", whole) == (Verdict.DONE, "")


def test_without_metrics_the_autoscaler_is_blocked_and_nobody_wrong():
    def without_metrics(data):
        data["groups"].remove("metrics.k8s.io")

    assert judged("9.2-nothing-made", without_metrics) == (
        Verdict.BLOCKED,
        "exists.needs.metrics.none",
    )


def test_without_its_class_the_urgent_training_is_blocked():
    def without_class(data):
        data["objects"]["priorityclasses"] = []

    assert judged("9.3-nothing-made", without_class) == (
        Verdict.BLOCKED,
        "exists.needs.class.none",
    )


def test_without_pod_groups_the_bonus_is_blocked():
    def without_pod_groups(data):
        data["groups"].remove("scheduling.k8s.io/v1beta1")

    assert judged("9.4-nothing-made", without_pod_groups) == (
        Verdict.BLOCKED,
        "exists.needs.gang.none",
    )


def test_a_load_that_has_ended_without_a_change_accuses_nobody():
    def never_scaled(data):
        the(data, "horizontalpodautoscalers", "module9-ex2")["status"].pop("lastScaleTime")
        data["taken"] = "2027-01-01T00:00:00Z"

    assert judged("9.2-solution", never_scaled) == (Verdict.COULD_NOT_CHECK, "scaled.none")


def shrank(data):
    """Somebody had added replicas by hand, and the autoscaler took them away after the load."""
    the(data, "horizontalpodautoscalers", "module9-ex2")["status"]["lastScaleTime"] = LONG_AFTER
    data["taken"] = "2026-11-26T11:50:30Z"
    for event in data["objects"]["events"]:
        if event["reason"] == "SuccessfulRescale":
            event["message"] = "New size: 1; reason: All metrics below target"


def events_are_over(data):
    data["objects"]["events"] = []


def hours_later(data):
    data["taken"] = "2026-11-26T14:00:00Z"


def grew_and_shrank(data):
    risen = [e for e in data["objects"]["events"] if e["reason"] == "SuccessfulRescale"]
    data["objects"]["events"] += copy.deepcopy(risen)
    shrank({**data, "objects": {**data["objects"], "events": risen}})


LONG_AFTER = "2026-11-26T11:50:06Z"
UNSEEN = (Verdict.COULD_NOT_CHECK, "scaled.down")


@pytest.mark.parametrize(
    ("edits", "wanted"),
    [
        pytest.param([events_are_over], (Verdict.DONE, ""), id="by the time alone"),
        pytest.param([grew_and_shrank], (Verdict.DONE, ""), id="more, and then fewer"),
        pytest.param([shrank], UNSEEN, id="only fewer"),
        pytest.param([shrank, events_are_over], UNSEEN, id="long after the load, without events"),
        pytest.param(
            [shrank, events_are_over, hours_later],
            (Verdict.DONE, ""),
            id="what was done stays",
        ),
    ],
)
def test_fewer_replicas_are_not_more(edits, wanted):
    def edit(data):
        for each in edits:
            each(data)

    assert judged("9.2-solution", edit) == wanted


def test_a_server_that_only_shrank_has_not_been_asked():
    def also_shrank(data):
        scaled = copy.deepcopy(recorded("9.2-solution"))
        shrank(scaled)
        for kind in ("horizontalpodautoscalers", "events"):
            data["objects"][kind] = scaled["objects"][kind]

    assert judged("9.1-not-asked", also_shrank) == (Verdict.CONVERGING, "asked.none")


def test_a_pod_that_went_without_an_event_is_not_taken_for_one_that_made_way():
    def without_the_event(data):
        events = data["objects"]["events"]
        data["objects"]["events"] = [e for e in events if e["reason"] != "Preempted"]

    found = judged("9.3-solution", without_the_event)
    assert found == (Verdict.COULD_NOT_CHECK, "preempted.unclear")


def test_two_trainings_beside_one_another_made_no_way():
    def ended_later(data):
        for pod in data["objects"]["pods"]:
            if pod["metadata"]["name"].startswith("module9-ex3-urgent"):
                state = pod["status"]["containerStatuses"][0]["state"]["terminated"]
                state["finishedAt"] = data["taken"]

    assert judged("9.3-solution", ended_later) == (Verdict.WRONG, "preempted.beside")


def test_a_gang_whose_group_is_gone_cannot_be_checked():
    def gone(data):
        data["objects"]["podgroups"] = []

    assert judged("9.4-solution", gone) == (Verdict.COULD_NOT_CHECK, "waited.gone")


def test_a_gang_with_the_group_of_an_earlier_try_needs_a_new_group():
    def scheduled_before(data):
        for each in data["objects"]["podgroups"]:
            each["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z"
            for condition in each["status"]["conditions"]:
                condition["lastTransitionTime"] = "2020-01-01T00:00:05Z"

    assert judged("9.4-solution", scheduled_before) == (Verdict.WRONG, "waited.old-group")


@pytest.mark.parametrize("case", CHEATS, ids=lambda case: case.title)
def test_a_cheat_gets_its_finding_and_is_never_done(case):
    """As it was recorded, and from a file, which leaves out what no check reads."""
    data = json.loads(case.snapshot.read_text())
    for kept in (data, redact(whitelisted(copy.deepcopy(data)))):
        made = grade_one(Snapshot(kept), EXERCISES[case.exercise])
        assert fits(case, made), made.finding


def test_each_exercise_has_two_cheats():
    numbers = [case.exercise for case in CHEATS]
    assert all(numbers.count(number) >= 2 for number in ("9.1", "9.2", "9.3", "9.4"))


def test_every_manifest_of_a_cheat_is_played():
    typed = " ".join(str(case.manifest) for case in CHEATS)
    folder = CHEAT_SNAPSHOTS.parents[1] / "cheats/commands"
    assert [path.name for path in folder.glob("9.*.yaml") if path.name not in typed] == []
