"""Making notebooks: cells as the page has them, included files, and what is stale."""

import json

import nbformat
import pytest

from modules import notebooks
from modules.notebooks import SETUP, included, notebook
from modules.page import PageError

PAGE = """\
# Title

Read this.

```console
$ echo one
one
$ cd /tmp
```

Then this.

<!-- under test: cp solution mine -->

```console exit="3"
$ (exit 3)
```

```console skip="needs a real GPU"
$ nvidia-smi
```
"""


def source(cell):
    return "".join(cell["source"])


def code_cells(page):
    return [cell for cell in notebook(page)["cells"] if cell["cell_type"] == "code"]


def test_it_is_a_valid_notebook_of_the_bash_kernel():
    made = notebook(PAGE)
    nbformat.validate(made)
    assert made["metadata"]["kernelspec"]["name"] == "bash"


def test_the_title_comes_first_and_the_set_up_before_any_command():
    cells = notebook(PAGE)["cells"]
    assert source(cells[0]).startswith("# Title")
    assert source(code_cells(PAGE)[0]) == SETUP


def test_each_command_is_a_cell_so_that_none_fails_unnoticed():
    assert [source(cell) for cell in code_cells(PAGE)[1:3]] == ["echo one", "cd /tmp"]


def test_a_cell_shows_the_output_of_the_page():
    (output,) = code_cells(PAGE)[1]["outputs"]
    assert "".join(output["text"]) == "one\n"


def test_what_a_learner_does_by_hand_is_done_under_pytest_only():
    assert source(code_cells(PAGE)[3]).endswith('[ -z "${PYTEST_VERSION:-}" ] || cp solution mine')


def test_an_expected_failure_is_tagged_for_nbval():
    tags = [cell["metadata"].get("tags") for cell in code_cells(PAGE)]
    assert tags == [None, None, None, None, ["raises-exception"]]


def test_a_skipped_block_becomes_prose_with_its_reason():
    last = notebook(PAGE)["cells"][-1]
    assert last["cell_type"] == "markdown"
    assert "Not run here: needs a real GPU" in source(last)
    assert "$ nvidia-smi" in source(last)


@pytest.fixture
def module(tmp_path):
    folder = tmp_path / "modules" / "5-tfjob"
    (folder / "solution").mkdir(parents=True)
    (folder / "solution" / "x.yaml").write_text("kind: TfJob\n")
    (folder / "README.md").write_text(
        "# T\n\n<!-- include: solution/x.yaml -->\nold\n<!-- end of include -->\n"
    )
    return folder


def run(module, *arguments):
    said = []
    code = notebooks.main(list(arguments), modules=module.parent, say=said.append)
    return code, said


def test_a_file_is_included_as_it_is_now(module):
    assert included((module / "README.md").read_text(), module) == (
        "# T\n\n<!-- include: solution/x.yaml -->\n```yaml\nkind: TfJob\n```\n"
        "<!-- end of include -->\n"
    )


def test_the_notebook_shows_the_file_and_not_the_comments(module):
    run(module)
    text = json.dumps(json.loads((module / "lab.ipynb").read_text()))
    assert "kind: TfJob" in text
    assert "include:" not in text


def test_check_is_content_once_all_is_written(module):
    assert run(module, "--check")[0] == 1
    assert run(module)[0] == 0
    assert run(module, "--check") == (0, [])


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        pytest.param("solution/x.yaml", ["README.md", "lab.ipynb"], id="the solution"),
        pytest.param("lab.ipynb", ["lab.ipynb"], id="the notebook, by hand"),
    ],
)
def test_check_names_what_is_stale_and_writes_nothing(module, changed, stale):
    run(module)
    (module / changed).write_text("{}")
    before = (module / "README.md").read_text()
    code, said = run(module, "--check")
    assert code == 1
    assert [line.split()[0].rsplit("/")[-1] for line in said] == stale
    assert (module / "README.md").read_text() == before


def test_a_file_that_is_not_there_is_one_sentence(module):
    (module / "solution" / "x.yaml").unlink()
    code, said = run(module)
    assert code == 1
    assert "includes solution/x.yaml, which is not there" in said[0]


def test_every_notebook_and_page_of_the_workshop_is_up_to_date(capsys):
    assert notebooks.main(["--check"]) == 0, capsys.readouterr().out


def test_included_makes_no_change_where_nothing_is_included(tmp_path):
    assert included(PAGE, tmp_path) == PAGE


def test_a_page_with_a_mistake_is_named(module):
    (module / "README.md").write_text("```console\n$ a")
    with pytest.raises(PageError, match=r"README.md: line 1"):
        notebooks.update(module, check=True)
