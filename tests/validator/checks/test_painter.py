"""What counts as a run of the painter: its words, its log, and the times in it."""

from datetime import UTC, datetime, timedelta

import pytest

from validator import painter
from validator.snapshot import Log, LogLine

START = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
COMMAND = ["python", "-m", "painting.train"]


def container(*args, command=COMMAND, **more):
    return {"name": "tensorflow", "command": command, "args": list(args), **more}


def pod(*args, **more):
    made = container(*args, **more)
    ended = {
        "exitCode": 0,
        "startedAt": START.isoformat(),
        "finishedAt": (START + timedelta(seconds=20)).isoformat(),
    }
    status = {"name": "tensorflow", "state": {"terminated": ended}}
    return {"spec": {"containers": [made]}, "status": {"containerStatuses": [status]}}


def log(*words, first=8.0, apart=1.0, cut=False):
    times = [START + timedelta(seconds=first + apart * n) for n in range(len(words))]
    return Log(tuple(map(LogLine, times, words)), cut)


STEPS = [f"step {n}00/500 loss 0.0{9 - n}000" for n in range(1, 6)]
SOUND = [*STEPS, "", "  . : + # @", "painted /tmp/painting/painting.png"]


def cause_of(written, *args):
    made = pod(*(args or ("--max-steps=500",)))
    found = painter.doubt(painter.read(written), made, made["spec"]["containers"][0])
    return found.cause if found else ""


def test_a_sound_log_is_read():
    found = painter.read(log(*SOUND))
    assert (found.loss, len(found.lines), found.done) == (0.04, 5, True)
    assert cause_of(log(*SOUND)) == ""


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        pytest.param(log(), "few-lines", id="an empty log"),
        pytest.param(log(*SOUND[-4:]), "few-lines", id="two lines"),
        pytest.param(log(*SOUND[:-1]), "no-end", id="nothing was painted"),
        pytest.param(log(*STEPS[:4], SOUND[-1]), "steps", id="it stopped before its last step"),
        pytest.param(log(*reversed(STEPS), SOUND[-1]), "order", id="steps that count down"),
        pytest.param(log(*SOUND, apart=0.0), "too-fast", id="all lines at once"),
        pytest.param(log(*SOUND, first=0.2), "too-early", id="before TensorFlow can start"),
        pytest.param(log(*SOUND, first=30.0), "too-late", id="after the container's end"),
        pytest.param(
            Log(tuple(LogLine(None, words) for words in SOUND)), "no-times", id="without times"
        ),
    ],
)
def test_a_log_that_cannot_be_the_painters(written, cause):
    assert cause_of(written) == cause


def test_a_log_of_other_steps_than_asked_for_is_not_this_runs():
    assert cause_of(log(*SOUND), "--max-steps=600") == "steps"


def test_what_is_missing_of_a_log_that_was_cut_is_not_held_against_it():
    made = pod("--max-steps=500")
    cut = painter.read(log(*STEPS, cut=True))
    found = painter.doubt(cut, made, made["spec"]["containers"][0])
    assert (found.cause, found.certain) == ("no-end", False)


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        pytest.param(["--learning-rate=0.01", "--hidden-layers=7"], (0.01, 7), id="with ="),
        pytest.param(["--learning-rate", "1e-2", "--hidden-layers", "7"], (0.01, 7), id="words"),
        pytest.param([], (0.001, 4), id="the program's defaults"),
        pytest.param(["--learning-rate=1", "--learning-rate=0.1"], (0.1, 4), id="the last wins"),
    ],
)
def test_the_choice_is_what_the_program_takes(args, wanted):
    assert painter.choice(container(*args)) == painter.Choice(*wanted)


def test_words_that_are_no_number_are_no_choice():
    assert painter.choice(container("--learning-rate=fast")) is None


@pytest.mark.parametrize(
    ("made", "cause"),
    [
        pytest.param(container(), "", id="the painter"),
        pytest.param(container(command=["env", "--block-signal=TERM", *COMMAND]), "", id="as the "
                     "image starts its program"),
        pytest.param(container(command=None), "command", id="the image's training"),
        pytest.param(container(command=["sh", "-c", "python -m painting.train"]), "wrapped",
                     id="in a shell"),
        pytest.param(container(command=["echo", "painting.train"]), "wrapped", id="its name"),
    ],
)  # fmt: skip
def test_only_the_painter_is_the_painter(made, cause):
    found = painter.another_program({"containers": [made]}, made)
    assert (found.cause if found else "") == cause


def test_a_variable_that_may_lead_to_code_in_a_volume_is_unclear():
    made = container(
        env=[{"name": "PYTHONPATH", "value": "/runs/code"}],
        volumeMounts=[{"name": "runs", "mountPath": "/runs"}],
    )
    volume = {"name": "runs", "persistentVolumeClaim": {"claimName": "module7-runs"}}
    found = painter.another_program({"containers": [made], "volumes": [volume]}, made)
    assert (found.cause, found.certain) == ("code-variable", False)
