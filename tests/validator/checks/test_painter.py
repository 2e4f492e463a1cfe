"""What counts as a run of the painter: its words, its log, and the times in it."""

from datetime import UTC, datetime, timedelta

import pytest

from validator import painter
from validator.program import another_program
from validator.snapshot import Log, LogLine, Unreadable

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


def shell(script):
    return container(command=["sh", "-c", script])


def test_the_choice_in_a_script_is_the_programs():
    made = shell("exec python -m painting.train --learning-rate=0.01 --hidden-layers 7")
    assert painter.choice(made) == painter.Choice(0.01, 7)


def test_of_a_script_that_cannot_be_read_no_default_is_told():
    with pytest.raises(Unreadable):
        painter.choice(shell("sh /runs/run.sh painting.train"))


@pytest.mark.parametrize(
    ("made", "cause"),
    [
        pytest.param(container(), "", id="the painter"),
        pytest.param(container(command=["env", "--block-signal=TERM", *COMMAND]), "", id="as the "
                     "image starts its program"),
        pytest.param(container(command=None), "command", id="the image's training"),
        pytest.param(container(command=["python", "-u", "-m", "painting.train"]), "",
                     id="with an option of python"),
        pytest.param(container(command=["/opt/venv/bin/python", "-m", "painting.train"]), "",
                     id="by its path"),
        pytest.param(shell("exec python -m painting.train --learning-rate=0.1"), "",
                     id="in a shell"),
        pytest.param(shell("for i in 1 2; do python -m painting.train; done"), "unclear",
                     id="in a loop"),
        pytest.param(shell("python -m painting.train --learning-rate=$RATE"), "unclear",
                     id="with a variable of the shell"),
        pytest.param(shell("python -m painting.train; exit; python -m painting.train --seed=2"),
                     "unclear", id="twice"),
        pytest.param(container("--log-dir=/runs/$(NAME)"), "unclear",
                     id="with a variable of the Pod"),
        pytest.param(container("--learning-rate=$rate"), "", id="with a word that is no variable"),
        pytest.param(container(command=["echo", "painting.train"]), "unclear", id="its name"),
        pytest.param(shell("python -m painting.train; echo painted /tmp/x"), "prints",
                     id="and a line of its log"),
    ],
)  # fmt: skip
def test_only_the_painter_is_the_painter(made, cause):
    found = another_program({"containers": [made]}, made, painter.MODULE)
    assert (found.cause if found else "") == cause
    assert found is None or found.certain == (cause != "unclear")


def test_a_variable_that_may_lead_to_code_in_a_volume_is_unclear():
    made = container(
        env=[{"name": "PYTHONPATH", "value": "/runs/code"}],
        volumeMounts=[{"name": "runs", "mountPath": "/runs"}],
    )
    volume = {"name": "runs", "persistentVolumeClaim": {"claimName": "module7-runs"}}
    pod = {"containers": [made], "volumes": [volume]}
    found = another_program(pod, made, painter.MODULE)
    assert (found.cause, found.certain) == ("code-variable", False)
