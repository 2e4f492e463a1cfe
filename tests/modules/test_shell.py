"""The one shell of a page: what lasts, what is told, what is refused."""

import time
from pathlib import Path

import pytest

from modules.shell import Shell, ShellError


@pytest.fixture
def shell(tmp_path):
    with Shell(folder=tmp_path) as shell:
        yield shell


def test_folder_and_variables_last(shell, tmp_path):
    (tmp_path / "inner").mkdir()
    shell.run("cd inner; export WORD='a b'; local_word=c")
    assert shell.run('basename "$PWD"; echo "$WORD $local_word"') == ("inner\na b c\n", 0)


def test_both_streams_come_in_order_with_the_exit_code(shell):
    assert shell.run("echo one; echo two >&2; (exit 7)") == ("one\ntwo\n", 7)


def test_quotes_and_here_documents_arrive_as_written(shell):
    assert shell.run("cat <<'END'\n$HOME \"'`\nEND") == ("$HOME \"'`\n", 0)


def test_output_of_one_command_is_not_that_of_the_next(shell):
    shell.run("printf no-newline")
    assert shell.run("echo second") == ("second\n", 0)


def test_what_runs_in_the_background_does_not_write_into_a_later_output(shell, tmp_path):
    shell.run("(until [ -e go ]; do sleep 0.01; done; echo late; touch done) &")
    go_and_wait = "echo second; touch go; until [ -e done ]; do sleep 0.01; done; echo third"
    assert shell.run(go_and_wait) == ("second\nthird\n", 0)


@pytest.mark.parametrize(
    ("before", "shown"),
    [
        pytest.param("(exit 3)", "3\n", id="a failure"),
        pytest.param("false || true", "0\n", id="a success"),
    ],
)
def test_the_exit_code_of_the_command_before_can_be_asked_for(shell, before, shown):
    shell.run(before)
    assert shell.run("echo $?") == (shown, 0)


def test_the_exit_code_can_be_asked_for_once_as_in_a_terminal(shell):
    shell.run("(exit 3)")
    shell.run("echo $?")
    assert shell.run("echo $?") == ("0\n", 0)


def test_a_failure_after_set_e_is_reported_and_the_shell_goes_on(shell):
    assert shell.run("set -e") == ("", 0)
    assert shell.run("(exit 3)") == ("", 3)
    assert shell.run("echo $?; echo next") == ("3\nnext\n", 0)


def test_a_command_reads_nothing(shell):
    assert shell.run("cat; echo read") == ("read\n", 0)


def test_a_command_that_hangs_is_told_with_its_output(shell):
    with pytest.raises(ShellError, match=r"took more than 0.3 s; its output:\nstarted"):
        shell.run("echo started; sleep 60", timeout_seconds=0.3)


def test_the_last_words_of_a_command_that_hangs_are_told(shell, tmp_path):
    script = "trap 'echo last words; exit 1' INT; echo started; while :; do sleep 0.05; done"
    (tmp_path / "script").write_text(script)
    with pytest.raises(ShellError, match=r"started\nlast words"):
        shell.run("bash script", timeout_seconds=0.5)


def test_a_shell_that_was_ended_for_time_says_so(shell):
    with pytest.raises(ShellError):
        shell.run("sleep 60", timeout_seconds=0.1)
    assert shell.has_ended()


def test_a_command_that_ends_the_shell_is_told(shell):
    with pytest.raises(ShellError, match="`exit 0` ended the shell"):
        shell.run("exit 0")


def test_a_command_in_the_background_has_a_log_of_its_own(shell):
    log = shell.start("echo started; sleep 600")
    assert shell.run("echo beside") == ("beside\n", 0)
    eventually(lambda: log.read_text() == "started\n")


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(lambda shell: shell.run("sleep 600 & echo $!")[0], id="by the page"),
        pytest.param(lambda shell: first_line(shell.start("echo $BASHPID; sleep 600")), id="by us"),
    ],
)
def test_nothing_outlives_the_shell(tmp_path, start):
    with Shell(folder=tmp_path) as shell:
        pid = int(start(shell))
        assert runs(pid)
    eventually(lambda: not runs(pid))


def first_line(log):
    eventually(lambda: log.read_text().endswith("\n"))
    return log.read_text()


def eventually(holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def runs(pid):
    """Whether a process is there that is not merely waiting to be reaped by its new parent."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().split()[2] != "Z"
