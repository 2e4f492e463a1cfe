"""Each recorded mistake, replayed offline: its verdict and its own hint."""

import json

import pytest

from tests.validator.cases import ALL, MISTAKES, TRAINING
from validator import exercises  # noqa: F401 (registers the checks)
from validator.engine import grade
from validator.redaction import redact
from validator.snapshot import Snapshot
from validator.verdicts import Verdict


def replay(case):
    (result,) = grade(Snapshot(json.loads(case.snapshot.read_text())), [case.exercise])
    return result


@pytest.mark.parametrize("case", [pytest.param(c, id=f"{c.exercise} {c.name}") for c in ALL])
def test_a_recorded_case_gets_its_verdict_and_its_hint(case):
    result = replay(case)
    assert result.verdict is case.verdict, result.finding
    if result.finding:
        assert case.found in result.finding.found
        assert case.hint in result.finding.next_step


def test_every_mistake_has_a_hint_of_its_own():
    """The starter is one of the mistakes; every other says something that no other says."""
    hints = {c.name: replay(c).finding for c in TRAINING if c.verdict is not Verdict.DONE}
    hints.pop("starter")
    said = [(finding.found, finding.next_step) for finding in hints.values()]
    assert len(set(said)) == len(said)


def test_every_manifest_among_the_mistakes_is_played():
    played = {
        case.manifest.name for case in ALL if case.manifest and case.manifest.parent == MISTAKES
    }
    assert played == {path.name for path in MISTAKES.iterdir()}


@pytest.mark.parametrize("case", [pytest.param(c, id=f"{c.exercise} {c.name}") for c in ALL])
def test_redaction_changes_no_verdict(case):
    data = json.loads(case.snapshot.read_text())
    before, after = (grade(Snapshot(d), [case.exercise])[0] for d in (data, redact(data)))
    assert (before.verdict, before.finding) == (after.verdict, after.finding)
