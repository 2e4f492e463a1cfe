"""Module 8's notebook: starter and solution differ in three cells, and the page shows these."""

import json
import re

import nbformat
import pytest

from modules.workplace import CHECKOUT

FOLDER = CHECKOUT / "modules" / "8-jupyter"
GAPS = ["login", "body", "follow"]


def cells(which):
    path = FOLDER / which / "train.ipynb"
    nbformat.validate(nbformat.read(path, as_version=4))
    return {cell["id"]: "".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]}


def test_three_cells_are_for_the_learner_and_each_says_its_number():
    starter, solution = cells("starter"), cells("solution")
    assert list(starter) == list(solution)
    assert [name for name in starter if starter[name] != solution[name]] == GAPS
    assert [solution[name][:5] for name in GAPS] == ["# 1. ", "# 2. ", "# 3. "]


@pytest.mark.parametrize("which", ["starter", "solution"])
def test_a_notebook_is_kept_without_outputs(which):
    notebook = json.loads((FOLDER / which / "train.ipynb").read_text())
    assert [cell for cell in notebook["cells"] if cell.get("outputs")] == []


def test_the_page_shows_the_three_cells_of_the_solution():
    page = (FOLDER / "README.md").read_text()
    (shown,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    solution = cells("solution")
    for part in shown.strip().split("\n\n"):
        assert any(part in solution[name] for name in GAPS), part
    assert [part[:5] for part in shown.split("\n\n")] == ["# 1. ", "# 2. ", "# 3. "]
