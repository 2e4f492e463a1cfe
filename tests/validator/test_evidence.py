"""What a log proves."""

import pytest

from tests.validator import world
from validator import evidence
from validator.snapshot import LogLine, parse_time

START = "2026-01-31T12:00:"


def lines(*texts, seconds=2.0):
    """Log lines, ``seconds`` apart."""
    times = [parse_time(f"{START}{i * seconds:09.6f}Z") for i in range(len(texts))]
    return [LogLine(time, text) for time, text in zip(times, texts, strict=True)]


def step(number, total=500, loss="0.5000"):
    return f"step {number}/{total} loss {loss} accuracy 0.8125"


def pod(seconds=16):
    ended = {"exitCode": 0, "startedAt": f"{START}00Z", "finishedAt": f"{START}{seconds:02d}Z"}
    return {
        "status": {"containerStatuses": [{"name": "tensorflow", "state": {"terminated": ended}}]}
    }


FALLING = [step(100, loss="0.9000"), step(300, loss="0.6000"), step(500, loss="0.4000")]


def test_a_whole_log_is_read():
    training = evidence.read(
        lines(*FALLING, "test accuracy 0.8743 on 10000 images", "saved model to /tmp/a b")
    )
    assert training.last_step == 500
    assert [s.loss for s in training.steps] == [0.9, 0.6, 0.4]
    assert (training.test_accuracy, training.test_images) == (0.8743, 10000)
    assert training.saved_to == "/tmp/a b"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("step 100", id="half a line"),
        pytest.param("my step 100/500 loss 0.5 accuracy 0.8", id="words before it"),
        pytest.param("step 100/500 loss 5e-1 accuracy 0.8125", id="no fixed point"),
        pytest.param("accuracy 0.99", id="an accuracy alone"),
        pytest.param("test accuracy 99 on 10000 images", id="an accuracy in per cent"),
    ],
)
def test_another_line_is_no_evidence(text):
    training = evidence.read([LogLine(None, text)])
    assert (training.steps, training.test_accuracy) == ((), None)


@pytest.mark.parametrize(
    ("log", "ran", "words"),
    [
        pytest.param(lines(*FALLING), 16, "", id="a training hangs together"),
        pytest.param(lines(*FALLING, seconds=0.001), 16, "no machine", id="steps without time"),
        pytest.param(lines(*FALLING), 0, "less than a second", id="a container of a moment"),
        pytest.param(lines(step(200), step(100)), 16, "count upwards", id="steps that go back"),
        pytest.param(lines(step(600)), 16, "count upwards", id="more steps than the total"),
        pytest.param(lines(step(100), step(500)), 16, "did not fall", id="a loss that stays"),
        pytest.param(
            lines(step(100), step(500, loss="nan")), 16, "did not fall", id="a loss that is nan"
        ),
        pytest.param(
            [LogLine(None, text) for text in FALLING], 16, "", id="a log without times passes"
        ),
    ],
)
def test_contradictions(log, ran, words):
    said = evidence.contradiction(evidence.read(log), pod(ran))
    assert words in said
    assert bool(words) == bool(said)


@pytest.mark.parametrize(
    ("log", "words"),
    [
        pytest.param([], "before its first step", id="no line yet"),
        pytest.param(lines(step(100)), "step 100/500", id="one line gives no estimate"),
        pytest.param(
            lines(step(100), step(300)), "step 300/500, about 2 s left", id="two lines give one"
        ),
    ],
)
def test_progress(log, words):
    assert evidence.read(log).progress().startswith(words)


def test_the_hand_made_log_is_that_of_a_training():
    seen = world.spoiled()
    (made,) = seen.items("pods")
    assert evidence.contradiction(evidence.read(seen.log(made)), made) == ""
