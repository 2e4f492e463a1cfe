"""What holds for all recorded worlds together: no harm, no wrong accusation, no idle check.

Each world is graded against every exercise, not only against the one that its
learner is at; and again as it looks later, when events have expired and what
is around the learner's work has changed.
"""

from __future__ import annotations

import copy
import json
import re
import shlex
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from tests.validator.all_cases import ALL
from tests.validator.cases import OPERATOR
from tests.validator.recorded_worlds import without_gpus
from validator import exercises  # noqa: F401 (registers the checks)
from validator.engine import EXERCISES, grade, grade_one
from validator.redaction import redact
from validator.snapshot import Snapshot, is_true, name_of, text
from validator.verdicts import Verdict

NUMBERS = sorted(EXERCISES)
PLAYED = sorted({case.exercise for case in ALL})
PROGRAMS = {"kubectl", "helm", "python", "sh", "test", "docker"}
# Verbs of kubectl whose object has no namespace, or which need none.
EVERYWHERE = {"cluster-info", "config", "api-resources", "uncordon"}
CLUSTER_WIDE = {"nodes", "node", "namespace", "namespaces", "crd", "storageclass"}
CLUSTER_WIDE |= {"priorityclass", "priorityclasses", "deviceclasses", "resourceslices"}
FORGETFUL = ("delete", "uninstall", "scale", "patch")
WORLDS = [pytest.param(case, id=case.title) for case in ALL]
DONE = [pytest.param(case, id=case.title) for case in ALL if case.verdict is Verdict.DONE]


@cache
def recorded(case):
    return json.loads(case.snapshot.read_text())


@cache
def graded(case):
    """The grades of a world by exercise."""
    grades = grade(Snapshot(recorded(case)), NUMBERS)
    return {each.exercise.number: each for each in grades}


def commands(case):
    """(exercise, command) of every fix that this world gets, of whatever exercise."""
    for number, each in graded(case).items():
        for step in each.finding.fix if each.finding else ():
            if step.startswith("$ "):
                yield number, step[2:]


@pytest.mark.parametrize("case", WORLDS)
def test_no_other_exercise_is_called_wrong(case):
    """Of the operator's worlds, 5.0 is played as well: they are set up by its mistakes."""
    played = {case.exercise, "5.0"} if case in OPERATOR else {case.exercise}
    others = {number: each for number, each in graded(case).items() if number not in played}
    assert {n: g.finding.id for n, g in others.items() if g.verdict is Verdict.WRONG} == {}


@pytest.mark.parametrize("case", WORLDS)
def test_every_command_of_a_fix_can_be_pasted(case):
    for _, command in commands(case):
        words = shlex.split(command)
        assert words[0] in PROGRAMS, command
        assert not {"|", ">", ";", "&&"} & set(words), command
        assert "$(" not in command, command
        if words[0] in ("kubectl", "helm") and _needs_namespace(words):
            assert any(w.startswith("--namespace=") for w in words), command


def _needs_namespace(words):
    named = [word for word in words[1:] if not word.startswith("-")]
    if words[0] == "helm":
        return True
    if named[0] in EVERYWHERE or {"--all-namespaces", "--raw"} & set(words):
        return False
    return named[1:2] == [] or named[1].partition("/")[0] not in CLUSTER_WIDE


@pytest.mark.parametrize("case", WORLDS)
def test_nobody_is_told_to_delete_what_is_not_this_exercises(case):
    """Its own object, one in its way under its name, or a Pod of its own: no other is deleted."""
    space = recorded(case)["namespace"]
    for number, command in commands(case):
        words = shlex.split(command)
        if words[0] not in ("kubectl", "helm") or not set(words) & set(FORGETFUL):
            continue
        if number == "5.0":
            assert "tf-job" in command, command
            continue
        if case.exercise == "5.0" or "tf-job" in words or "deployment/tf-job-operator" in words:
            # Blocked: how to repair the operator, where it is.
            assert "blocked" in graded(case)[number].verdict.value, command
            continue
        assert f"--namespace={space}" in words, command
        target = _target(words)
        own = EXERCISES[number].subject.name
        further = {name for _, name in EXERCISES[number].also}
        assert target == own or target.startswith(f"{own}-") or target in further, command
        assert not _is_bound(recorded(case), target), command
        assert number == case.exercise, command


@pytest.mark.parametrize(
    ("number", "check"),
    [pytest.param(n, c.id, id=f"{n} {c.id}") for n in PLAYED for c in EXERCISES[n].checks],
)
def test_without_a_check_a_recorded_world_is_judged_otherwise(number, check):
    each = EXERCISES[number]
    poorer = replace(each, checks=[c for c in each.checks if c.id != check])
    worlds = [recorded(case) for case in ALL if case.exercise == number]
    if (number, check) in EDITED:
        worlds.append(edited_solution(number, EDITED[number, check]))
    assert any(
        _said(grade_one(Snapshot(world), poorer)) != _said(grade_one(Snapshot(world), each))
        for world in worlds
    )


