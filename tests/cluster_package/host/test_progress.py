import pytest

from cluster.host import progress


@pytest.mark.parametrize(
    ("seconds", "lines"),
    [
        pytest.param(60.0, ["Programs: 1 of 9 …"], id="within a minute"),
        pytest.param(0.0, ["Programs: 1 of 9 …", "Programs: 2 of 9 …"], id="a minute later"),
    ],
)
def test_a_log_has_a_line_a_minute_and_the_time_at_the_end(seconds, lines, monkeypatch, capsys):
    monkeypatch.setattr(progress, "LOG_SECONDS", seconds)
    with progress.line("Programs") as say:
        say("1 of 9")
        say("2 of 9")
    assert capsys.readouterr().out.splitlines() == [*lines, "Programs: 0 s"]


def test_what_had_nothing_to_do_says_nothing(capsys):
    with progress.line("Programs"):
        pass
    assert capsys.readouterr().out == ""


def fail():
    with progress.line("Programs") as say:
        say("1 of 9")
        raise ValueError


def test_what_fails_has_no_time_at_the_end(capsys):
    with pytest.raises(ValueError):
        fail()
    assert capsys.readouterr().out == "Programs: 1 of 9 …\n"
