"""Each page has the parts of a lab, in one order, so that a learner finds them without a search."""

import re
from pathlib import Path

import pytest

from tests.modules import prose

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = sorted((CHECKOUT / "modules").glob("*/README.md"))
# As a line begins, from the top of the page to its end.
PARTS = (
    *("# ", "**You will**", "**Time:**", "**Needs:**", "**Then and now**"),
    *("## Exercise ", "## Check yourself", "## Clean up", "## Next step"),
)
MOST_ROWS = 5
QUESTIONS = 3
OF_AN_EXERCISE = ("### Validation", "### If it fails", "### Solution")


@pytest.fixture(params=PAGES, ids=lambda path: path.parent.name)
def page(request):
    return request.param.read_text()


def test_the_parts_are_there_and_in_order(page):
    lines = page.splitlines()
    found = [next((i for i, line in enumerate(lines) if line.startswith(p)), -1) for p in PARTS]
    assert -1 not in found, f"the page lacks {PARTS[found.index(-1)]}"
    assert found == sorted(found)


def test_then_and_now_is_a_glance(page):
    table = page.partition("**Then and now**")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert 1 <= len(rows) <= MOST_ROWS


def test_three_questions_have_their_answers_folded_away(page):
    asked = prose.section(page, "Check yourself")
    assert asked.count("<summary>Answer</summary>") == QUESTIONS
    assert asked.count("<details>") == asked.count("</details>") == QUESTIONS
    assert len(re.findall(r"^\*\*.*?\?\*\*\n\n<details>", asked, re.M | re.S)) == QUESTIONS


def test_an_exercise_tells_how_it_is_checked_what_goes_wrong_and_how_it_is_solved(page):
    for title in re.findall(r"^## (Exercise \d+.*)$", page, re.M):
        assert [part for part in OF_AN_EXERCISE if part not in prose.section(page, title)] == []


def test_a_snapshot_comes_before_the_clean_up(page):
    assert 0 < page.find("$ python -m validator snapshot") < page.find("\n## Clean up")
