"""Running a page: each command in order, each complaint with its line, and recording."""

import pytest

from modules import runner
from modules.runner import recorded, run_page
from modules.shell import Shell


@pytest.fixture
def complaints(tmp_path):
    def run(page, aliases=None):
        with Shell(folder=tmp_path) as shell:
            return [outcome.complaint for outcome in run_page(page, shell, aliases)]

    return run


def test_a_page_that_tells_the_truth_has_no_complaint(complaints):
    page = "```console\n$ x=7; echo $x\n7\n```\ntext\n```console\n$ echo $x\n7\n```"
    assert complaints(page) == [None, None]


def test_a_wrong_output_is_told_with_line_command_and_both_sides(complaints):
    (complaint,) = complaints("text\n```console\n$ echo 1\n2\n```")
    assert complaint.startswith("line 3: $ echo 1\n")
    assert "-2\n+1" in complaint


def test_a_failing_command_is_told_even_where_the_output_fits(complaints):
    (complaint,) = complaints("```console\n$ echo 1; false\n1\n```")
    assert "ended with exit code 1, not 0:\n1" in complaint


def test_a_success_where_the_page_promises_a_failure_is_told(complaints):
    (complaint,) = complaints('```console exit="3"\n$ true\n```')
    assert "ended with exit code 0, not 3" in complaint


def test_an_expected_failure_is_fine(complaints):
    assert complaints('```console exit="3"\n$ (exit 3)\n```') == [None]


def test_names_of_this_run_are_read_as_those_on_the_page(complaints):
    page = "```console\n$ echo in docs-1234 namespace\nin default namespace\n```"
    assert complaints(page, {"docs-1234": "default"}) == [None]


def test_a_hidden_step_may_print_what_it_likes_but_must_succeed(complaints):
    assert complaints("<!-- under test: echo any -->") == [None]
    assert complaints("<!-- under test: false -->")[0] is not None


def test_recording_replaces_only_what_no_longer_fits(tmp_path):
    page = "```console\n$ echo a b c\na ... c\n$ seq 2\nold\n```\nend\n```console\n$ echo z\n```"
    with Shell(folder=tmp_path) as shell:
        outcomes = list(run_page(page, shell))
    assert recorded(page, outcomes) == (
        "```console\n$ echo a b c\na ... c\n$ seq 2\n1\n2\n```\nend\n```console\n$ echo z\nz\n```"
    )


def test_the_command_line_stops_at_the_first_complaint(tmp_path):
    page, said = tmp_path / "README.md", []
    page.write_text("```console\n$ false\n$ echo next\nnext\n```")
    assert runner.main([str(page)], say=said.append) == 1
    assert not any("next" in line for line in said)


def test_the_command_line_records_and_is_then_content(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("```console\n$ echo true\n```")
    assert runner.main([str(page), "--record"], say=lambda _: None) == 1
    assert runner.main([str(page)], say=lambda _: None) == 0


def test_a_page_that_is_not_there_is_one_sentence(tmp_path):
    said = []
    assert runner.main([str(tmp_path / "none.md")], say=said.append) == 1
    assert "none.md" in said[0]
    assert len(said) == 1
