"""Helm releases: near misses, states, values in effect, the newest Job; and what is no release."""

import json
from functools import cache

import pytest

from tests.validator import world
from tests.validator.cases_module4 import CHEATS, MODULE4
from tests.validator.stage import fits
from tests.validator.world import spoiled
from validator.checks import (
    deployed,
    ends_well,
    in_effect,
    installed,
    job_labels,
    job_takes,
    makes_a_job,
    newest_deployment,
    newest_job,
    ready,
    upgraded,
)
from validator.checks.release_objects import service_port, window_title
from validator.checks.releases import INSTANCE, MANAGED_BY, Chart
from validator.engine import EXERCISES, Exercise, grade_one
from validator.exercises import module4
from validator.snapshot import Snapshot
from validator.verdicts import Verdict

WRONG, DONE, CONVERGING = Verdict.WRONG, Verdict.DONE, Verdict.CONVERGING
NOT_STARTED, COULD_NOT = Verdict.NOT_STARTED, Verdict.COULD_NOT_CHECK
CHART = Chart("mine", "{checkout}/chart", "title=Hello you", "steps=100")
COMMAND = "$ helm upgrade --install mine {checkout}/chart --set 'title=Hello you' --set steps=100"
START = installed("Install it.")


def judged(*checks, of, changes=()):
    each = Exercise("9.9", "t", "9-x#y", CHART, checks)
    return grade_one(spoiled(*changes, of=of), each)


def said(*checks, of, changes=()):
    grade = judged(*checks, of=of, changes=changes)
    return grade.verdict, grade.finding.id if grade.finding else ""


def secret(revision=1, status="deployed", name="mine", at="2026-01-31T11:50:00Z"):
    made = world.helm_secret(name, revision, status)
    made["metadata"]["creationTimestamp"] = at
    return made


def job(name="mine-2", at="2026-01-31T11:55:00Z", mark="mine", labels=None, **container):
    made = world.job(name, None, world.condition("Complete"))
    own = {INSTANCE: "mine", MANAGED_BY: "Helm"} if labels is None else labels
    made["metadata"].update(creationTimestamp=at, labels=own)
    made["spec"]["template"]["spec"]["containers"] = [world.container(**container)]
    return world.of_release(made, mark) if mark else made


def released(*secrets, **objects):
    return world.cluster_with(helm=list(secrets), **objects)


BY_HAND = world.deployment("mine")
OTHERS = world.of_release(world.deployment("minE"), "minE")
OTHERS["metadata"]["labels"] = {INSTANCE: "min-e", MANAGED_BY: "Helm"}
GOING = {**BY_HAND, "metadata": {**BY_HAND["metadata"], "deletionTimestamp": world.BEGAN}}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(released(secret()), (DONE, ""), id="there"),
        pytest.param(released(), (NOT_STARTED, "exists.none"), id="nothing"),
        pytest.param(
            released(deployments=[BY_HAND]), (WRONG, "exists.no-release.deployments"),
            id="a Deployment that Helm did not make",
        ),
        pytest.param(
            released(jobs=[job("mine", mark="")]), (WRONG, "exists.no-release.jobs"),
            id="a Job that Helm did not make",
        ),
        pytest.param(
            released(deployments=[GOING]), (NOT_STARTED, "exists.none"),
            id="a Deployment that is going, after `helm uninstall`",
        ),
        pytest.param(
            released(secret(name="m-ine")), (WRONG, "exists.name.separators"), id="a hyphen"
        ),
        pytest.param(
            released(secret(name="mines")), (WRONG, "exists.name.misspelled"), id="a letter more"
        ),
        pytest.param(
            released(deployments=[OTHERS]), (WRONG, "exists.name.separators"),
            id="by the labels of what it made",
        ),
        pytest.param(
            released(secret(name="yours")), (NOT_STARTED, "exists.none"), id="another release"
        ),
        pytest.param(
            released(secret(name="module4-ex1")), (NOT_STARTED, "exists.none"),
            id="the release of another exercise",
        ),
        pytest.param(
            released(secret(2, "uninstalled")), (NOT_STARTED, "exists.uninstalled"),
            id="uninstalled, and its history kept",
        ),
    ],
)  # fmt: skip
def test_whether_there_is_a_release(data, expected):
    assert said(START, of=data) == expected


def test_without_the_right_to_see_helms_secrets_nobody_is_accused():
    forbidden = released(deployments=[BY_HAND])
    assert said(START, of=forbidden, changes=[world.forbid("helm")])[0] is COULD_NOT


