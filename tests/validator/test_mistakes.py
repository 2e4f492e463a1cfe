"""Each recorded case, replayed offline against its own exercise: its verdict, its own finding."""

import json
from collections import Counter
from functools import cache

import pytest

from tests.validator.all_cases import ALL
from tests.validator.cases import MISTAKES, SNAPSHOTS
from tests.validator.stage import fits
from validator import exercises  # noqa: F401 (registers the checks)
from validator.engine import EXERCISES, grade_one
from validator.snapshot import Snapshot
from validator.verdicts import Verdict

LONGEST_SENTENCE = 500
FEWEST_MISTAKES = 6
CASES = [pytest.param(case, id=case.title) for case in ALL]
NUMBERS = sorted({case.exercise for case in ALL})


@cache
def world(case):
    return Snapshot(json.loads(case.snapshot.read_text()))


@cache
def replay(case):
    return grade_one(world(case), EXERCISES[case.exercise])


@pytest.mark.parametrize("case", CASES)
def test_a_recorded_case_gets_its_verdict_and_its_finding(case):
    assert fits(case, replay(case)), replay(case).finding


def test_no_two_mistakes_of_an_exercise_share_a_finding():
    mistakes = [case for case in ALL if case.verdict is not Verdict.CONVERGING]
    found = [(case.exercise, replay(case).finding.id) for case in mistakes if replay(case).finding]
    assert [each for each, count in Counter(found).items() if count > 1] == []


@pytest.mark.parametrize("number", NUMBERS)
def test_each_exercise_has_its_solution_and_enough_mistakes(number):
    mine = [case for case in ALL if case.exercise == number]
    assert any(case.verdict is Verdict.DONE and case.name == "solution" for case in mine)
    assert sum(case.verdict is Verdict.WRONG for case in mine) >= FEWEST_MISTAKES


def test_every_manifest_among_the_mistakes_is_played():
    played = {c.manifest.name for c in ALL if c.manifest and c.manifest.parent == MISTAKES}
    assert played == {path.name for path in MISTAKES.iterdir() if _is_ours(path)}


def test_every_recorded_world_is_a_case():
    assert {case.snapshot for case in ALL} == set(filter(_is_ours, SNAPSHOTS.glob("*.json")))


def _is_ours(path):
    return path.name.partition("-")[0] in NUMBERS


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_is_short_and_helps(case):
    finding = replay(case).finding
    if finding is None:
        return
    assert len(finding.found) < LONGEST_SENTENCE
    assert len(finding.wanted) < LONGEST_SENTENCE
    assert all(step.strip() for step in finding.fix)
    assert finding.page
