"""Making notebooks: cells as the page has them, included files, and what is stale."""

import json

import nbformat
import pytest

from modules import notebooks
from modules.cells import END, SETUP
from modules.notebooks import included, notebook
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

```console skip="needs a real GPU"
$ nvidia-smi
```
"""


def source(cell):
    return "".join(cell["source"])


def code_cells(page):
    return [cell for cell in notebook(page)["cells"] if cell["cell_type"] == "code"]


def sources(page):
    """What the cells after the first say."""
    return [source(cell) for cell in code_cells(page)[1:]]


def test_it_is_a_valid_notebook_of_the_bash_kernel():
    made = notebook(PAGE)
    nbformat.validate(made)
    assert made["metadata"]["kernelspec"]["name"] == "bash"


def test_the_title_comes_first_and_the_set_up_before_any_command():
    cells = notebook(PAGE)["cells"]
    assert source(cells[0]).startswith("# Title")
    assert source(code_cells(PAGE)[0]) == SETUP


def test_each_command_is_a_cell_so_that_none_fails_unnoticed():
    assert sources(PAGE) == ["echo one", "cd /tmp"]


def test_a_cell_shows_the_output_of_the_page():
    (output,) = code_cells(PAGE)[1]["outputs"]
    assert "".join(output["text"]) == "one\n"


def test_a_skipped_block_becomes_prose_with_its_reason():
    last = notebook(PAGE)["cells"][-1]
    assert last["cell_type"] == "markdown"
    assert "Not run here: needs a real GPU" in source(last)
    assert "$ nvidia-smi" in source(last)


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        pytest.param(
            "<!-- under test: cp solution mine -->",
            """\
if by_hand "do by hand what the text asks for"; then
cp solution mine
fi""",
            id="what a learner does by hand",
        ),
        pytest.param(
            '```diff edit="mine"\n-a\n+b\n```',
            """\
if by_hand "edit mine as shown above"; then
python -m modules.edit mine <<'END-OF-EDIT'
-a
+b
END-OF-EDIT
fi""",
            id="an edit",
        ),
        pytest.param(
            '```console exit="3"\n$ check\n```',
            "check\n[ $? -eq 3 ]  # the page says so",
            id="an expected failure",
        ),
        pytest.param(
            '```console only="gpu"\n$ check\n```', "if here gpu; then\ncheck\nfi", id="only"
        ),
        pytest.param(
            '```console timeout="20m"\n$ check\n```',
            "# This may take up to 20 minutes.\ncheck",
            id="a time limit",
        ),
        pytest.param(
            '```console retry="30s" exit="3"\n$ check \\\n  twice\nok\n```',
            """\
again 30 3 <<'END-OF-PAGE'
$ check \\
>   twice
ok
END-OF-PAGE""",
            id="tries",
        ),
        pytest.param(
            "```console\n$ one\n```", "one", id="nothing but a command"
        ),
    ],
)  # fmt: skip
def test_what_the_fence_says_becomes_a_line_to_read(page, wanted):
    assert sources(page) == [wanted]


@pytest.mark.parametrize(
    ("command", "started"),
    [
        pytest.param("serve 80", 'serve 80 >"$LOGS/1" 2>&1 &', id="one command"),
        pytest.param("cd x; serve", '{ cd x; serve\n} >"$LOGS/1" 2>&1 &', id="two commands"),
    ],
)
def test_what_runs_in_the_background_has_a_log_and_is_ended_in_the_last_cell(command, started):
    page = f"```console background\n$ {command}\n```"
    assert sources(page) == [started, END]


def test_what_runs_in_the_background_is_waited_for():
    page = "```console background\n$ serve\nready\n```"
    assert (
        sources(page)[0]
        == """\
serve >"$LOGS/1" 2>&1 &
again 30 0 <<'END-OF-PAGE'
$ cat "$LOGS/1"
ready
...
END-OF-PAGE"""
    )


def test_the_exit_code_of_the_cell_above_can_be_asked_for():
    page = '```console exit="3"\n$ check\n```\n```console\n$ echo $?\n3\n$ echo $?\n0\n```'
    assert sources(page)[1:] == ["(exit 3)  # as the cell above ended\necho $?", "echo $?"]


def test_an_edit_is_shown_before_the_cell_that_makes_it():
    page = PAGE + '```diff edit="mine"\n-a\n+b\n```'
    *_, shown, _ = notebook(page)["cells"]
    assert source(shown).endswith("```diff\n-a\n+b\n```")


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