def edited_solution(number, edit):
    case = next(c for c in ALL if (c.exercise, c.name) == (number, "solution"))
    data = copy.deepcopy(recorded(case))
    edit(data)
    return data


def told_of_one_worker(data):
    """The chief's TF_CONFIG, as another operator might write it."""
    variables = [
        variable
        for pod in data["objects"]["pods"]
        for container in pod["spec"]["containers"]
        for variable in container.get("env", [])
        if variable["name"] == "TF_CONFIG"
    ]
    for variable in variables:
        config = json.loads(variable["value"])
        config["cluster"]["worker"].pop()
        variable["value"] = json.dumps(config)


def one_worker_took_all(data):
    """The other one was idle, though it was replaced in time."""
    for log in data["logs"].values():
        shares = re.findall(r"worker \d took (\d+) steps", log["head"] + log["tail"])
        for part in ("head", "tail"):
            log[part] = re.sub(r"(worker 1 took) \d+", r"\1 0", log[part])
            log[part] = re.sub(r"(worker 0 took) \d+", rf"\1 {sum(map(int, shares))}", log[part])


def read_another_model(data):
    """Another run has saved its model there since."""
    for name, log in data["logs"].items():
        if name.startswith("module5-ex2-reader"):
            log["head"] = log["head"].replace("test accuracy 0.8", "test accuracy 0.7")


def shows_another_run(data):
    for request, answer in data["answers"].items():
        if request.endswith("tag=loss"):
            answer["body"] = "[]"


def was_never_painted(data):
    """The last line of one log is missing."""
    name = next(name for name in data["logs"] if name.startswith("module7-ex2"))
    log = data["logs"][name]
    log["head"] = re.sub(r"painted /\S+", "", log["head"])


def gave_up_nearly_all(data):
    """All trials but the best are suspended, as those that were."""
    jobs = data["objects"]["tfjobs"]
    pruned = next(j for j in jobs if is_true(j, "Suspended"))
    for job in jobs:
        if text(job, "metadata", "labels", "best") != "true":
            job["status"], job["spec"]["runPolicy"] = pruned["status"], {"suspend": True}
            job["metadata"]["annotations"] = pruned["metadata"]["annotations"]


def painted_badly(data):
    """Every loss is larger by one."""
    for log in data["logs"].values():
        log["head"] = log["head"].replace("loss 0.", "loss 1.")


def has_no_version(data):
    for request, answer in data["answers"].items():
        if request.endswith("v1/models/fashion-mnist"):
            answer["body"] = answer["body"].replace("AVAILABLE", "END")


def lists_its_users(data):
    for request, answer in data["answers"].items():
        if request.endswith("/hub/api/users"):
            answer["status"] = 200


def leads_elsewhere(data):
    """The hub sends the user to its login page."""
    for request, answer in data["answers"].items():
        if request.endswith("/user/learner1/api"):
            answer["body"] = "<!DOCTYPE HTML>"


def began_early(data):
    for log in data["logs"].values():
        log["head"] = re.sub(r"resuming at step \d+ ", "resuming at step 33 ", log["head"])


def asked_for_fewer_steps(data):
    for log in data["logs"].values():
        for part in ("head", "tail"):
            log[part] = re.sub(r"step (\d+)/\d+", r"step \1/90", log[part])


def has_another_container(data):
    for tfjob in data["objects"]["tfjobs"]:
        for spec in tfjob["spec"]["replicaSpecs"]:
            spec["template"]["spec"]["containers"][0]["name"] = "training"


def has_a_number(data):
    for tfjob in data["objects"]["tfjobs"]:
        tfjob["spec"]["replicaSpecs"][0]["template"]["spec"]["containers"][0]["args"][1] = 1500


def found_nodes_one_by_one(data):
    pods = [p for p in data["objects"]["pods"] if "schedulingGroup" in p["spec"]]
    for condition in pods[0]["status"]["conditions"]:
        if condition["type"] == "PodScheduled":
            condition["lastTransitionTime"] = data["taken"]


# What no learner's mistake leads to, as far as we have seen: the solution, with one thing edited.
EDITED = {
    ("5.2", "same"): read_another_model,
    ("5.3", "board-shows"): shows_another_run,
    ("8.3", "locked"): lists_its_users,
    ("8.3", "route"): leads_elsewhere,
    ("9.1", "answers"): has_no_version,
    ("9.3", "args"): has_a_number,
    ("9.3", "container"): has_another_container,
    ("9.4", "container"): has_another_container,
    ("9.3", "resumed"): began_early,
    ("9.3", "trained"): asked_for_fewer_steps,
    ("9.4", "trained"): asked_for_fewer_steps,
    ("9.4", "together"): found_nodes_one_by_one,
    ("6.1", "tf-config"): told_of_one_worker,
    ("6.2", "tf-config"): told_of_one_worker,
    ("6.2", "workers"): one_worker_took_all,
    ("7.2", "painted"): was_never_painted,
    ("7.2", "whole"): gave_up_nearly_all,
    ("7.2", "good"): painted_badly,
}


def _said(grade):
    return grade.verdict, grade.finding.id if grade.finding else ""


