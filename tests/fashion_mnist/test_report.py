"""The log's lines are an interface: exactly these, each seen at once."""

import os
import subprocess
import sys
from pathlib import Path

from fashion_mnist import report


def test_the_lines_are_as_documented(capsys):
    report.step(100, 500, 0.51234, 0.8125)
    report.test(0.8743, 10_000)
    report.saved("/data/model")
    report.worker_share(0, 512)
    report.worker_lost(1, workers=2)
    report.worker_back(1)
    report.prediction(3, "Shirt", 0.799, "Coat")
    report.answer("Ankle boot", 0.971)
    assert capsys.readouterr().out.splitlines() == [
        "step 100/500 loss 0.5123 accuracy 0.8125",
        "test accuracy 0.8743 on 10000 images",
        "saved model to /data/model",
        "worker 0 took 512 steps",
        "worker 1 is lost: the others take its steps until it is back",
        "worker 1 is back",
        "image 3: the model says Shirt (79 %), it is Coat: wrong",
        "Ankle boot 0.97",
    ]


def test_a_tiny_loss_is_not_written_with_an_exponent(capsys):
    report.step(1, 1, 1e-7, 1.0)
    assert capsys.readouterr().out == "step 1/1 loss 0.0000 accuracy 1.0000\n"


def test_a_line_is_seen_while_the_program_goes_on():
    code = "from fashion_mnist import report; report.say('now'); import time; time.sleep(600)"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(Path(report.__file__).parents[1])},
    ) as program:
        assert program.stdout.readline() == b"now\n"
        program.kill()


SAY = """import os, sys
from fashion_mnist import failure, report
code = failure.exit_code_of(lambda: report.say("now"))
sys.stdout.flush()
os._exit(code)
"""


def said_to(output) -> tuple[int, str]:
    """Returns: the exit code of a program that says a line to ``output``, and its errors."""
    done = subprocess.run(
        [sys.executable, "-c", SAY],
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(report.__file__).parents[1])},
    )
    return done.returncode, done.stderr


def test_a_program_whose_output_nobody_reads_any_more_ends_without_a_word():
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as unread:
        assert said_to(unread) == (141, "")


def test_an_output_that_cannot_be_written_is_one_sentence():
    with open("/dev/full", "w") as full:
        code, errors = said_to(full)
    assert code == 1
    assert errors.startswith("Cannot write to the standard output: No space left on device; ")
    assert errors.count("\n") == 1
