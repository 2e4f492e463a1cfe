"""Docs are tests: every command of every page, in order, on the real cluster, output compared."""

import pytest

from modules import times
from modules.page import skip_reasons, steps_to_run
from modules.runner import run_page
from modules.shell import Shell
from tests import side_by_side
from tests.cluster import lab_runs

CHECKOUT = lab_runs.CHECKOUT
MODULES = sorted((CHECKOUT / "modules").glob("*/README.md"))
PAGES = [CHECKOUT / "README.md", *MODULES, lab_runs.INSTRUCTORS]
LAB = frozenset({"gpu", "gpu-2017", "local"})
# A block that is not run says why, in these words. Module 5 has none.
REASONS = {
    "needs a real GPU",
    "needs a cluster of your own",
    "needs a registry of your own",
    "sets up the machine that this test runs on",
}


def names(page):
    return page.stem if page.parent.parent != CHECKOUT / "modules" else page.parent.name


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_the_page_is_true(cluster, page, tmp_path):
    """Its clean-up leaves the cluster as it was.

    Its time is kept for `make times`, if no other test took a part of the machine.
    """
    markdown = page.read_text()
    seconds = 0.0
    with (
        lab_runs.place(cluster, page, tmp_path, "docs") as place,
        Shell(place.environment, place.folder) as shell,
    ):
        here = place.cluster
        assert here.abilities == LAB, "else blocks would be left out in silence"
        for outcome in run_page(markdown, shell, here.aliases, here.abilities):
            seconds += outcome.seconds
            assert not outcome.complaint, f"{page.relative_to(CHECKOUT)}, {outcome.complaint}"
        left = lab_runs.left_over(cluster, place, page, "docs")
        assert left == [], f"the clean-up of {page.relative_to(CHECKOUT)} leaves {left}"
    if not side_by_side.WORKER:
        times.note(page, seconds)


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_what_is_not_run_has_a_reason_from_the_list(page):
    assert set(skip_reasons(page.read_text())) <= REASONS


def test_module_5_is_run_whole():
    page = CHECKOUT / "modules" / "5-tfjob" / "README.md"
    assert skip_reasons(page.read_text()) == []
    assert len(steps_to_run(page.read_text())) > 20
