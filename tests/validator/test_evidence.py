"""What a log proves."""

import pytest

from validator import evidence
from validator.snapshot import Log, LogLine, parse_time

START = "2026-01-31T12:00:"
ME = "chief of the cluster chief module5-ex1-master-ab12-0:2222"
END = ["test accuracy 0.8743 on 10000 images", "saved model to /tmp/a b"]


def log(*texts, seconds=2.0, first=4.0, cut=False):
    """A log whose lines are ``seconds`` apart."""
    times = [parse_time(f"{START}{first + i * seconds:09.6f}Z") for i in range(len(texts))]
    pairs = zip(times, texts, strict=True)
    return Log(tuple(LogLine(time, text) for time, text in pairs), cut)


def step(number, total=500, loss="0.5000"):
    return f"step {number}/{total} loss {loss} accuracy 0.8125"


def pod(*args, finished=30, **container):
    ended = {"exitCode": 0, "startedAt": f"{START}00Z", "finishedAt": f"{START}{finished:02d}Z"}
    mine = {"name": "tensorflow", "args": ["--max-steps", "500", *args], **container}
    status = {"name": "tensorflow", "state": {"terminated": ended}}
    return {"spec": {"containers": [mine]}, "status": {"containerStatuses": [status]}}


STEPS = [step(100, loss="0.9000"), step(300, loss="0.6000"), step(500, loss="0.4000")]
WHOLE = [ME, *STEPS, *END]


def test_a_whole_log_is_read():
    training = evidence.read(log(*WHOLE))
    assert training.last_step == 500
    assert [s.loss for s in training.steps] == [0.9, 0.6, 0.4]
    assert (training.test_accuracy, training.test_images) == (0.8743, 10000)
    assert (training.saved_to, training.tests) == ("/tmp/a b", 1)
    assert training.hosts == "chief module5-ex1-master-ab12-0:2222"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("step 100", id="half a line"),
        pytest.param("my step 100/500 loss 0.5 accuracy 0.8", id="words before it"),
        pytest.param("step 100/500 loss 5e-1 accuracy 0.8125", id="no fixed point"),
        pytest.param("accuracy 0.99", id="an accuracy alone"),
        pytest.param("test accuracy 99 on 10000 images", id="an accuracy in per cent"),
        pytest.param(f"step {'9' * 5000}/{'9' * 5000} loss 0.1 accuracy 0.9", id="a huge number"),
        pytest.param("\r".join(WHOLE), id="carriage returns in place of line feeds"),
    ],
)
def test_another_line_is_no_evidence(text):
    training = evidence.read(Log((LogLine(None, text),)))
    assert (training.steps, training.test_accuracy, training.worker_steps) == ((), None, {})


def test_a_line_that_was_made_to_be_slow_is_not():
    words = "/job:worker/replica:0/task:1 " * 40_000
    assert evidence.read(Log((LogLine(None, words),))).lost == ()


def doubt(written, made=None, runtime="ab12"):
    found = evidence.doubt(evidence.read(written), made or pod(), "tensorflow", runtime)
    return (found.cause, found.certain) if found else None


@pytest.mark.parametrize(
    ("written", "made", "expected"),
    [
        pytest.param(log(*WHOLE), pod(), None, id="a training hangs together"),
        pytest.param(
            log(*(w.replace("ab12", "zz99") for w in WHOLE)), pod(), ("other-log", True),
            id="somebody else's",
        ),
        pytest.param(log(*STEPS, *END), pod(), ("other-log", True), id="nobody's"),
        pytest.param(
            log(ME, step(200), step(100), step(500), *END), pod(), ("order", True),
            id="steps that go back",
        ),
        pytest.param(
            log(ME, step(50), step(60), step(600), *END), pod(), ("order", True),
            id="more steps than the total",
        ),
        pytest.param(
            log(ME, step(1, 1), step(100), step(500), *END), pod(), ("totals", True),
            id="two trainings",
        ),
        pytest.param(
            log(*WHOLE, END[0]), pod(), ("twice", True), id="two test accuracies"
        ),
        pytest.param(
            log(*WHOLE), pod("--max-steps=1"), ("not-asked", True),
            id="other steps than the program was told",
        ),
        pytest.param(
            log(*WHOLE), pod(args=["--seed", "7"]), ("not-asked", True),
            id="no number of steps, and not the image's own",
        ),
        pytest.param(
            log(ME, step(500), *END), pod(), ("few-lines", True), id="one line"
        ),
        pytest.param(
            log(ME, step(500), *END), pod("--log-every", "500"), ("few-lines", False),
            id="one line, as asked: nobody's fault",
        ),
        pytest.param(
            log(*WHOLE, seconds=0.001), pod(), ("too-fast", True), id="steps without time"
        ),
        pytest.param(
            log(*WHOLE, first=0.1, seconds=0.2), pod(), ("too-early", True),
            id="before TensorFlow can start",
        ),
        pytest.param(
            log(*WHOLE), pod(finished=5), ("too-late", False), id="after the end: a clock?"
        ),
        pytest.param(
            Log(tuple(LogLine(None, words) for words in WHOLE)), pod(), ("no-times", True),
            id="lines without a time",
        ),
        pytest.param(
            log(ME, step(100), step(300), step(500), *END), pod(), ("loss", True),
            id="a loss that stays",
        ),
        pytest.param(
            log(ME, *STEPS[:2], step(500, loss="nan"), *END), pod(), ("loss", True),
            id="a loss that is nan",
        ),
        pytest.param(log(ME, *STEPS), pod(), ("no-end", True), id="no end"),
        pytest.param(log(ME, *STEPS, END[1]), pod(), ("no-end", True), id="no test"),
        pytest.param(log(ME, *STEPS, cut=True), pod(), None, id="an end that was cut"),
    ],
)  # fmt: skip
def test_what_contradicts_a_training(written, made, expected):
    assert doubt(written, made) == expected


