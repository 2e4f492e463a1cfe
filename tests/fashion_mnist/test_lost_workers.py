"""A lost worker is told once, in one line, and once more when it takes steps again."""

import logging

import pytest
import tensorflow as tf

from fashion_mnist.lost_workers import LostWorkers

DEVICE = "/job:worker/replica:0/task:%d"
ERROR = tf.errors.UnavailableError(
    None, None, "2 root error(s) found.\n  (0) UNAVAILABLE:  Socket closed\n\t [[{{node x}}]]"
)


@pytest.fixture
def lost():
    return LostWorkers(2)


def tensorflow_says(lost: LostWorkers, index: int) -> logging.LogRecord:
    """TensorFlow's own message, as its WorkerPreemptionHandler logs it."""
    args = (DEVICE % index, ERROR, ERROR)
    record = logging.LogRecord(
        "tensorflow", logging.ERROR, "", 0, "Worker %s failed with %r:%s", args, None
    )
    assert lost.filter(record)
    return record


def test_tensorflows_many_lines_of_error_become_one_warning(lost, capsys):
    record = tensorflow_says(lost, 1)
    assert record.levelname == "WARNING"
    expected = f"Worker {DEVICE % 1} failed with UnavailableError: Socket closed"
    assert record.getMessage() == expected


def test_other_messages_are_left_as_they_are(lost):
    record = logging.LogRecord("tensorflow", logging.ERROR, "", 0, "else: %s", ("x\ny",), None)
    assert lost.filter(record)
    assert (record.levelname, record.getMessage()) == ("ERROR", "else: x\ny")


def test_a_loss_that_is_noticed_twice_is_told_once(lost, capsys):
    tensorflow_says(lost, 1)
    lost.lost(1)
    expected = "worker 1 is lost: the others take its steps until it is back\n"
    assert capsys.readouterr().out == expected


def test_a_worker_is_back_when_it_takes_a_step_that_was_handed_out_after_its_loss(lost, capsys):
    lost.handed_out = 10
    lost.lost(1)
    capsys.readouterr()
    lost.took(1, 9)  # taken before the loss, answered after it
    lost.took(0, 12)
    assert capsys.readouterr().out == ""
    lost.took(1, 11)
    lost.took(1, 12)
    assert capsys.readouterr().out == "worker 1 is back\n"


def test_it_may_be_lost_again(lost, capsys):
    for step in (1, 2):
        lost.lost(0)
        lost.took(0, step)
    assert capsys.readouterr().out.count("worker 0 is lost") == 2
