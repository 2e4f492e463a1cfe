"""Reading a page: which commands are found, and which mistakes of an author are refused."""

import pytest

from modules.page import Block, PageError, Step, Text, parse, skip_reasons, steps_to_run


def console(*lines, info="console"):
    return "\n".join([f"```{info}", *lines, "```"])


def test_prose_and_blocks_keep_their_order():
    page = "\n".join(["# Title", "", console("$ one", "1"), "between", console("$ two")])
    assert parse(page) == [
        Text("# Title"),
        Block((Step("one", ("1",), 4),)),
        Text("between"),
        Block((Step("two", (), 9),)),
    ]


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        pytest.param(["$ a", "1", "", "2"], [Step("a", ("1", "", "2"), 2)], id="empty line kept"),
        pytest.param(["$ a", "$ b", "2"], [Step("a", (), 2), Step("b", ("2",), 3)], id="two"),
        pytest.param(["$ a \\", "  b", "1"], [Step("a \\\n  b", ("1",), 2)], id="backslash"),
        pytest.param(
            ["$ cat <<E", "> x", "> E", "x"], [Step("cat <<E\nx\nE", ("x",), 2)], id="here-document"
        ),
        pytest.param(["$ a", "> 1 is output"], [Step("a\n1 is output", (), 2)], id="only before"),
        pytest.param(["$ a", "1", "> 2"], [Step("a", ("1", "> 2"), 2)], id="> after output"),
    ],
)
def test_a_block_is_cut_into_commands_and_their_output(lines, wanted):
    assert steps_to_run(console(*lines)) == wanted


def test_the_exit_code_belongs_to_the_last_command():
    steps = steps_to_run(console("$ a", "$ b", info='console exit="3"'))
    assert [step.exit_code for step in steps] == [0, 3]


def test_a_skipped_block_is_not_run_and_its_reason_is_known():
    page = console("$ a", info='console skip="needs a real GPU"')
    assert steps_to_run(page) == []
    assert skip_reasons(page) == ["needs a real GPU"]


def test_a_hidden_command_is_run_in_its_place():
    page = "\n".join([console("$ a"), "<!-- under test: b -->", console("$ c")])
    assert [(step.command, step.hidden) for step in steps_to_run(page)] == [
        ("a", False),
        ("b", True),
        ("c", False),
    ]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("```yaml\n$ not a command\n```", id="a block of another language"),
        pytest.param("````\n```console\n$ quoted\n```\n````", id="a block within a longer fence"),
        pytest.param("$ prose", id="a line of prose"),
    ],
)
def test_what_is_no_console_block_is_not_run(page):
    assert steps_to_run(page) == []


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        pytest.param("```console\n$ a", "line 1: this block has no end", id="no end"),
        pytest.param(
            "<details>\n\n```console\n$ a\n```\n</details>",
            "line 3: a console block inside <details> or a list",
            id="in details",
        ),
        pytest.param(
            "- item\n  ```console\n  $ a\n  ```",
            "line 2: a console block inside <details> or a list",
            id="in a list",
        ),
        pytest.param("```console\nout\n```", "line 2: output before the first", id="no command"),
        pytest.param('```console skp="x"\n$ a\n```', "more than console, exit", id="misspelt"),
        pytest.param("```console skip=x\n$ a\n```", "more than console, exit", id="unquoted"),
    ],
)
def test_a_mistake_of_the_author_is_named_with_its_line(page, complaint):
    with pytest.raises(PageError, match=complaint):
        parse(page)


def test_a_console_block_after_details_is_fine():
    assert steps_to_run("<details>\n\nx\n\n</details>\n\n```console\n$ a\n```")
