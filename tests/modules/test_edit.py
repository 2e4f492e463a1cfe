"""Changing a file as a page shows it: exactly there, exactly once, or not at all."""

import io

import pytest

from modules.edit import EditError, applied, hunks, main

FILE = "a: 1\nb: 2\nc: 3\nb: 2\nd: 4\n"


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        pytest.param(["-c: 3", "+c: 4"], "a: 1\nb: 2\nc: 4\nb: 2\nd: 4\n", id="a line replaced"),
        pytest.param([" a: 1", "+x: 0"], "a: 1\nx: 0\nb: 2\nc: 3\nb: 2\nd: 4\n", id="a new line"),
        pytest.param(["-a: 1"], "b: 2\nc: 3\nb: 2\nd: 4\n", id="a line less"),
        pytest.param(
            [" c: 3", "-b: 2", "+b: 5"],
            "a: 1\nb: 2\nc: 3\nb: 5\nd: 4\n",
            id="a line that is there twice, told by its neighbour",
        ),
        pytest.param(
            ["-a: 1", "+a: 9", "@@", "-d: 4", "+d: 9"],
            "a: 9\nb: 2\nc: 3\nb: 2\nd: 9\n",
            id="two places",
        ),
        pytest.param(
            ["-c: 3  ", "+c: 4"], "a: 1\nb: 2\nc: 4\nb: 2\nd: 4\n", id="spaces at its end"
        ),
    ],
)
def test_a_change_is_applied(change, wanted):
    assert applied(FILE, hunks(change)) == wanted


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param(["-e: 5", "+e: 6"], "these lines are not there:\ne: 5", id="not there"),
        pytest.param(["-b: 2"], "these lines are there 2 times, not once:\nb: 2", id="twice"),
        pytest.param([" a: 1", "-c: 3"], "these lines are not there", id="not neighbours"),
    ],
)
def test_a_change_that_does_not_fit_is_refused(change, complaint):
    with pytest.raises(EditError, match=complaint):
        applied(FILE, hunks(change))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param([], "changes nothing", id="empty"),
        pytest.param([" a: 1"], "changes nothing", id="only what is there"),
        pytest.param(["+a: 1"], "does not say where", id="only what comes"),
        pytest.param(["a: 1"], "begins neither with a space nor", id="no mark"),
    ],
)
def test_what_is_no_change_is_refused(change, complaint):
    with pytest.raises(EditError, match=complaint):
        hunks(change)


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    def run(text, *arguments):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        code = main([*arguments, str(tmp_path / "new" / "file")])
        return code, tmp_path / "new" / "file", capsys.readouterr().err

    return run


def test_a_file_is_written_with_its_folder(run):
    code, file, _ = run("a: 1\n", "--write")
    assert (code, file.read_text()) == (0, "a: 1\n")


def test_a_change_that_does_not_fit_leaves_the_file_as_it_is(run):
    run(FILE, "--write")
    code, file, said = run("-e: 5\n+e: 6\n")
    assert (code, file.read_text()) == (1, FILE)
    assert "these lines are not there" in said


def test_a_file_that_is_not_there_is_one_sentence(run):
    code, _, said = run("-a: 1\n")
    assert code == 1
    assert said.count("\n") == 1
