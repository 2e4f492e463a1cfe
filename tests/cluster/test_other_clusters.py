"""The pages on clusters with other GPUs: counted under today's name alone, or none at all.

Each page has blocks for such a cluster (``only="…"``); what it shows has to be true there, too.
"""

import subprocess
import sys

import pytest

from modules.runner import run_page
from modules.shell import Shell
from tests.cluster import lab_runs
from tests.conftest import start_cluster

CHECKOUT = lab_runs.CHECKOUT
PAGES = {number: next((CHECKOUT / "modules").glob(f"{number}-*/README.md")) for number in (3, 5)}
OPTIONS = {"today": ["--today"], "none": ["--gpus", "0"]}


@pytest.fixture(scope="module", params=OPTIONS)
def other(request):
    """A cluster of the workshop with other GPUs, stopped afterwards."""
    name = f"gpus-{request.param}"
    yield start_cluster(name, *OPTIONS[request.param])
    command = [sys.executable, "-m", "cluster", "down", "--name", name]
    subprocess.run(command, cwd=CHECKOUT, check=True)


@pytest.mark.parametrize("number", PAGES)
def test_the_page_is_true(other, number, tmp_path):
    page = PAGES[number]
    with (
        lab_runs.place(other, page, tmp_path, "docs") as place,
        Shell(place.environment, place.folder) as shell,
    ):
        here = place.cluster
        for outcome in run_page(page.read_text(), shell, here.aliases, here.abilities):
            assert not outcome.complaint, f"{page.relative_to(CHECKOUT)}, {outcome.complaint}"
