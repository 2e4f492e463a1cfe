"""The validator on the real cluster: what learners make, each with its verdict and its finding.

First the operator's installations, one after the other; then the mistakes of modules
5 and 6, side by side, each in a namespace of its own; then solve, watch and reset.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import OPERATOR_NAMESPACE
from tests.validator import stage
from tests.validator.cases import MODULE5, MODULE6, OPERATOR

VALIDATOR = (sys.executable, "-m", "validator")
# What the scheduler and two cores take at a time without one training starving another.
SIDE_BY_SIDE = 4
PLAYED = sorted(
    (case for case in (*MODULE5, *MODULE6) if case.live),
    key=lambda case: (not case.trains, case.exercise != "6.2"),
)
INSTALLED = [case for case in OPERATOR if case.live]


def params(cases):
    return [pytest.param(case, id=case.title) for case in cases]


@pytest.fixture(autouse=True)
def progress_elsewhere(cluster, tmp_path, monkeypatch):
    """What the tests do is no progress of the learner's."""
    monkeypatch.setitem(cluster.env, "WORKSHOP_PROGRESS", str(tmp_path / "progress.json"))


@pytest.fixture(scope="module")
def no_operator(cluster):
    """A cluster without the operator; the CRD may be there, as Helm never removes it."""
    for namespace in (OPERATOR_NAMESPACE, "default"):
        where = ("--namespace", namespace, "--ignore-not-found", "--wait")
        cluster.run("helm", "uninstall", "tf-job", *where)
    cluster.kubectl("create", "namespace", OPERATOR_NAMESPACE, check=False)
    return cluster


@pytest.mark.parametrize("case", params(INSTALLED))
def test_each_way_to_install_the_operator(no_operator, case):
    """In this order: each starts from what the one before left."""
    with stage.played(no_operator, case) as where:
        answer = stage.ask(no_operator, case, where)
    assert stage.fits(case, answer.grade), str(answer)


@pytest.fixture(scope="module")
def answers(cluster, operator_release):
    """What the validator said of each case; all are played at once, the longest first."""

    def play(case):
        with stage.played(cluster, case) as where:
            stage.apply(cluster, case, where)
            return stage.ask(cluster, case, where)

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return dict(zip(PLAYED, pool.map(play, PLAYED), strict=True))


@pytest.mark.parametrize("case", params(PLAYED))
def test_what_a_learner_makes_gets_its_verdict_and_its_finding(answers, case):
    answer = answers[case]
    assert stage.fits(case, answer.grade), str(answer)
    assert answer.accused == set()


def test_solve_check_and_reset(cluster, operator_release, namespace):
    """What the commands do by themselves, as a learner who gave up would use them."""
    where = ("--namespace", namespace)
    exercise = ("module5", "--exercise", "1")
    asked = cluster.run(*VALIDATOR, "solve", *exercise, *where, check=False, input="\n")
    assert "Go on? [y/N]" in asked.stdout
    assert cluster.kubectl("get", "tfjobs", *where, "-o", "name").stdout == ""
    cluster.run(*VALIDATOR, "solve", *exercise, "--yes", *where)
    watch = (*VALIDATOR, *exercise, "--watch", *where)
    watched = cluster.run(*watch, check=False, timeout=stage.TRAINING_SECONDS)
    assert watched.returncode == 0, watched.stdout
    cluster.run(*VALIDATOR, "reset", "module5", *where, input="n\n")
    assert "module5-ex1" in cluster.kubectl("get", "tfjobs", *where, "-o", "name").stdout
    cluster.run(*VALIDATOR, "reset", "module5", "--operator", "--yes", *where)
    assert cluster.kubectl("get", "tfjobs", *where, "-o", "name").stdout == ""
    found = cluster.run(*VALIDATOR, *exercise, *where, check=False)
    assert found.returncode == 3
    # It is in another namespace, so it is not this learner's to uninstall.
    assert cluster.kubectl("get", "deployment", "tf-job-operator", "-n", OPERATOR_NAMESPACE)


def test_watch_sees_what_another_terminal_does(cluster, operator_release, namespace):
    command = [*VALIDATOR, "module5", "--exercise", "1", "--watch", "--namespace", namespace]
    watching = subprocess.Popen(
        command, env=cluster.env, cwd=stage.CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    before = next(line for line in watching.stdout if "not started" in line)
    manifest = "tests/validator/mistakes/5.1-fifty-steps.yaml"
    cluster.kubectl("apply", "-n", namespace, "-f", manifest)
    said, _ = watching.communicate(timeout=60)
    assert watching.returncode == 1
    assert "--max-steps is 50" not in before
    assert "--max-steps is 50" in said


def test_reset_uninstalls_the_operator_of_ones_own_when_it_is_told_to(cluster, operator_release):
    where = ("--namespace", OPERATOR_NAMESPACE)
    cluster.run(*VALIDATOR, "reset", "module5", "--yes", *where)
    assert cluster.kubectl("get", "deployment", "tf-job-operator", *where)
    cluster.run(*VALIDATOR, "reset", "module5", "--operator", "--yes", *where)
    gone = cluster.kubectl("get", "deployment", "tf-job-operator", *where, check=False)
    assert gone.returncode != 0
