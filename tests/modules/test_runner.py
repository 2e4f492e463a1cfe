"""Running a page: each command in order, each complaint with its line."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modules import runner, times
from modules.runner import run_page
from modules.shell import Shell
from modules.workplace import CHECKOUT


@pytest.fixture
def outcomes(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "SECONDS_BETWEEN_TRIES", 0.01)

    def run(page, **options):
        # Debian's own Python is called python3 alone: `python` is the one of .venv.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        given = {**os.environ, "PATH": path, "PYTHONPATH": str(CHECKOUT)}
        with Shell(given, tmp_path) as shell:
            return list(run_page(page, shell, **options))

    return run


@pytest.fixture
def complaints(outcomes):
    return lambda page, **options: [outcome.complaint for outcome in outcomes(page, **options)]


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


def test_an_expected_failure_is_fine_and_its_code_can_be_shown(complaints):
    page = '```console exit="3"\n$ (exit 3)\n```\n```console\n$ echo $?\n3\n```'
    assert complaints(page) == [None, None]


def test_names_of_this_run_are_read_as_those_on_the_page(complaints):
    page = "```console\n$ echo in docs-1234 namespace\nin default namespace\n```"
    assert complaints(page, aliases={"docs-1234": "default"}) == [None]


def test_random_letters_are_known_by_a_workload_that_the_page_names(complaints):
    page = "```console\n$ echo one-x7k2p\none-b2wmz\n```"
    assert complaints(page)[0] is not None
    assert complaints("```yaml\nmetadata:\n  name: one\n```\n" + page) == [None]


def test_random_letters_are_known_by_a_workload_that_an_output_named(complaints):
    page = "```console\n$ k=job.batch; echo $k/one created\n...\n$ echo one-x7k2p\none-b2wmz\n```"
    assert complaints(page) == [None, None]


def test_a_hidden_step_may_print_what_it_likes_but_must_succeed(complaints):
    assert complaints("<!-- under test: echo any -->") == [None]
    assert complaints("<!-- under test: false -->")[0] is not None


def test_a_command_with_time_is_repeated_until_it_fits(complaints):
    page = '```console retry="30s"\n$ echo x >>tries; wc -l <tries\n3\n```'
    assert complaints(page) == [None]


def test_a_command_with_time_is_repeated_until_it_ends_as_promised(complaints):
    page = (
        '```console retry="30s" exit="3"\n$ echo >>tries; [ $(wc -l <tries) = 1 ] || (exit 3)\n```'
    )
    assert complaints(page) == [None]


def test_a_command_that_never_fits_is_told_with_the_time_it_had(complaints):
    (complaint,) = complaints('```console retry="1s"\n$ echo 1\n2\n```')
    assert "after 1 s of tries\n" in complaint
    assert "-2\n+1" in complaint


def test_a_command_that_takes_too_long_is_told_with_its_line_and_the_page_ends(complaints):
    page = 'text\n```console timeout="1s"\n$ echo started; sleep 60\n$ echo next\n```'
    (complaint,) = complaints(page)
    assert complaint.startswith("line 3: $ echo started; sleep 60\n")
    assert "took more than 1 s; its output:\nstarted" in complaint


def test_what_runs_in_the_background_is_waited_for_until_it_shows_what_the_page_does(complaints):
    page = (
        "```console background\n$ sleep 0.2; echo ready; until [ -e go ]; do sleep 0.01; done;"
        " echo more; touch done; sleep 600\nready\n```\n"
        "```console\n$ touch go; until [ -e done ]; do sleep 0.01; done; echo beside\nbeside\n```"
    )
    assert complaints(page) == [None, None]


def test_what_runs_in_the_background_and_shows_something_else_is_told(complaints):
    page = '```console background retry="1s"\n$ echo wrong\nready\n```'
    (complaint,) = complaints(page)
    assert "-ready\n-...\n+wrong" in complaint


def test_a_block_for_another_cluster_is_not_run(complaints):
    page = '```console only="gpu"\n$ false\n```'
    assert complaints(page, abilities=frozenset({"local"})) == []


@pytest.fixture
def edit(complaints, tmp_path):
    def run(change):
        page = f'```diff edit="my-file.yaml"\n{change}\n```'
        return complaints(f"<!-- under test: printf 'a: 1\\nb: 2\\n' > my-file.yaml -->\n{page}")

    return run


def test_an_edit_changes_the_file_as_shown(edit, tmp_path):
    assert edit(" a: 1\n-b: 2\n+b: 3") == [None, None]
    assert (tmp_path / "my-file.yaml").read_text() == "a: 1\nb: 3\n"


def test_an_edit_that_does_not_fit_is_told_with_its_line(edit):
    complaint = edit("-c: 3\n+c: 4")[1]
    assert complaint.startswith("line 2: $ python -m modules.edit my-file.yaml")
    assert "these lines are not there:\nc: 3" in complaint


def test_the_command_line_stops_at_the_first_complaint(tmp_path):
    page, said = tmp_path / "README.md", []
    page.write_text("```console\n$ false\n$ echo next\nnext\n```")
    assert runner.main([str(page)], say=said.append) == 1
    assert not any("next" in line for line in said)


def test_a_page_that_is_not_there_is_one_sentence(tmp_path):
    said = []
    assert runner.main([str(tmp_path / "none.md")], say=said.append) == 1
    assert "none.md" in said[0]
    assert len(said) == 1


def test_a_mistake_of_the_author_is_one_sentence(tmp_path):
    page, said = tmp_path / "README.md", []
    page.write_text("```console skp\n$ true\n```")
    assert runner.main([str(page)], say=said.append) == 1
    assert said == [said[0]]
    assert "README.md: line 1: unknown attribute skp" in said[0]


def test_the_command_line_runs_in_a_copy_of_the_checkout(tmp_path):
    page, said = tmp_path / "README.md", []
    page.write_text(
        "```console\n$ pwd > "
        + str(tmp_path / "folder")
        + "; ls modules/page.py\nmodules/page.py\n"
        "$ touch my-file.yaml\n```"
    )
    assert runner.main([str(page)], say=said.append) == 0, said
    folder = (tmp_path / "folder").read_text().strip()
    assert folder != str(CHECKOUT)
    assert not os.path.exists(folder)
    assert not (CHECKOUT / "my-file.yaml").exists()


def test_a_page_that_ran_whole_leaves_its_time(tmp_path, monkeypatch):
    noted = []
    monkeypatch.setattr(times, "note", lambda page, seconds: noted.append(page))
    page = tmp_path / "README.md"
    for text, wanted in (("false", []), ("true", [page])):
        page.write_text(f"```console\n$ {text}\n```")
        runner.main([str(page)], say=lambda _: None)
        assert noted == wanted


@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGINT, id="Ctrl-C"), pytest.param(signal.SIGTERM, id="kill")],
)
def test_a_run_that_is_stopped_removes_its_copy(tmp_path, number):
    (tmp_path / "temporary").mkdir()
    page = tmp_path / "README.md"
    page.write_text(f"```console\n$ touch {tmp_path}/started; sleep 600\n```")
    process = subprocess.Popen(
        [sys.executable, "-m", "modules.runner", str(page)],
        cwd=CHECKOUT,
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not (tmp_path / "started").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.startswith("Stopped: ")
    assert list((tmp_path / "temporary").iterdir()) == []