@pytest.mark.parametrize(
    ("data", "expected", "fix"),
    [
        pytest.param(released(secret()), (DONE, ""), "", id="deployed"),
        pytest.param(
            released(secret(), secret(2, "superseded"), secret(10)), (DONE, ""), "",
            id="the tenth revision is newer than the second",
        ),
        pytest.param(
            released(secret(1, "pending-install")), (CONVERGING, "release.pending-install"),
            "helm uninstall --wait mine", id="an install has nothing to roll back to",
        ),
        pytest.param(
            released(secret(), secret(2, "pending-upgrade")), (CONVERGING, "release.pending"),
            "helm rollback mine", id="an upgrade has",
        ),
        pytest.param(
            released(secret(1, "failed")), (WRONG, "release.failed"), "Install it again",
            id="the install failed",
        ),
        pytest.param(
            released(secret(), secret(2, "failed"), jobs=[job("mine-1")]),
            (WRONG, "release.upgrade-failed"), "Upgrade it again", id="the upgrade failed",
        ),
        pytest.param(
            released(secret(), secret(2, "failed"), jobs=[job("mine")]),
            (WRONG, "release.fixed-name"), ".Release.Revision", id="for the name of its Job",
        ),
        pytest.param(
            released(secret(1, "failed"), jobs=[job("mine")]), (WRONG, "release.failed"),
            "Install it again", id="not so for the first revision",
        ),
    ],
)  # fmt: skip
def test_whether_it_is_deployed(data, expected, fix):
    grade = judged(START, deployed(), of=data)
    finding = grade.finding
    assert (grade.verdict, finding.id if finding else "") == expected
    assert not finding or fix in finding.next_step


def with_args(*args, mark="mine"):
    made = world.deployment("mine")
    container = made["spec"]["template"]["spec"]["containers"][0]
    container.update(command=["tensorboard"], args=list(args))
    return world.of_release(made, mark)


TITLE = in_effect("title", "Hello you", "TensorBoard", "deployments", window_title)
PORT = in_effect("port", "8080", "80", "services", service_port)


@pytest.mark.parametrize(
    ("secrets", "title", "expected"),
    [
        pytest.param([secret()], "Hello you", (DONE, ""), id="as wanted"),
        pytest.param([secret()], "TensorBoard", (WRONG, "value.title.default"), id="the chart's"),
        pytest.param([secret(), secret(2)], "TensorBoard", (WRONG, "value.title.lost"), id="lost"),
        pytest.param([secret()], "Hello", (WRONG, "value.title.other"), id="another"),
    ],
)
def test_whether_a_value_is_in_effect(secrets, title, expected):
    data = released(*secrets, deployments=[with_args("--logdir=/x", f"--window_title={title}")])
    assert said(TITLE, of=data) == expected


def test_a_value_is_looked_for_only_in_what_the_release_made():
    by_hand = with_args("--window_title=Hello you", mark="yours")
    data = released(secret(), deployments=[by_hand])
    assert said(TITLE, of=data) == (WRONG, "value.title.none")


def test_the_port_of_a_service():
    service = world.of_release(world.service("mine", 8080), "mine")
    assert said(PORT, of=released(secret(), services=[service])) == (DONE, "")
    other = world.of_release(world.service("mine", 81), "mine")
    assert said(PORT, of=released(secret(), services=[other])) == (WRONG, "value.port.other")


HOOK = job("mine-1", mark="")
SERVER = world.of_release(world.deployment("web"), "mine")


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        pytest.param({"jobs": [job()]}, (DONE, ""), id="a Job"),
        pytest.param({"jobs": [HOOK]}, (WRONG, "jobs.none"), id="a hook is no part of it"),
        pytest.param({"deployments": [SERVER]}, (WRONG, "jobs.deployment"), id="a Deployment"),
    ],
)
def test_whether_it_made_a_job(objects, expected):
    assert said(makes_a_job(), of=released(secret(), **objects)) == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        pytest.param(None, (DONE, ""), id="as they should be"),
        pytest.param({MANAGED_BY: "Helm"}, (WRONG, "labels.missing"), id="none of the release"),
        pytest.param(
            {INSTANCE: "training", MANAGED_BY: "Helm"}, (WRONG, "labels.other"), id="another's"
        ),
        pytest.param({INSTANCE: "mine"}, (WRONG, "labels.missing"), id="not Helm's"),
    ],
)
def test_the_labels_of_the_newest_job(labels, expected):
    assert said(job_labels(), of=released(secret(), jobs=[job(labels=labels)])) == expected


EARLY, LATE = "2026-01-31T11:50:00Z", "2026-01-31T11:55:00Z"


