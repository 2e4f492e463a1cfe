"""SIGTERM ends the program in time, whatever it is doing. Each case is two small processes."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fashion_mnist import stopping

READY = "print('ready', flush=True)\n"
HOLD_THE_INTERPRETER = "import ctypes; ctypes.PyDLL(None).sleep(60)\n"
SAVE = "while not stopping.asked(): time.sleep(0.01)\nprint('saved', flush=True); sys.exit(143)\n"


def start(body: str) -> subprocess.Popen:
    """A program that listens, says `ready` and goes on as ``body`` does."""
    begin = "import os, signal, sys, time\nfrom fashion_mnist import stopping\nstopping.listen()\n"
    return subprocess.Popen(
        [sys.executable, "-c", begin + body],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(stopping.__file__).parents[1])},
    )


def terminate(program: subprocess.Popen) -> tuple[int, str, float]:
    """Returns: exit code, what it printed from SIGTERM on, and how many seconds it took."""
    assert program.stdout.readline() == "ready\n"
    began = time.monotonic()
    program.send_signal(signal.SIGTERM)
    out, err = program.communicate(timeout=60)
    return program.returncode, out + err, time.monotonic() - began


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("time.sleep(60)\n", id="waits"),
        pytest.param(HOLD_THE_INTERPRETER, id="is inside a library that holds the interpreter"),
        pytest.param(
            "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)\n",
            id="has had its handler replaced by a library",
        ),
    ],
)
def test_before_there_is_anything_to_save_it_ends_at_once_though_it(body):
    code, printed, seconds = terminate(start(READY + body))
    assert code == 143
    assert printed == "Asked to end before the training began: there is nothing to save.\n"
    assert seconds < 5


def test_with_something_to_save_it_saves_and_ends_by_itself():
    code, printed, seconds = terminate(start("stopping.phase('late', 30)\n" + READY + SAVE))
    assert (code, printed) == (143, "saved\n")
    assert seconds < 5


def test_saving_does_not_take_longer_than_it_may():
    body = "stopping.phase('too late', 0.5)\n" + READY + HOLD_THE_INTERPRETER
    code, printed, seconds = terminate(start(body))
    assert (code, printed) == (143, "Asked to end too late.\n")
    assert 0.5 <= seconds < 5


def test_a_phase_in_which_nothing_is_left_to_do_ends_with_its_own_code():
    body = "stopping.phase('after all', exit_code=0)\n" + READY + "time.sleep(60)\n"
    assert terminate(start(body))[:2] == (0, "Asked to end after all.\n")


def test_a_phase_ends_when_it_has_lasted_too_long():
    program = start("stopping.phase('while alone', limit_seconds=0.2)\n" + HOLD_THE_INTERPRETER)
    assert program.communicate(timeout=60)[1] == "Gave up after 0.2 seconds while alone.\n"
    assert program.returncode == 143


@pytest.mark.parametrize(
    ("end", "code"),
    [
        pytest.param("sys.exit(0)", 0, id="is done"),
        pytest.param("sys.exit(1)", 1, id="fails"),
        pytest.param("os.kill(os.getpid(), signal.SIGABRT)", 134, id="is aborted by TensorFlow"),
        pytest.param("os.kill(os.getpid(), signal.SIGKILL)", 137, id="has no memory left"),
    ],
)
def test_the_exit_code_is_that_of_the_program_when_it(end, code):
    assert start(end).wait(60) == code


def test_nobody_asks_a_program_that_does_not_listen():
    stopping.phase("in a test")
    assert not stopping.asked()
