"""Recording: the outputs of a run go into the page, and nothing that would break it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules import runner
from modules.compare import difference
from modules.page import steps_to_run
from modules.record import merged, recorded, refusal
from modules.runner import run_page
from modules.shell import Shell


@pytest.fixture
def record(tmp_path):
    def run(page):
        with Shell(folder=tmp_path) as shell:
            outcomes = list(run_page(page, shell))
        return recorded(page, outcomes), [refusal(outcome) for outcome in outcomes]

    return run


def test_recording_replaces_only_what_no_longer_fits(record):
    page = "```console\n$ echo a b c\na ... c\n$ seq 2\nold\n```\nend\n```console\n$ echo z\n```"
    assert record(page)[0] == (
        "```console\n$ echo a b c\na ... c\n$ seq 2\n1\n2\n```\nend\n```console\n$ echo z\nz\n```"
    )


@pytest.mark.parametrize(
    ("shown", "output", "wanted"),
    [
        pytest.param(
            ["a ... c", "old"], ["a b c", "new"], ["a ... c", "new"], id="dots within a line"
        ),
        pytest.param(
            ["a", "...", "z", "old"], ["a", "b", "c", "z", "new"], ["a", "...", "z", "new"],
            id="dots for lines",
        ),
        pytest.param(
            ["a", "...", "old"], ["a", "b", "c", "new"], ["a", "...", "new"], id="a new last line"
        ),
        pytest.param(
            ["old", "...", "z"], ["new", "b", "z"], ["new", "...", "z"], id="a new first line"
        ),
        pytest.param(["a", "b", "c"], ["a", "c"], ["a", "c"], id="a line less"),
        pytest.param(["a", "c"], ["a", "b", "c"], ["a", "b", "c"], id="a line more"),
        pytest.param(["x", "...", "y"], ["1"], ["1"], id="less than stood beside the dots"),
        pytest.param(
            ["pod-x   7s", "old"], ["pod-x   9s", "new"], ["pod-x   7s", "new"], id="an age"
        ),
        pytest.param([], ["a"], ["a"], id="nothing shown so far"),
        pytest.param(["a", "..."], [], [], id="nothing printed"),
    ],
)  # fmt: skip
def test_the_authors_dots_stay_where_they_fit(shown, output, wanted):
    assert merged(shown, output) == wanted


LINES = st.lists(st.sampled_from(["a", "b", "c"]), max_size=7)


@given(st.lists(st.sampled_from(["a", "b", "c", "..."]), max_size=7), LINES)
def test_what_is_recorded_fits_the_run(shown, output):
    assert difference(merged(shown, output), output) is None


def test_backquotes_in_the_output_get_a_longer_fence(record):
    page = "```console\n$ echo before\nbefore\n$ printf '```\\nx\\n'\nold\n```\nend"
    new, refused = record(page)
    assert new == ("````console\n$ echo before\nbefore\n$ printf '```\\nx\\n'\n```\nx\n````\nend")
    assert [step.expected for step in steps_to_run(new)] == [("before",), ("```", "x")]
    assert refused == [None, None]


def test_a_longer_fence_is_found_above_the_backquotes_of_an_earlier_output(record):
    page = "````console\n$ echo '```'\n```\n$ echo '````'\n````"
    assert record(page)[0] == "`````console\n$ echo '```'\n```\n$ echo '````'\n````\n`````"


def test_a_fence_with_attributes_keeps_them_when_it_gets_longer(record):
    new, _ = record("```console retry=\"1s\"\n$ echo '````'\n```")
    assert new == "`````console retry=\"1s\"\n$ echo '````'\n````\n`````"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        pytest.param("echo '$ rm'", 'begins with "$ "', id="a command"),
        pytest.param("echo '> x'", 'begins with "> "', id="the rest of a command"),
        pytest.param("echo new; false", "the command failed", id="a failure"),
    ],
)
def test_what_the_page_cannot_hold_is_refused_and_the_old_output_stays(record, command, reason):
    page = f"```console\n$ {command}\nold\n```"
    new, (refused,) = record(page)
    assert new == page
    assert reason in refused


def test_only_the_first_line_of_an_output_can_be_taken_for_the_rest_of_a_command(record):
    new, refused = record("```console\n$ printf '1\\n> 2\\n'\n```")
    assert new == "```console\n$ printf '1\\n> 2\\n'\n1\n> 2\n```"
    assert refused == [None]


@pytest.fixture
def command_line(tmp_path):
    def run(text):
        page, said = tmp_path / "README.md", []
        page.write_text(text)
        code = runner.main([str(page), "--record"], say=said.append)
        return code, page.read_text(), said

    return run


def test_the_command_line_records_and_is_then_content(command_line, tmp_path):
    code, page, _ = command_line("```console\n$ echo true\n```")
    assert (code, page) == (1, "```console\n$ echo true\ntrue\n```")
    assert runner.main([str(tmp_path / "README.md")], say=lambda _: None) == 0


def test_the_command_line_says_what_it_did_not_record(command_line):
    _, _, said = command_line("```console\n$ echo '$ x'\n$ echo y\ny\n```")
    assert said[-1].startswith("line 2: not recorded: its output has a line that begins with")


def test_nothing_is_run_after_a_command_that_failed(command_line):
    _, page, said = command_line("```console\n$ false\n$ echo next\nold\n```")
    assert "old" in page
    assert not any("next" in line for line in said)
