"""What the validator says of a sweep whose world is edited; solve and reset of module 7."""

import copy
import json
import re
from pathlib import Path

import pytest

from tests.validator.cases import SNAPSHOTS
from validator import (
    actions,
    exercises,  # noqa: F401 (registers the exercises)
)
from validator.engine import EXERCISES, grade_one
from validator.snapshot import Snapshot
from validator.verdicts import Verdict

DONE, WRONG, CONVERGING = Verdict.DONE, Verdict.WRONG, Verdict.CONVERGING
UNCLEAR = Verdict.COULD_NOT_CHECK


def recorded(case):
    return json.loads((SNAPSHOTS / f"{case}.json").read_text())


def judged(case, *edits):
    data = copy.deepcopy(recorded(case))
    for edit in edits:
        edit(data)
    found = grade_one(Snapshot(data), EXERCISES[case[:3]])
    return found.verdict, found.finding.id if found.finding else ""


def answer(data):
    (request,) = [key for key in data["answers"] if "hparams" in key]
    return request, data["answers"][request]


def refused(status):
    def edit(data):
        request, _ = answer(data)
        del data["answers"][request]
        data["missing"][f"answer {request}"] = {"status": status, "message": "no"}

    edit.__name__ = f"refused_{status}"
    return edit


def rewritten(pattern, by):
    """An edit of what TensorBoard has answered."""

    def edit(data):
        request, given = answer(data)
        body = re.sub(pattern, by, given["body"])
        assert body != given["body"]
        data["answers"][request]["body"] = body

    edit.__name__ = f"{pattern} is {by}"
    return edit


def just_ended(data):
    """The moment after the last training."""
    data["taken"] = max(job["status"]["completionTime"] for job in data["objects"]["tfjobs"])


def one_at_a_time(data):
    """Six trials, more than a minute after the last success, when the newest was suspended."""
    jobs = [job for job in data["objects"]["tfjobs"] if job["metadata"]["name"][-1] in "012345"]
    data["objects"]["tfjobs"] = jobs
    (newest,) = (job for job in jobs if job["metadata"]["name"].endswith("-5"))
    for condition in newest["status"]["conditions"]:
        if condition["type"] in ("Running", "Suspended"):
            condition["lastTransitionTime"] = "2026-11-26T11:26:50Z"
    data["taken"] = "2026-11-26T11:26:51Z"


def numbered_from_1(data):
    def next_one(match):
        return f"module7-ex2-{int(match[1]) + 1}"

    words = re.sub(r"module7-ex2-(\d+)(?=[\"/-])", next_one, json.dumps(data))
    data.clear()
    data.update(json.loads(words))


def without_one(data):
    jobs = data["objects"]["tfjobs"]
    data["objects"]["tfjobs"] = [j for j in jobs if j["metadata"]["name"] != "module7-ex2-4"]


def taken_long_after(data):
    data["taken"] = "2099-01-01T00:00:00Z"


def board_is_not_ready(data):
    for item in data["objects"]["deployments"]:
        for condition in item["status"]["conditions"]:
            condition["status"] = "False" if condition["type"] == "Available" else "True"


def no_pods(data):
    data["objects"]["pods"] = []


def started_by(line):
    """An edit: the painter's options stand behind this line, a list or the text of a shell."""

    def edit(data):
        objects = data["objects"]
        specs = [job["spec"]["replicaSpecs"][0]["template"]["spec"] for job in objects["tfjobs"]]
        specs += [pod["spec"] for pod in objects["pods"]]
        for container in (container for spec in specs for container in spec["containers"]):
            if "painting.train" in container.get("command", []):
                container["command"] = line
            if isinstance(line, str):
                options = " ".join(container.pop("args", []))
                container["command"] = ["sh", "-c", f"{line} {options}"]

    return edit


NO_ROWS = rewritten(r"sessionGroups", "nothing")
OTHER_TIMES = rewritten(r'"wallTimeSecs": \d', '"wallTimeSecs": 9')
OTHER_LOSS = rewritten(r'"value": 0\.0', '"value": 0.5')


