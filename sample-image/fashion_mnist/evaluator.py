"""EVALUATOR: tests every checkpoint as it appears, so that the chief need not stop for it.

It sees the checkpoints through a volume that it shares with the chief, and ends
when the chief has marked the run as finished.
"""

import time

import tensorflow as tf

from fashion_mnist import checkpoint, data, model, report, stopping
from fashion_mnist.cluster import Cluster
from fashion_mnist.files import require_writable
from fashion_mnist.settings import Settings
from fashion_mnist.summaries import Summaries

PAUSE_SECONDS = 1.0


def run(settings: Settings, cluster: Cluster) -> None:
    """Evaluate until the run is over. Raises: Failure."""
    require_writable(settings.log_dir, "--log-dir")
    examples = data.load_test(settings.data_dir)
    network = model.build()
    classifier = model.Classifier(network)
    summaries = Summaries(settings.log_dir, "evaluator")
    stopping.phase("while testing checkpoints")
    report.say(f"evaluator waits for checkpoints in {settings.checkpoint_dir}")
    for path in _checkpoints(settings, cluster.run_name):
        step = _restore(path, network)
        if step is not None:
            loss, accuracy = model.test(classifier, examples)
            report.checkpoint(step, accuracy, len(examples.labels))
            summaries.scalars(step, loss=loss, accuracy=accuracy)
    report.say("evaluator ends: the run is finished")


def _checkpoints(settings: Settings, run_name: str):
    """Yield each newest checkpoint once, until the run is finished and its last one done."""
    seen = None
    while True:
        finished = checkpoint.is_finished(settings.checkpoint_dir, run_name)
        newest = checkpoint.latest(settings.checkpoint_dir, run_name)
        if newest is not None and newest != seen:
            seen = newest
            yield newest
        elif finished:
            return
        else:
            time.sleep(PAUSE_SECONDS)


def _restore(path: str, network) -> int | None:
    """Read the model. Returns: its step, or None if it is damaged or deleted meanwhile."""
    step = tf.Variable(0, dtype=tf.int64, trainable=False)
    try:
        tf.train.Checkpoint(model=network, step=step).restore(path).expect_partial()
    except checkpoint.UNREADABLE:
        return None
    return int(step.numpy())
