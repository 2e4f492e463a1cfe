"""Reading a page: which commands are found, and which mistakes of an author are refused."""

import pytest

from modules.page import (
    Block,
    PageError,
    Step,
    Text,
    parse,
    shown_cases,
    skip_reasons,
    steps_to_run,
)


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
        pytest.param(["$ a", "1\t2"], [Step("a", ("1\t2",), 2)], id="a tab in the output"),
        pytest.param(["$ a", "1", "> 2"], [Step("a", ("1", "> 2"), 2)], id="> after output"),
    ],
)
def test_a_block_is_cut_into_commands_and_their_output(lines, wanted):
    assert steps_to_run(console(*lines)) == wanted


def test_the_exit_code_belongs_to_the_last_command():
    steps = steps_to_run(console("$ a", "$ b", info='console exit="3"'))
    assert [step.exit_code for step in steps] == [0, 3]


def test_tries_belong_to_the_last_command_and_the_time_limit_to_each():
    first, last = steps_to_run(console("$ a", "$ b", info='console retry="30s" timeout="20m"'))
    assert (first.retry_seconds, last.retry_seconds) == (0, 30)
    assert (first.timeout_seconds, last.timeout_seconds) == (1200, 1200)


def test_a_command_without_a_limit_of_its_own_has_eleven_minutes():
    (step,) = steps_to_run(console("$ a"))
    assert step.timeout_seconds == 660


def test_a_command_in_the_background_is_given_time_for_what_the_page_shows():
    (step,) = steps_to_run(console("$ a", "ready", info="console background"))
    assert step.background
    assert step.retry_seconds == 30


@pytest.mark.parametrize(
    ("abilities", "commands"),
    [
        pytest.param({"gpu", "local"}, ["a", "b", "both", "c"], id="a local cluster with GPUs"),
        pytest.param({"gpu"}, ["a", "c"], id="a cluster with GPUs"),
        pytest.param(set(), ["c"], id="another cluster"),
    ],
)
def test_what_a_cluster_cannot_do_is_not_run_there(abilities, commands):
    page = "\n".join(
        [
            console("$ a", info='console only="gpu"'),
            console("$ b", info='console only="local"'),
            console("$ both", info='console only="gpu local"'),
            console("$ c"),
        ]
    )
    assert [step.command for step in steps_to_run(page, frozenset(abilities))] == commands


def test_an_edit_is_shown_as_it_stands_and_made_by_a_hidden_command():
    shown, step = parse(console("-a: 1", "+a: 2", info='diff edit="my-file.yaml"'))
    assert shown == Text("```diff\n-a: 1\n+a: 2\n```")
    assert step.hidden
    assert step.edit == "my-file.yaml"
    assert step.command.splitlines() == [
        "python -m modules.edit my-file.yaml <<'END-OF-EDIT'",
        "-a: 1",
        "+a: 2",
        "END-OF-EDIT",
    ]


def test_an_edit_of_another_language_writes_the_file():
    (_, step) = parse(console("a: 1", info='yaml edit="my-file.yaml"'))
    assert step.command.startswith("python -m modules.edit --write my-file.yaml <<")


def test_the_recorded_cases_that_a_page_quotes_are_known_with_lines_and_line():
    page = "\n".join(
        ["x", "<details>", "", console("one", "two", info='text case="5.1-x"'), "</details>"]
    )
    assert shown_cases(page) == [("5.1-x", ["one", "two"], 4)]
    assert steps_to_run(page) == []


def test_a_page_with_carriage_returns_reads_like_one_without():
    page = "\n".join(["# Title", console("$ a \\", "  b", "1", info='console exit="3"'), "end"])
    assert parse(page.replace("\n", "\r\n")) == parse(page)


def test_a_longer_fence_may_hold_three_backquotes():
    assert steps_to_run("````console\n$ a\n```\n````") == [Step("a", ("```",), 2)]


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
        pytest.param('x\n```console skp="x"\n$ a\n```', "line 2: unknown attribute skp", id="typo"),
        pytest.param('```text cas="x"\n```', "line 1: unknown attribute cas", id="not console"),
        pytest.param(
            "```console background\n$ a\n$ b\n```",
            "line 1: a block in the background holds exactly one command",
            id="two in the background",
        ),
        pytest.param(
            '```diff edit="x"\n+a\n```', "line 1: this edit does not say where", id="a bad edit"
        ),
        pytest.param(
            '<details>\n```diff edit="x"\n-a\n```',
            "line 2: an edit inside <details> or a list",
            id="a folded edit",
        ),
        pytest.param(
            "<!-- under tests: x -->", "line 1: write <!-- under test", id="a bad comment"
        ),
    ],
)
def test_a_mistake_of_the_author_is_named_with_its_line(page, complaint):
    with pytest.raises(PageError, match=complaint):
        parse(page)


def test_a_console_block_after_details_is_fine():
    assert steps_to_run("<details>\n\nx\n\n</details>\n\n```console\n$ a\n```")
