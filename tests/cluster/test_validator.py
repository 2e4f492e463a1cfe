"""The validator on the real cluster: starter, solution and every mistake, each with its verdict.

First without an operator, then with it. Trainings run side by side, each in a
namespace of its own.
"""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import OPERATOR_NAMESPACE
from tests.validator import stage
from tests.validator.cases import BLOCKED, DISTRIBUTED, OPERATOR, TRAINING

VALIDATOR = (sys.executable, "-m", "validator")
# What the scheduler and two cores take at a time without one training starving another.
SIDE_BY_SIDE = 4
SOLUTION = "modules/5-tfjob/solution/exercise-1.yaml"
CAN_NOT_CHECK = 6
TOGETHER = [case for case in (*TRAINING, *DISTRIBUTED) if not case.alone]


@pytest.fixture(scope="module")
def no_operator(cluster):
    """A cluster without the operator; the CRD may be there, as Helm never removes it."""
    for namespace in (OPERATOR_NAMESPACE, "default"):
        where = ("--namespace", namespace, "--ignore-not-found", "--wait")
        cluster.run("helm", "uninstall", "tf-job", *where)
    left = ("tfjob", "module5-ex1", "--namespace", "default", "--ignore-not-found")
    cluster.kubectl("delete", *left, check=False)
    cluster.kubectl("create", "namespace", OPERATOR_NAMESPACE, check=False)
    return cluster


def test_without_an_operator_the_exercise_is_blocked(no_operator):
    with stage.played(no_operator, BLOCKED) as namespace:
        stage.expect(BLOCKED, stage.ask(no_operator, BLOCKED, namespace))


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in OPERATOR])
def test_each_way_to_install_the_operator(no_operator, case):
    """In this order: each starts from what the one before left."""
    for command in case.commands:
        no_operator.run(*command, "--namespace", OPERATOR_NAMESPACE)
    stage.expect(case, stage.ask(no_operator, case, OPERATOR_NAMESPACE))


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in TRAINING if c.alone])
def test_what_is_judged_by_other_namespaces(cluster, operator_release, case):
    with stage.played(cluster, case) as namespace:
        stage.expect(case, stage.ask(cluster, case, namespace))


@pytest.fixture(scope="module")
def answers(cluster, operator_release):
    """What the validator said of each case, by its name; all played at once."""

    def play(case):
        with stage.played(cluster, case) as namespace:
            return stage.ask(cluster, case, namespace)

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return dict(zip(TOGETHER, pool.map(play, TOGETHER), strict=True))


@pytest.mark.parametrize("case", [pytest.param(c, id=c.snapshot.stem) for c in TOGETHER])
def test_each_manifest_gets_its_verdict_and_its_hint(answers, case):
    stage.expect(case, answers[case])


def test_solve_check_and_reset(cluster, operator_release, namespace):
    """What the commands do by themselves, as a learner who gave up would use them."""
    where = ("--namespace", namespace)
    cluster.run(*VALIDATOR, "solve", "module5", "--exercise", "1", "--yes", *where)
    watched = cluster.run(
        *VALIDATOR, "module5", "--watch", *where, check=False, timeout=stage.PATIENCE_SECONDS
    )
    assert watched.returncode == 0, watched.stdout
    cluster.run(*VALIDATOR, "reset", "module5", *where)
    assert cluster.kubectl("get", "tfjobs", *where, "-o", "name").stdout == ""
    found = cluster.run(*VALIDATOR, "module5", "--exercise", "1", *where, check=False)
    assert found.returncode == 3
    assert cluster.kubectl("get", "deployment", "tf-job-operator", "-n", OPERATOR_NAMESPACE)


@pytest.fixture
def learner(cluster, namespace):
    """A kubeconfig of a service account that is bound to validator/rbac.yaml, and no more."""
    cluster.kubectl("apply", "-n", namespace, "-f", "validator/rbac.yaml")
    cluster.kubectl("create", "serviceaccount", "ann", "-n", namespace)
    who = f"--serviceaccount={namespace}:ann"
    role = "tfjob-workshop-validator"
    cluster.kubectl("create", "rolebinding", "ann", f"--role={role}", who, "-n", namespace)
    token = cluster.kubectl("create", "token", "ann", "-n", namespace).stdout.strip()
    config = json.loads(cluster.kubectl("config", "view", "--raw", "-o", "json").stdout)
    config["users"][0]["user"] = {"token": token}
    path = cluster.kubeconfig.parent / f"ann-{namespace}"
    path.write_text(json.dumps(config))
    binding = f"validator-{namespace}"

    def bind_everywhere():
        cluster.kubectl("create", "clusterrolebinding", binding, f"--clusterrole={role}", who)

    yield path, bind_everywhere
    path.unlink()
    cluster.kubectl("delete", "clusterrolebinding", binding, "--ignore-not-found")


def test_the_given_rights_are_enough(cluster, operator_release, namespace, learner):
    kubeconfig, bind_everywhere = learner
    where = ("--namespace", namespace, "--kubeconfig", str(kubeconfig), "--output", "json")

    def notes():
        return json.loads(cluster.run(*VALIDATOR, *where).stdout)["notes"]

    # The operator is in a namespace that the Role says nothing about.
    alone = cluster.run(*VALIDATOR, "module5", "--exercise", "0", *where, check=False)
    assert alone.returncode == CAN_NOT_CHECK
    assert "nodes" in notes()[0]
    assert "jobs" not in notes()[0].replace("tfjobs", "")
    bind_everywhere()
    assert notes() == []
    both = cluster.run(*VALIDATOR, "module5", *where, check=False)
    verdicts = [e["verdict"] for e in json.loads(both.stdout)["exercises"]]
    assert verdicts == ["done", "not started"]


def test_nothing_but_reads_is_allowed_by_the_given_rights(cluster):
    shown = cluster.kubectl("apply", "--dry-run=client", "-o", "json", "-f", "validator/rbac.yaml")
    documents = json.loads(shown.stdout)["items"]
    verbs = {verb for one in documents for rule in one["rules"] for verb in rule["verbs"]}
    assert verbs <= {"get", "list"}


def test_watch_sees_what_another_terminal_does(cluster, operator_release, namespace):
    command = [*VALIDATOR, "module5", "--exercise", "1", "--watch", "--namespace", namespace]
    watching = subprocess.Popen(command, env=cluster.env, stdout=subprocess.PIPE, text=True)
    time.sleep(2)
    manifest = "tests/validator/mistakes/5.1-fifty-steps.yaml"
    cluster.kubectl("apply", "-n", namespace, "-f", manifest)
    said, _ = watching.communicate(timeout=60)
    assert watching.returncode == 1
    assert said.index("not started") < said.index("--max-steps 50")