def test_times_that_go_back_are_a_clock_that_was_set():
    lines = log(*WHOLE).lines
    swapped = (lines[0], lines[2]._replace(text=lines[1].text), lines[1], *lines[3:])
    swapped = (swapped[0], swapped[1], swapped[2]._replace(text=lines[2].text), *swapped[3:])
    assert doubt(Log(swapped)) == ("time-order", False)


RESUMED = "resuming at step 300 from /tmp/fashion-mnist/checkpoints/ckpt-300"


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(log(ME, RESUMED, *STEPS[2:], *END), id="with a step left"),
        pytest.param(log(ME, RESUMED.replace("300", "500"), *END), id="with none left"),
        pytest.param(
            log(ME, RESUMED, step(450, loss="0.2229"), step(500, loss="0.2316"), *END),
            id="with a loss that no longer falls",
        ),
    ],
)
def test_a_training_that_resumed_needs_fewer_lines_and_no_falling_loss(written):
    assert doubt(written) is None
    assert evidence.read(written).last_step == 500


@pytest.mark.parametrize(
    ("args", "steps"),
    [
        (["--max-steps", "500"], 500),
        (["--max-step", "500"], 500),
        (["--max-steps", "1", "--max-steps=500"], 500),
        (["--max-steps", "many"], None),
        (["--max-steps", "9" * 30], None),
        (["--max-steps", "$(STEPS)"], None),
        (["$(OPTIONS)"], None),
        ([], 2200),
    ],
)
def test_the_steps_that_were_asked_for(args, steps):
    assert evidence.asked_steps({"args": args}) == steps


CURVED = [
    step(n, loss=f"{loss}") for n, loss in ((50, 1.3651), (100, 0.7), (300, 0.44), (500, 0.38))
]


@pytest.mark.parametrize(
    ("lines", "args", "cause"),
    [
        pytest.param(CURVED, [], None, id="the image's own"),
        pytest.param([*CURVED[:3], step(500, loss="0.0100")], [], "curve", id="too good"),
        pytest.param([*CURVED[:3], step(500, loss="0.0100")], ["--seed", "7"], None, id="a seed"),
        pytest.param([*CURVED[:3], step(500, loss="0.0100")], ["--log-ev=9"], None, id="cut name"),
        pytest.param([*CURVED[:3], step(500, loss="0.0100")], ["--save-dir", "/x"], "curve",
                     id="a folder changes nothing"),
    ],
)  # fmt: skip
def test_the_loss_follows_the_curve_of_the_seed(lines, args, cause):
    container = {"args": ["--max-steps", "500", *args]}
    found = evidence.off_the_curve(evidence.read(log(*lines)), container)
    assert (found.cause if found else None) == cause


def test_the_options_in_a_script_change_the_curve_too():
    script = "python -m fashion_mnist.train --max-steps 500 --batch-size 64"
    low = evidence.read(log(*CURVED[:3], step(500, loss="0.0100")))
    assert evidence.off_the_curve(low, {"command": ["sh", "-c", script]}) is None


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("worker 1 is lost: the others take its steps until it is back", 1),
        ("ERROR:tensorflow:Worker /job:worker/replica:0/task:1 failed with UnavailableError():2 "
         "root error(s) found.", 1),
        ("Additional GRPC error information from remote target /job:worker/replica:0/task:1/"
         "device:CPU:0 while calling /tensorflow.eager.EagerService/RunComponentFunction:", 0),
        ("  (0) UNAVAILABLE: {{function_node __wrapped__Identity_device_/job:chief/replica:0}}", 0),
        ("waiting for worker 1 at HOST:2222: it does not answer yet (Connection refused)", 0),
        ("worker 1 took 918 steps", 0),
    ],
)  # fmt: skip
def test_the_chief_says_that_a_worker_is_lost(text, lost):
    assert len(evidence.read(log(text)).lost) == lost


@pytest.mark.parametrize(
    ("written", "words"),
    [
        pytest.param(log(), "no step printed yet", id="no line yet"),
        pytest.param(log(step(100)), "step 100/500", id="one line gives no estimate"),
        pytest.param(log(step(100), step(300)), "step 300/500, about 2 s left", id="two give one"),
    ],
)
def test_progress(written, words):
    assert evidence.read(written).progress().startswith(words)
