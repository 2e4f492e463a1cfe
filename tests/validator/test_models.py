"""Exercises 5.2 and 5.3: what no single mistake on one node shows, and what solve and reset do."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.validator.cases import MISTAKES, SNAPSHOTS
from tests.validator.cases_module5 import CHEATS, MODULE5_2
from tests.validator.stage import fits
from validator import actions, exercises  # noqa: F401 (registers the exercises)
from validator.cluster import second_round
from validator.connect.connection import Connection
from validator.engine import EXERCISES, grade_one
from validator.handin.whitelist import whitelisted
from validator.snapshot import Snapshot, name_of, parse_time
from validator.verdicts import Verdict

WRONG, CONVERGING, DONE = Verdict.WRONG, Verdict.CONVERGING, Verdict.DONE
COULD_NOT_CHECK = Verdict.COULD_NOT_CHECK
READER, CLAIM = "module5-ex2-reader", "module5-models"


def recorded(case):
    return json.loads((SNAPSHOTS / f"{case}.json").read_text())


def judged(case, *edits):
    """(verdict, id of the finding) of the recorded case, after these edits; of a file too."""
    data, exercise = recorded(case), EXERCISES[case.partition("-")[0]]
    for edit in edits:
        edit(data)
    made, handed_in = (grade_one(Snapshot(d), exercise) for d in (data, whitelisted(data)))
    assert (made.verdict, made.finding) == (handed_in.verdict, handed_in.finding)
    return made.verdict, made.finding.id if made.finding else ""


def key(data, part):
    """The whole request of the answer whose path has this part."""
    return next(request for request in data["answers"] if part in request)


def pods_of(data, start):
    return [pod for pod in data["objects"]["pods"] if name_of(pod).startswith(start)]


def log_of(data, start):
    return next(log for name, log in data["logs"].items() if name.startswith(start))


def claim_elsewhere(data):
    data["elsewhere"] = {"persistentvolumeclaims": {CLAIM: ["other"]}}


def events_gone(data):
    data["objects"]["events"] = []


def no_default_class(data):
    events_gone(data)
    del data["objects"]["persistentvolumeclaims"][0]["spec"]["storageClassName"]


def attached_elsewhere(data):
    """The Pod waits, and its event says why, as on a cluster of several nodes."""
    pod = pods_of(data, "module5-ex3-master")[0]
    waiting = {"name": "tensorflow", "state": {"waiting": {"reason": "ContainerCreating"}}}
    pod["status"].update(phase="Pending", containerStatuses=[waiting])
    data["objects"]["events"].append(
        {
            "reason": "FailedAttachVolume",
            "type": "Warning",
            "message": 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) x',
            "involvedObject": {"kind": "Pod", "uid": pod["metadata"]["uid"]},
        }
    )


def claim_deleted(data):
    data["objects"]["persistentvolumeclaims"] = []


def other_accuracy(data):
    log = log_of(data, READER)
    log["head"] = log["head"].replace("test accuracy 0.8", "test accuracy 0.7")


def reader_is_gone(data):
    gone = pods_of(data, READER)
    data["objects"]["pods"] = [p for p in data["objects"]["pods"] if p not in gone]


def reader_of_an_earlier_run(data):
    """The TfJob was made again since, and the Job that read the earlier model is still there."""
    state = pods_of(data, READER)[0]["status"]["containerStatuses"][0]["state"]["terminated"]
    state["startedAt"] = "2026-01-01T00:00:00Z"


def other_code_in_a_variable(data):
    job = next(j for j in data["objects"]["jobs"] if name_of(j) == READER)
    container = job["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "PYTHONPATH", "value": "/models/code"}]


def read_by(*command):
    """An edit: the reader's command; a shell's script has the options, too."""

    def edit(data):
        job = next(j for j in data["objects"]["jobs"] if name_of(j) == READER)
        for spec in (job["spec"]["template"]["spec"], pods_of(data, READER)[0]["spec"]):
            spec["containers"][0]["command"] = list(command)
            if command[0] == "sh":
                del spec["containers"][0]["args"]

    return edit


def logs_named_in_a_script(data):
    (job,) = (j for j in data["objects"]["tfjobs"] if name_of(j) == "module5-ex3")
    job["spec"]["tensorboard"]["logDir"] = "/tmp/fashion-mnist/board"
    train = "python -m fashion_mnist.train --max-steps 500 --log-dir /tmp/fashion-mnist/board"
    template = job["spec"]["replicaSpecs"][0]["template"]["spec"]
    for spec in (template, pods_of(data, "module5-ex3-master")[0]["spec"]):
        spec["containers"][0].update(command=["sh"], args=["-c", train])


PREDICT = "python -m fashion_mnist.predict"
UNBUFFERED = ["python", "-u", *PREDICT.split()[1:]]
AS_THE_IMAGE = ["env", "--block-signal=TERM", *PREDICT.split()]
MODELS = [
    ("5.2-no-claim", [claim_elsewhere], WRONG, "bound.elsewhere"),
    ("5.2-starter", [events_gone], WRONG, "bound.unbound"),
    ("5.2-starter", [no_default_class], WRONG, "bound.unbound"),
    ("5.2-solution", [claim_deleted], DONE, ""),
    ("5.2-solution", [other_accuracy], WRONG, "same.other"),
    ("5.2-pods-deleted", [other_accuracy], WRONG, "same.other"),
    ("5.2-solution", [reader_is_gone], COULD_NOT_CHECK, "same.pods-gone"),
    ("5.2-solution", [reader_of_an_earlier_run], WRONG, "reader.too-early"),
    ("5.2-solution", [read_by(*UNBUFFERED)], DONE, ""),
    ("5.2-solution", [read_by(*AS_THE_IMAGE)], DONE, ""),
    ("5.2-solution", [read_by("sh", "-c", f"{PREDICT} /models/model --test")], DONE, ""),
    ("5.2-solution", [read_by("sh", "-c", f"{PREDICT} /models/model")], WRONG, "reader.no-test"),
    ("5.2-solution", [read_by("sh", "-c", f"{PREDICT} $MODEL --test")], COULD_NOT_CHECK,
     "reader.code.unclear"),
    ("5.2-solution", [read_by("sh", "-c", "echo test accuracy 0.9")], WRONG, "reader.program"),
    ("5.2-solution", [other_code_in_a_variable], COULD_NOT_CHECK, "reader.code.code-variable"),
    ("5.3-solution", [logs_named_in_a_script], DONE, ""),
    ("5.3-training", [attached_elsewhere], CONVERGING, "ends.multi-attach"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "edits", "verdict", "id"),
    [pytest.param(*row, id=f"{row[0]} {row[1][0].__name__}") for row in MODELS],
)
def test_a_model_on_a_claim(case, edits, verdict, id):
    assert judged(case, *edits) == (verdict, id)


def without_runs(data):
    data["answers"][key(data, "scalars/tags")]["body"] = "{}"


def without_accuracy(data):
    tags = key(data, "scalars/tags")
    shown = json.loads(data["answers"][tags]["body"])
    del shown["test"]["accuracy"]
    data["answers"][tags]["body"] = json.dumps(shown)


def change_points(data, change):
    loss = key(data, "tag=loss")
    points = json.loads(data["answers"][loss]["body"])
    data["answers"][loss]["body"] = json.dumps(change(points))


def last_point_missing(data):
    change_points(data, lambda points: points[:-1])


def other_values(data):
    change_points(data, lambda points: [[t, step, value + 0.1] for t, step, value in points])


def other_times(data):
    change_points(data, lambda points: [[t - 60, step, value] for t, step, value in points])


def with_an_earlier_run(data):
    change_points(data, lambda p: [[t - 600, step, 9.0] for t, step, _ in p] + p)


def after(seconds):
    """Looked at so long after the training's end."""

    def edit(data):
        ended = Snapshot(data).find("tfjobs", "module5-ex3")["status"]["completionTime"]
        data["taken"] = (parse_time(ended) + timedelta(seconds=seconds)).isoformat()

    edit.__name__ = f"after_{seconds}_s"
    return edit


