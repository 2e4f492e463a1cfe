"""The pages on clusters with other GPUs: counted under today's name alone, or none at all.

Each page has blocks for such a cluster (``only="…"``); what it shows has to be true there, too.
Page 5 trains for long, and `test_docs.py` runs all of it. So where GPUs have today's name it runs
with one training, and where there are no GPUs its notebook runs.
"""

import pytest

from modules.runner import run_page
from modules.shell import Shell
from tests.cluster import lab_runs, notebook_runs
from tests.modules import prose

CHECKOUT = lab_runs.CHECKOUT
PAGES = {number: next((CHECKOUT / "modules").glob(f"{number}-*/README.md")) for number in (3, 5)}
# Sections of page 5 that are not run again with today's name: exercise 1 trains with a GPU, too.
TRAININGS = ("A Job by hand", "Try it", "Exercise 2", "Exercise 3", "How the operator works")
ABILITIES = {"today": {"gpu", "gpu-today", "local"}, "without_gpus": {"no-gpu", "local"}}


def without(headings, markdown):
    """A page whose sections of these headings are empty; its lines keep their numbers."""
    for heading in headings:
        section = prose.section(markdown, heading)
        assert section, f"the page has no section {heading}"
        markdown = markdown.replace(section, "\n" * section.count("\n"))
    return markdown


@pytest.mark.parametrize(
    ("other", "number", "left_out"),
    [("today", 3, ()), ("today", 5, (*TRAININGS, "Clean up")), ("without_gpus", 3, ())],
    ids=["today-3", "today-5", "without_gpus-3"],
)
def test_the_page_is_true(other, number, left_out, request, tmp_path):
    page = PAGES[number]
    with (
        lab_runs.place(request.getfixturevalue(other), page, tmp_path, "docs") as place,
        Shell(place.environment, place.folder) as shell,
    ):
        here = place.cluster
        assert here.abilities == ABILITIES[other]
        markdown = without(left_out, page.read_text())
        for outcome in run_page(markdown, shell, here.aliases, here.abilities):
            assert not outcome.complaint, f"{page.relative_to(CHECKOUT)}, {outcome.complaint}"


@pytest.mark.usefixtures("bash_kernel")
def test_the_notebook_of_module_5_passes_where_there_are_no_gpus(without_gpus, tmp_path):
    done = notebook_runs.run_module(without_gpus, PAGES[5], tmp_path)
    assert done.returncode == 0, done.stdout
