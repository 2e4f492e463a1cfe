"""Docs are tests: every command of every page, in order, on the real cluster, output compared."""

from pathlib import Path

import pytest

from modules.page import skip_reasons, steps_to_run
from modules.runner import run_page
from modules.shell import Shell
from tests.cluster import lab_runs

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "modules").glob("*/README.md"))]
# A block that is not run says why, in these words. Module 5 has none.
REASONS = {
    "needs a real GPU",
    "needs a cluster of your own",
    "sets up the machine that this test runs on",
}


def names(page):
    return "README" if page.parent == CHECKOUT else page.parent.name


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_the_page_is_true(cluster, page, tmp_path, record_property):
    markdown = page.read_text()
    if not steps_to_run(markdown):
        return
    seconds = 0.0
    with (
        lab_runs.place(cluster, page, tmp_path, "docs") as place,
        Shell(place.environment, CHECKOUT) as shell,
    ):
        for outcome in run_page(markdown, shell, place.aliases):
            seconds += outcome.seconds
            assert not outcome.complaint, f"{page.relative_to(CHECKOUT)}, {outcome.complaint}"
    record_property("seconds_of_commands", round(seconds))
    print(f"\n{names(page)}: the commands took {seconds:.0f} s")


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_what_is_not_run_has_a_reason_from_the_list(page):
    assert set(skip_reasons(page.read_text())) <= REASONS


def test_module_5_is_run_whole():
    page = CHECKOUT / "modules" / "5-tfjob" / "README.md"
    assert skip_reasons(page.read_text()) == []
    assert len(steps_to_run(page.read_text())) > 20
