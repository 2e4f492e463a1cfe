"""How long a step took, read from a log."""

import io

import pytest

from modules import pace

LOG = """\
2026-11-25T23:52:37.775144220Z chief of the cluster chief j-master-m6db-0:2222
2026-11-25T23:52:42.612017170Z step 50/1000 loss 0.9950 accuracy 0.6545
2026-11-25T23:52:44.289474358Z step 100/1000 loss 0.7140 accuracy 0.7584
2026-11-25T23:52:52.112017170Z step 1000/1000 loss 0.2464 accuracy 0.9109
2026-11-25T23:53:12.043724409Z worker 0 took 502 steps
"""


def test_the_time_between_the_first_line_and_the_last_is_shared_by_their_steps():
    assert pace.pace(LOG) == "950 steps in 9.5 s: 10.0 ms a step"


def test_a_zone_of_its_own_is_read():
    assert pace.pace(LOG.replace("Z ", "+01:00 ")) == pace.pace(LOG)


@pytest.mark.parametrize(
    "log",
    [
        pytest.param("", id="no log"),
        pytest.param("".join(LOG.splitlines(keepends=True)[:2]), id="one line"),
        pytest.param("step 50/1000\nstep 100/1000\n", id="no times"),
    ],
)
def test_a_log_that_does_not_say_it_is_one_sentence(log, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(log))
    assert pace.main() == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "--timestamps" in said.err