def cut_short(data):
    loss = key(data, "tag=loss")
    data["answers"][loss]["body"] = data["answers"][loss]["body"][:40]


def refused(status):
    def edit(data):
        for request in list(data["answers"]):
            if "module5-ex3" in request:
                del data["answers"][request]
                data["missing"][f"answer {request}"] = {"status": status, "message": "no"}

    edit.__name__ = f"status_{status}"
    return edit


def deployment_deleted(data):
    data["objects"]["deployments"] = []


BOARDS = [
    ([without_runs, after(90)], WRONG, "board-shows.no-runs"),
    ([without_runs, after(2)], CONVERGING, "board-shows.no-runs"),
    ([without_accuracy, after(90)], WRONG, "board-shows.no-runs"),
    ([last_point_missing, after(90)], WRONG, "board-shows.other-run"),
    ([last_point_missing, after(2)], CONVERGING, "board-shows.other-run"),
    ([other_values, after(90)], WRONG, "board-shows.other-run"),
    ([other_times, after(90)], WRONG, "board-shows.other-run"),
    ([with_an_earlier_run], DONE, ""),
    ([cut_short], COULD_NOT_CHECK, "board-shows.unreadable"),
    ([refused(403)], COULD_NOT_CHECK, "board-shows.forbidden"),
    ([refused(503)], CONVERGING, "board-shows.silent"),
    ([deployment_deleted], CONVERGING, "board-stands.none"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("edits", "verdict", "id"),
    [pytest.param(*row, id=" and ".join(e.__name__ for e in row[0])) for row in BOARDS],
)
def test_what_a_tensorboard_shows(edits, verdict, id):
    assert judged("5.3-solution", *edits) == (verdict, id)


def commands(act, case, *numbers):
    data = recorded(case) if isinstance(case, str) else case
    chosen = [EXERCISES[number] for number in numbers]
    if act == "reset":
        made = actions.reset_commands(Snapshot(data), chosen, False)
    else:
        made, _ = actions.solve_commands(Snapshot(data), chosen, Path("."))
    return [" ".join(w.rpartition("/")[2] if "/" in w and "=" not in w else w for w in c)
            for c in made]  # fmt: skip


def test_solve_trains_waits_and_then_reads():
    assert commands("solve", "5.2-nothing-made", "5.2") == [
        "kubectl apply -f exercise-2.yaml",
        "kubectl wait module5-ex2 --for=jsonpath={.status.phase}=Done --timeout=5m",
        "kubectl apply -f exercise-2-reader.yaml",
    ]


def test_solve_deletes_a_claim_that_is_pending_and_keeps_one_that_has_data():
    claim = f"kubectl delete pvc {CLAIM} --ignore-not-found"
    assert claim in commands("solve", "5.2-starter", "5.2")
    assert claim not in commands("solve", "5.2-beside", "5.2")


def test_reset_deletes_a_claim_once_and_last():
    both = copy.deepcopy(recorded("5.3-solution"))
    both["objects"]["tfjobs"] += recorded("5.2-solution")["objects"]["tfjobs"]
    assert commands("reset", both, "5.2", "5.3") == [
        "kubectl delete tfjob module5-ex2",
        "kubectl delete tfjob module5-ex3",
        f"kubectl delete pvc {CLAIM} --ignore-not-found",
    ]


def test_reset_keeps_a_claim_that_another_exercise_mounts():
    both = copy.deepcopy(recorded("5.3-solution"))
    both["objects"]["tfjobs"] += recorded("5.2-solution")["objects"]["tfjobs"]
    assert commands("reset", both, "5.2") == ["kubectl delete tfjob module5-ex2"]


@pytest.mark.parametrize("case", CHEATS, ids=lambda case: case.title)
def test_a_cheat_is_not_done(case):
    made = grade_one(Snapshot(json.loads(case.snapshot.read_text())), EXERCISES[case.exercise])
    assert made.verdict is not DONE
    assert fits(case, made), made.finding


def test_every_manifest_of_a_cheat_and_of_a_reader_is_played():
    typed = " ".join(line for case in CHEATS for line in case.typed)
    folder = MISTAKES.parent / "cheats/commands"
    assert all(path.name in typed for path in folder.glob("5.*.yaml"))
    acts = " ".join(word for case in MODULE5_2 for act in case.acts for word in act.command)
    assert all(path.name in acts for path in (MISTAKES / "readers").iterdir())


def asked(case, number, *others):
    """The requests that follow from what the lists of a recorded world show."""
    data = recorded(case)
    space = data["namespace"]
    here = Connection("https://x", "x", space, "", other_namespaces=others)
    wanted = second_round(here, [EXERCISES[number]], data)
    return [one.ask.path.partition(f"/namespaces/{space}/")[2] or one.ask.path for one in wanted]


def test_the_log_of_the_reader_is_read_beside_that_of_the_training():
    logs = [path for path in asked("5.2-solution", "5.2") if "/log?" in path]
    assert any(path.startswith(f"pods/{READER}-") for path in logs)
    assert any(path.startswith("pods/module5-ex2-master-") for path in logs)


def test_tensorboard_is_asked_by_the_name_of_its_service():
    name = next(name for name in recorded("5.3-solution")["answers"] if name.startswith("module5"))
    service = name.partition(":")[0]
    paths = [path for path in asked("5.3-solution", "5.3") if "/proxy/" in path]
    assert paths == [
        f"services/{service}%3A80/proxy/data/plugin/scalars/scalars?run=chief&tag=loss",
        f"services/{service}%3A80/proxy/data/plugin/scalars/tags",
    ]


def test_nobody_is_asked_before_there_is_a_tensorboard():
    assert not [path for path in asked("5.3-starter", "5.3") if "/proxy/" in path]


def test_a_claim_is_looked_for_in_the_learners_other_namespaces_where_it_is_missing():
    path = f"/api/v1/namespaces/other/persistentvolumeclaims/{CLAIM}"
    assert path in asked("5.2-no-claim", "5.2", "other")
    assert path not in asked("5.2-solution", "5.2", "other")