@pytest.mark.parametrize(
    ("case", "edits", "verdict", "id"),
    [
        pytest.param("7.1-solution", [], DONE, "", id="nothing edited"),
        pytest.param("7.1-solution", [started_by(["python", "-u", "-m", "painting.train"])], DONE,
                     "", id="an option of python"),
        pytest.param("7.1-solution", [started_by("exec python -m painting.train")], DONE, "",
                     id="a shell"),
        pytest.param("7.1-solution", [started_by("nohup python -m painting.train")], UNCLEAR,
                     "each.program.unclear", id="a shell's script that cannot be read"),
        pytest.param("7.1-solution", [refused(403)], UNCLEAR, "hparams.forbidden", id="no right"),
        pytest.param("7.1-solution", [refused(503)], CONVERGING, "hparams.silent", id="silent"),
        pytest.param("7.1-solution", [NO_ROWS, just_ended], CONVERGING, "hparams.missing",
                     id="TensorBoard has not read the folders yet"),
        pytest.param("7.1-solution", [NO_ROWS, taken_long_after], WRONG, "hparams.missing",
                     id="TensorBoard has no rows"),
        pytest.param("7.1-solution", [OTHER_LOSS, taken_long_after], WRONG, "hparams.other-run",
                     id="another loss"),
        pytest.param("7.1-solution", [OTHER_TIMES, taken_long_after], WRONG, "hparams.other-run",
                     id="folders copied from another time"),
        pytest.param("7.1-solution", [no_pods], UNCLEAR, "painted", id="the Pods are gone"),
        pytest.param("7.2-solution", [no_pods], UNCLEAR, "painted", id="no Pods of a search"),
        pytest.param("7.2-few-trials", [just_ended], CONVERGING, "trials.next",
                     id="between two trials"),
        pytest.param("7.2-solution", [one_at_a_time], CONVERGING, "trials.next",
                     id="one at a time, after a trial that was suspended"),
        pytest.param("7.2-solution", [numbered_from_1], DONE, "", id="trials counted from 1"),
        pytest.param("7.2-solution", [numbered_from_1, without_one], WRONG, "trials.deleted",
                     id="of these one is gone"),
    ],
)  # fmt: skip
def test_what_is_said_of_an_edited_sweep(case, edits, verdict, id):
    found, said = judged(case, *edits)
    assert (found, said[: len(id)]) == (verdict, id)


@pytest.mark.parametrize(
    ("case", "edits"),
    [
        pytest.param("7.1-one-folder", [], id="all runs in one folder"),
        pytest.param("7.1-solution", [NO_ROWS, taken_long_after], id="TensorBoard has no rows"),
        pytest.param("7.1-solution", [OTHER_LOSS, taken_long_after], id="another loss"),
    ],
)  # fmt: skip
def test_a_claim_with_files_of_earlier_runs_goes_between_two_releases(case, edits):
    data = recorded(case)
    for edit in edits:
        edit(data)
    fix = grade_one(Snapshot(data), EXERCISES["7.1"]).finding.fix
    *_, uninstall, claim, install = fix
    assert uninstall.startswith("$ helm uninstall")
    assert "claim module7-runs" in claim
    assert "as the page says" in claim
    assert install.startswith("$ helm upgrade")


def test_a_board_that_does_not_run_is_diagnosed_where_it_is_silent():
    _, said = judged("7.1-solution", refused(503), board_is_not_ready)
    assert said.startswith("hparams.")
    assert said != "hparams.silent"


@pytest.mark.parametrize(
    ("case", "words"),
    [
        pytest.param("7.1-solution", "of 9: rate 0.01 with 7 layers, loss 0.00050.", id="a grid"),
        pytest.param("7.2-solution", "steps instead of 20,000.", id="a search"),
    ],
)  # fmt: skip
def test_what_came_of_it_is_said_in_a_sentence(case, words):
    assert grade_one(Snapshot(recorded(case)), EXERCISES[case[:3]]).said.endswith(words)


def commands(act, case, number):
    chosen, data = [EXERCISES[number]], Snapshot(recorded(case))
    if act == "reset":
        made = actions.reset_commands(data, chosen, False)
    else:
        made, _ = actions.solve_commands(data, chosen, Path("."))
    return [" ".join(words).replace(f"{actions.CHECKOUT}/", "") for words in made]


def test_reset_deletes_the_release_and_then_the_claim():
    assert commands("reset", "7.1-solution", "7.1") == [
        "helm uninstall --wait module7-ex1",
        "kubectl delete pvc module7-runs --ignore-not-found",
    ]


def test_reset_deletes_the_trials_by_their_label():
    assert commands("reset", "7.2-solution", "7.2") == [
        "kubectl delete tfjobs --selector=sweep=module7-ex2"
    ]


def test_solve_runs_the_search():
    assert commands("solve", "7.2-nothing-made", "7.2") == [
        "python modules/7-hyper-param-sweeping/solution/search.py"
    ]


def test_on_a_cluster_without_gpus_solve_asks_for_none(monkeypatch):
    monkeypatch.setattr(actions, "_gpus", lambda cluster: {})
    assert commands("solve", "7.1-nothing-made", "7.1")[0].endswith("--set useGPU=false")
    assert commands("solve", "7.2-nothing-made", "7.2")[0].endswith("--no-gpu")
