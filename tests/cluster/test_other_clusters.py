"""The pages on clusters with other GPUs: counted under today's name alone, or none at all.

Each page has blocks for such a cluster (``only="…"``); what it shows has to be true there, too.
Of module 5 the notebook runs where GPUs have today's name alone, so that its page need not.
"""

import pytest

from modules.runner import run_page
from modules.shell import Shell
from tests.cluster import lab_runs, notebook_runs

CHECKOUT = lab_runs.CHECKOUT
PAGES = {number: next((CHECKOUT / "modules").glob(f"{number}-*/README.md")) for number in (3, 5)}


@pytest.mark.parametrize(
    ("other", "number"), [("today", 3), ("without_gpus", 3), ("without_gpus", 5)]
)
def test_the_page_is_true(other, number, request, tmp_path):
    page = PAGES[number]
    with (
        lab_runs.place(request.getfixturevalue(other), page, tmp_path, "docs") as place,
        Shell(place.environment, place.folder) as shell,
    ):
        here = place.cluster
        for outcome in run_page(page.read_text(), shell, here.aliases, here.abilities):
            assert not outcome.complaint, f"{page.relative_to(CHECKOUT)}, {outcome.complaint}"


@pytest.mark.usefixtures("bash_kernel")
def test_the_notebook_of_module_5_passes_where_gpus_have_todays_name(today, tmp_path):
    done = notebook_runs.run_module(today, PAGES[5], tmp_path)
    assert done.returncode == 0, done.stdout
