"""The overview: lines, minutes, the bar, and what comes next."""

import re

import pytest

from tests.modules import prose
from tests.validator import tiny
from validator import exercises  # noqa: F401 (registers the exercises)
from validator.look import Look
from validator.modules import MODULES
from validator.overview import overview

PLAIN = Look(width=80, symbols=False)
GRADES = (
    tiny.graded(None, number="5.0", title="Install"),
    tiny.graded(tiny.finding(), number="5.1", title="Bonus", optional=True),
    tiny.graded(tiny.finding(), number="5.2", title="Keep"),
    tiny.graded(tiny.finding(), number="6.1", title="Train"),
)


def shown(look=PLAIN, **before):
    return overview(GRADES, "namespace ann", look, before or None)


def test_a_line_for_each_exercise_the_minutes_and_what_comes_next():
    assert shown() == (
        "The workshop's modules, in namespace ann\n"
        "\n"
        "5  TfJob (about 20 minutes)\n"
        "   5.0  Install: done\n"
        "   5.1  Bonus (bonus): wrong\n"
        "   5.2  Keep: wrong\n"
        "6  Distributed TensorFlow (about 40 minutes)\n"
        "   6.1  Train: wrong\n"
        "\n"
        "####........ 1 of 3 exercises done, about 60 minutes left (and 0 of 1 bonus)\n"
        "\n"
        "Next: 5.2 Keep, modules/5-tfjob/README.md#exercise-1\n"
        "Check: python -m validator module5 --exercise 2"
    )


def test_what_was_done_before_counts():
    found = shown(**{"6.1": "25 Nov 2026"})
    assert "6  Distributed TensorFlow\n   6.1  Train: done on 25 Nov 2026\n" in found
    assert "2 of 3 exercises done, about 20 minutes left (and 0 of 1 bonus)" in found


def test_where_all_is_done_no_minute_is_left_and_a_bonus_may_stay():
    found = shown(**{"5.2": "25 Nov 2026", "6.1": "25 Nov 2026"})
    assert "#" * 12 + " 3 of 3 exercises done (and 0 of 1 bonus)\n" in found
    assert "minutes" not in found
    assert found.endswith("All that can be checked is done.")


def test_a_bonus_counts_apart():
    found = shown(**{"5.1": "25 Nov 2026"})
    assert "1 of 3 exercises done, about 60 minutes left (and 1 of 1 bonus)" in found


def test_what_is_done_now_needs_no_day():
    assert "   5.0  Install: done\n" in shown(**{"5.0": "25 Nov 2026"})


def test_a_terminal_with_symbols_draws_the_bar():
    assert "█" * 4 + "░" * 8 + " 1 of 3" in shown(Look(width=80))


@pytest.mark.parametrize(
    "page", sorted(prose.CHECKOUT.glob("modules/*-*/README.md")), ids=prose.name
)
def test_a_module_is_named_and_takes_as_long_as_its_page_says(page):
    number, _, name = page.parent.name.partition("-")
    minutes = re.search(r"^\*\*Time:\*\* (\d+) minutes", page.read_text(), re.MULTILINE)
    assert MODULES[int(number)][::2] == (name, int(minutes[1]))