@pytest.mark.parametrize(
    ("secrets", "jobs", "expected"),
    [
        pytest.param([secret(1)], [job()], (WRONG, "revision.first"), id="only installed"),
        pytest.param(
            [secret(1), secret(2, at=LATE)], [job(at=LATE)], (DONE, ""), id="made by the upgrade"
        ),
        pytest.param(
            [secret(1), secret(2, at=LATE)], [job(at=EARLY)], (WRONG, "revision.unchanged"),
            id="made before it",
        ),
        pytest.param(
            [secret(1), secret(2), secret(3, at=LATE)], [job(at=EARLY)], (DONE, ""),
            id="made by an earlier upgrade, and named after the steps",
        ),
        pytest.param(
            [secret(n, at=LATE) for n in range(5, 15)], [job(at=EARLY)], (DONE, ""),
            id="the first revisions are forgotten",
        ),
        pytest.param(
            [secret(1), secret(2, at=LATE)], [job("mine-2", LATE), job("mine-1", EARLY)],
            (DONE, ""), id="the newest Job counts, in whatever order",
        ),
    ],
)  # fmt: skip
def test_whether_it_was_upgraded(secrets, jobs, expected):
    assert said(upgraded(), of=released(*secrets, jobs=jobs)) == expected


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        pytest.param({"args": ["--max-steps", "100"]}, (DONE, ""), id="as wanted"),
        pytest.param({"args": ["--max-steps=100"]}, (DONE, ""), id="in one word"),
        pytest.param({"args": ["--max-steps", "50"]}, (WRONG, "steps.value"), id="another number"),
        pytest.param({"args": []}, (WRONG, "steps.missing"), id="no number"),
        pytest.param(
            {"args": ["--max-steps", "$(STEPS)"]}, (DONE, ""), id="a variable: the log decides"
        ),
        pytest.param(
            {"command": ["sh", "-c", "x"]}, (DONE, ""), id="another program: the log decides"
        ),
    ],
)
def test_how_many_steps_the_newest_job_takes(container, expected):
    data = released(secret(), jobs=[job(**container)])
    assert said(job_takes(100, "steps"), of=data) == expected


def test_a_fault_of_the_job_is_corrected_by_an_upgrade_and_not_by_kubectl():
    failed = job()
    failed["status"]["conditions"] = [world.condition("Failed", "True", "DeadlineExceeded")]
    finding = judged(*newest_job(ends_well()), of=released(secret(), jobs=[failed])).finding
    assert finding.id == "job.ends.failed.DeadlineExceeded"
    gone = judged(*newest_job(ends_well()), of=released(secret(), jobs=[job()])).finding
    assert gone.id == "job.ends.pods-gone.deleted"
    for fix in (finding.fix, gone.fix):
        assert COMMAND in fix
        assert not [step for step in fix if "kubectl" in step]


def test_a_deployment_of_the_release_is_judged_like_any():
    scaled = world.of_release(world.deployment("mine", replicas=0), "mine")
    data = released(secret(), deployments=[scaled])
    assert said(*newest_deployment(ready()), of=data) == (
        WRONG, "deployment.ready.scaled-to-zero",
    )  # fmt: skip
    assert said(*newest_deployment(ready()), of=released(secret())) == (
        WRONG, "deployment.ready.none",
    )  # fmt: skip


@pytest.mark.parametrize(
    "check",
    [*newest_job(ends_well()), makes_a_job(), job_labels(), upgraded(), job_takes(1, "n")],
    ids=lambda check: check.id,
)
def test_without_a_job_no_check_of_it_holds(check):
    assert said(check, of=released(secret(), secret(2))) == (WRONG, f"{check.id}.none")


def test_the_titles_are_sentences():
    (check,) = newest_job(ends_well())
    assert check.title == "Its newest Job: it has ended well."


# Recorded ones


@cache
def recorded(case):
    return json.loads(case.snapshot.read_text())


@pytest.mark.parametrize("case", MODULE4, ids=lambda case: case.title)
def test_a_recorded_case_gets_its_finding(case):
    assert fits(case, grade_one(Snapshot(recorded(case)), EXERCISES[case.exercise]))


@pytest.mark.parametrize("case", CHEATS, ids=lambda case: case.title)
def test_a_cheat_is_not_done(case):
    grade = grade_one(Snapshot(recorded(case)), EXERCISES[case.exercise])
    assert grade.verdict is not DONE
    assert fits(case, grade)


@pytest.mark.parametrize("number", ["4.1", "4.2"])
def test_no_two_cases_share_a_finding(number):
    ids = [case.id for case in MODULE4 if case.exercise == number and case.id]
    assert len(ids) == len(set(ids))


def test_a_forgery_without_a_fault_cannot_be_told():
    """Helm marks its objects with labels and annotations, which anyone can write."""
    name = "module4-ex1"
    made = world.of_release(world.deployment(name, world.condition("Available")), name)
    container = made["spec"]["template"]["spec"]["containers"][0]
    container.update(command=["tensorboard"], args=["--window_title=Hello MLADS"])
    made["status"].update(observedGeneration=1, updatedReplicas=1, readyReplicas=1)
    service = world.of_release(world.service(name, 8080), name)
    data = released(secret(name=name), deployments=[made], services=[service])
    answer = {"status": 200, "body": '{"window_title": "Hello MLADS"}'}
    data["answers"]["module4-ex1:8080/data/environment"] = answer
    assert grade_one(Snapshot(data), EXERCISES["4.1"]).verdict is DONE


def test_the_page_and_the_exercise_install_the_same():
    assert module4.TENSORBOARD.command in EXERCISES["4.1"].install
