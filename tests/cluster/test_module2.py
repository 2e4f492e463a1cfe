"""Module 2 on the real cluster: mistakes with a Job and with a Service, and the given solution."""

import pytest

from tests.cluster.waits import wait_until
from tests.validator import stage
from tests.validator.cases_module2 import MODULE2
from validator import actions
from validator import cluster as reader
from validator.engine import EXERCISES, grade_one
from validator.kubeconfig import connect
from validator.snapshot import Snapshot
from validator.verdicts import Verdict

LIVE = [pytest.param(case, id=case.title) for case in MODULE2 if case.live]


@pytest.mark.parametrize("case", LIVE)
def test_what_a_learner_makes_gets_its_finding(cluster, case):
    with stage.played(cluster, case) as where:
        stage.apply(cluster, case, where)
        answer = stage.ask(cluster, case, where)
    assert stage.fits(case, answer.grade), str(answer)


def test_solve_takes_the_steps_of_the_exercise_and_reset_undoes_them(cluster, namespace, tmp_path):
    where = connect(str(cluster.kubeconfig), None, namespace)
    each = EXERCISES["2.2"]

    def look():
        return Snapshot(reader.read(where, [each]))

    solve, _ = actions.solve_commands(look(), [each], tmp_path)
    actions.run_all(solve, look(), where, print)
    # The server's Pod may take a moment until it answers.
    wait_until(lambda: grade_one(look(), each).verdict is not Verdict.CONVERGING)
    assert grade_one(look(), each).verdict is Verdict.DONE
    reset = actions.reset_commands(look(), [each], with_operator=False)
    actions.run_all(reset, look(), where, print)
    left = cluster.kubectl("get", "deployments,services", "--namespace", namespace, "-o", "name")
    assert left.stdout == ""