def later(data):
    """The same world two hours later: its events have expired."""
    data["objects"]["events"] = []
    taken = Snapshot(data).taken + timedelta(hours=2)
    data["taken"] = taken.isoformat()
    for lease in data["operator"].get("leases", []):
        lease["spec"]["renewTime"] = taken.isoformat()


def without_operator(data):
    data["operator"] = {kind: [] for kind in data["operator"]}


def with_another_cloud(data):
    for config in data["operator"].get("configmaps", []):
        key = next(iter(config["data"]))
        config["data"][key] = config["data"][key].replace("/usr/lib/nvidia-384", "/home/kubernetes")


def without_nodes(data):
    data["objects"]["nodes"] = []


def without_the_right_to_read_nodes(data):
    del data["objects"]["nodes"]
    data["missing"]["nodes"] = {"status": 403, "message": "nodes is forbidden"}


def without_the_workers(data):
    """What the learner deletes, or the operator's cleanPodPolicy."""
    for kind in ("jobs", "pods"):
        items = data["objects"][kind]
        data["objects"][kind] = [i for i in items if not _is_worker(i)]


def _is_worker(item):
    return text(item, "metadata", "labels", "job_type") in ("WORKER", "PS")


def with_a_sweep_of_later_jobs(data):
    """Module 7: many more objects of the learner's, all newer."""
    for number in range(30):
        new = {"name": f"sweep-{number}", "creationTimestamp": data["taken"], "uid": f"u{number}"}
        data["objects"]["jobs"].append({"kind": "Job", "metadata": new, "status": {"active": 1}})


LATER = [
    without_operator,
    with_another_cloud,
    without_gpus,
    without_nodes,
    without_the_right_to_read_nodes,
    without_the_workers,
    with_a_sweep_of_later_jobs,
]
# What an exercise asks for, and so is not around it.
ASKED_FOR = {
    "5.0": {without_operator, with_another_cloud},
    "0.1": {without_nodes, without_the_right_to_read_nodes},
    "1.1": {without_nodes, without_the_right_to_read_nodes},
}
AROUND = [
    pytest.param(case, change, id=f"{case.title} {change.__name__}")
    for case in ALL
    for change in LATER
    if case.verdict is Verdict.DONE and change not in ASKED_FOR.get(case.exercise, ())
]


@pytest.mark.parametrize("case", DONE)
def test_what_is_done_is_done_two_hours_later(case):
    assert _after(case, later) is Verdict.DONE


@pytest.mark.parametrize(("case", "change"), AROUND)
def test_what_is_done_stays_done_whatever_changes_around_it(case, change):
    assert _after(case, change) is Verdict.DONE
    assert _after(case, later, change) is Verdict.DONE


def _after(case, *changes):
    data = copy.deepcopy(recorded(case))
    for change in changes:
        change(data)
    return grade_one(Snapshot(data), EXERCISES[case.exercise]).verdict


def test_a_worker_that_came_back_after_the_end_was_not_replaced():
    """Its new Pod was made in time, and did not run: seen with 300 steps."""

    def ended_before(data):
        (tfjob,) = data["objects"]["tfjobs"]
        for condition in tfjob["status"]["conditions"]:
            if condition["type"] == "Restarting":
                condition.update(status="False", reason="Finished", message="The job has ended")

    found = grade_one(Snapshot(edited_solution("6.2", ended_before)), EXERCISES["6.2"])
    assert _said(found) == (Verdict.WRONG, "replaced.not-back")


@pytest.mark.parametrize("case", WORLDS)
def test_what_is_not_done_is_not_done_two_hours_later(case):
    if case.verdict is not Verdict.DONE:
        assert _after(case, later) is not Verdict.DONE


@pytest.mark.parametrize("case", WORLDS)
def test_redaction_changes_no_verdict(case):
    again = grade(Snapshot(redact(copy.deepcopy(recorded(case)))), NUMBERS)
    assert list(map(_said, again)) == [_said(graded(case)[n]) for n in NUMBERS]


@pytest.mark.parametrize("case", WORLDS)
def test_the_file_holds_only_what_belongs_to_its_learner(case):
    data = recorded(case)
    kinds = ("pods", "containers")
    names = {name_of(item) for kind in kinds for item in data["objects"].get(kind, [])}
    assert {key.partition("/")[0] for key in data["logs"]} <= names
    assert "docker" + ".io" not in json.dumps(data)


def _is_bound(data, name):
    """Whether it is a claim that may hold data."""
    claims = data["objects"].get("persistentvolumeclaims", [])
    return any(name_of(c) == name and text(c, "status", "phase") == "Bound" for c in claims)


def _target(words):
    """What a command deletes or changes: helm VERB NAME, kubectl VERB KIND NAME or KIND/NAME.

    A search's TfJobs are deleted by their label, whose value is the search's name.
    """
    sweep = next((word for word in words if word.startswith("--selector=sweep=")), "")
    if sweep:
        return sweep.rpartition("=")[2]
    named = [word for word in words[2:] if not word.startswith("-")]
    alone = words[0] == "helm" or "/" in named[0]
    return named[0 if alone else 1].rpartition("/")[2]
