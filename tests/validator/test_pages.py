"""The validator's reports that pages show are those of recorded clusters, replayed."""

import json
from pathlib import Path

import pytest

from modules.page import shown_cases
from tests.validator.cases import SNAPSHOTS
from validator import exercises, report  # noqa: F401 (registers the exercises)
from validator.engine import EXERCISES, grade_one
from validator.snapshot import Snapshot

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = sorted((CHECKOUT / "modules").glob("*/README.md"))
# As wide as the pages.
LOOK = report.Look(width=100)


def replayed(case):
    """The lines of the report on a recorded case, as the page's reader would see them."""
    number = case.partition("-")[0]
    data = json.loads((SNAPSHOTS / f"{case}.json").read_text())
    # A learner who follows the page needs no flags.
    grade = grade_one(Snapshot({**data, "flags": []}), EXERCISES[number])
    return report.as_text([grade], [], LOOK).splitlines()


def shown():
    for page in PAGES:
        for case, lines, line in shown_cases(page.read_text()):
            yield pytest.param(case, lines, id=f"{page.parent.name} line {line} {case}")


@pytest.mark.parametrize(("case", "lines"), list(shown()))
def test_a_page_shows_what_the_validator_says(case, lines):
    said = replayed(case)
    starts = [at for at in range(len(said)) if said[at : at + len(lines)] == list(lines)]
    assert starts, "\n".join(["the page shows", *lines, "the validator says", *said])


def test_some_page_shows_a_report():
    assert len(list(shown())) >= 4


def test_contributing_shows_a_real_exercise():
    page = (CHECKOUT / "CONTRIBUTING.md").read_text()
    (example,) = (b for b in page.split("```python\n") if b.startswith("exercise("))
    example = example.split("```")[0]
    assert example in (CHECKOUT / "validator" / "exercises" / "module6.py").read_text()
