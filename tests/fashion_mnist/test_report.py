"""The log's lines are an interface: exactly these, each seen at once."""

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
