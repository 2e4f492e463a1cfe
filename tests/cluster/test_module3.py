"""Module 3 on the real cluster: starters, solutions and some mistakes, each with its finding."""

import pytest

from tests.validator import stage
from tests.validator.cases_module3 import MODULE3

LIVE = [pytest.param(case, id=case.title) for case in MODULE3 if case.live]


@pytest.mark.parametrize("case", LIVE)
def test_what_a_learner_makes_gets_its_finding(cluster, case):
    with stage.played(cluster, case) as where:
        stage.apply(cluster, case, where)
        answer = stage.ask(cluster, case, where)
    assert stage.fits(case, answer.grade), str(answer)
    assert answer.accused == set()
