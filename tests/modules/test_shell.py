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


def test_a_command_reads_nothing(shell):
    assert shell.run("cat; echo read") == ("read\n", 0)


def test_a_command_that_hangs_is_told_with_its_output(shell):
    with pytest.raises(ShellError, match=r"took more than 0.3 s; its output so far:\nstarted"):
        shell.run("echo started; sleep 60", timeout_seconds=0.3)


def test_a_command_that_ends_the_shell_is_told(shell):
    with pytest.raises(ShellError, match="ended the shell"):
        shell.run("exit 0")


def test_nothing_outlives_the_shell(tmp_path):
    with Shell(folder=tmp_path) as shell:
        pid, code = shell.run("sleep 600 & echo $!")
    assert code == 0
    deadline = time.monotonic() + 10
    while runs(int(pid)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def runs(pid):
    """Whether a process is there that is not merely waiting to be reaped by its new parent."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().split()[2] != "Z"
