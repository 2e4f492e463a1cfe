"""The engine: verdicts of checks, of exercises, and of several together."""

import itertools
import json
import re
from pathlib import Path

import pytest

from tests.validator import world
from validator import engine, exercises  # noqa: F401 (registers the checks)
from validator.engine import EXERCISES, Check, Exercise
from validator.snapshot import Snapshot, Unreadable
from validator.verdicts import (
    EXIT_CODES,
    Finding,
    Verdict,
    converging,
    could_not_check,
    first_that_occurs,
    not_started,
    wrong,
)

CHECKOUT = Path(__file__).resolve().parents[2]
BAD = wrong("found", "wanted", "next")
LATER = converging("found", "wanted", "next")
UNKNOWN = could_not_check("found", "wanted", "next")
FRESH = not_started("found", "wanted", "next")


@pytest.fixture
def make(monkeypatch):
    """Register an exercise whose checks return these findings, or raise them."""
    monkeypatch.setattr(engine, "EXERCISES", dict(EXERCISES))

    def register(number, *results, requires=()):
        def answering(result):
            def function(cluster):
                if isinstance(result, Exception):
                    raise result
                return result

            return function

        checks = [
            Check(f"check{i}", f"check {i}", answering(r), tuple(requires))
            for i, r in enumerate(results)
        ]
        engine.EXERCISES[number] = Exercise(number, "title", "page#heading", checks=checks)
        return engine.EXERCISES[number]

    return register


def verdict_of(number):
    (result,) = engine.grade(Snapshot(world.done()), [number])
    return result


@pytest.mark.parametrize("field", ["found", "wanted", "next_step"])
@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.DONE])
def test_no_verdict_goes_without_what_was_found_what_was_wanted_and_a_next_step(field, verdict):
    words = {"found": "a", "wanted": "b", "next_step": "c", field: " "}
    with pytest.raises(ValueError, match=field):
        Finding(verdict, **words)


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        pytest.param([None, None], Verdict.DONE, id="all hold"),
        pytest.param([None, BAD], Verdict.WRONG, id="the last does not"),
        pytest.param([LATER, BAD], Verdict.CONVERGING, id="the first that fails decides"),
        pytest.param([UNKNOWN, None], Verdict.COULD_NOT_CHECK, id="one could not be checked"),
        pytest.param([UNKNOWN, BAD], Verdict.WRONG, id="a known mistake outweighs it"),
        pytest.param(
            [Unreadable("pods", 403, "no"), None], Verdict.COULD_NOT_CHECK, id="no permission"
        ),
        pytest.param(
            [KeyError("x")], Verdict.COULD_NOT_CHECK, id="a check with a fault of its own"
        ),
    ],
)
def test_the_verdict_of_an_exercise(make, results, verdict):
    make("9.1", *results)
    assert verdict_of("9.1").verdict is verdict


def test_checks_after_the_first_that_fails_are_not_run(make):
    make("9.1", BAD, RuntimeError("must not run"))
    assert [o.verdict for o in verdict_of("9.1").outcomes] == [Verdict.WRONG, None]


@pytest.mark.parametrize(
    ("needed", "verdict"),
    [
        pytest.param(None, Verdict.DONE, id="a done one lets pass"),
        pytest.param(UNKNOWN, Verdict.DONE, id="one that could not be checked lets pass"),
        pytest.param(FRESH, Verdict.BLOCKED, id="one not started blocks"),
        pytest.param(LATER, Verdict.BLOCKED, id="one on its way blocks"),
        pytest.param(BAD, Verdict.BLOCKED, id="a wrong one blocks"),
    ],
)
def test_what_an_exercise_requires(make, needed, verdict):
    make("9.0", needed)
    make("9.1", None, requires=["9.0"])
    result = verdict_of("9.1")
    assert result.verdict is verdict
    assert result.finding is None or "9.0" in result.finding.found


def test_a_finding_leads_to_the_exercises_page(make):
    make("9.1", BAD)
    assert verdict_of("9.1").finding.anchor == "page#heading"


def test_a_check_without_a_docstring_cannot_be_registered():
    with pytest.raises(ValueError, match="docstring"):
        engine.check("5.0")(lambda cluster: None)


def test_of_several_verdicts_the_first_in_the_order_of_the_table_counts():
    order = ["could not check", "wrong", "converging", "not started", "blocked", "done"]
    for pair in itertools.combinations_with_replacement(order, 2):
        both = [Verdict(name) for name in reversed(pair)]
        assert first_that_occurs(both).value == pair[0]


def test_every_verdict_has_its_exit_code():
    codes = {"done": 0, "wrong": 1, "not started": 3, "converging": 4, "blocked": 5}
    assert {v.value: code for v, code in EXIT_CODES.items()} == {**codes, "could not check": 6}


def anchors_of(page):
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ +(.+?) *$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("number", sorted(EXERCISES))
def test_the_page_of_an_exercise_has_its_heading(number):
    page, _, anchor = EXERCISES[number].anchor.partition("#")
    assert anchor in anchors_of(CHECKOUT / page)


@pytest.mark.parametrize("number", sorted(EXERCISES))
def test_every_solution_exists(number):
    given = EXERCISES[number]
    for path in filter(None, (given.solution, given.solution_without_gpus)):
        assert (CHECKOUT / path).is_file()


def test_a_snapshot_is_plain_data():
    assert json.loads(json.dumps(world.done())) == world.done()
