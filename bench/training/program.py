"""One run of the program in this process, with the time that each part takes.

`python -m bench.training` starts it as a process of its own, since the first part is
the import. It does what `fashion_mnist.training.run` does, with a clock in between,
and prints its figures as one line of JSON.
"""

import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

STARTED = time.perf_counter()

# The program's settings of TensorFlow must come first.
import fashion_mnist.train  # noqa: E402, F401

# isort: split
import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from fashion_mnist import data, model, training  # noqa: E402
from fashion_mnist.checkpoint import Store  # noqa: E402
from fashion_mnist.settings import Settings  # noqa: E402
from fashion_mnist.summaries import Summaries  # noqa: E402

PROBES = 200


class Clock:
    """Seconds by part, in the order in which they were measured."""

    def __init__(self):
        self.parts = {"import": time.perf_counter() - STARTED}
        self._last = time.perf_counter()

    def lap(self, part: str) -> None:
        now = time.perf_counter()
        self.parts[part] = self.parts.get(part, 0.0) + now - self._last
        self._last = now


class TimedSummaries(Summaries):
    """Knows how long TensorBoard's files took."""

    seconds = 0.0

    def scalars(self, step: int, **values: float) -> None:
        before = time.perf_counter()
        super().scalars(step, **values)
        self.seconds += time.perf_counter() - before


def measure(settings: Settings) -> dict:
    """Train, test and save. Returns: seconds by part, and the test accuracy."""
    clock = Clock()
    examples, test_examples = data.load_train(settings.data_dir), data.load_test(settings.data_dir)
    clock.lap("reading the data")
    keras.utils.set_random_seed(settings.seed)
    network = model.build()
    optimizer = model.build_optimizer(settings.learning_rate, settings.max_steps)
    optimizer.build(network.trainable_variables)
    store = Store(settings.checkpoint_dir, network, optimizer)
    summaries = TimedSummaries(settings.log_dir, "chief")
    progress = training.Progress(settings, summaries, store)
    step = training.make_step(network, optimizer, examples, settings)
    clock.lap("building")
    loss, accuracy = step(0)
    progress.done(1, float(loss), float(accuracy))
    clock.lap("tracing")
    training.loop(step, 1, settings, progress)
    clock.lap("steps")
    training.conclude(settings, network, test_examples, store)
    clock.lap("testing and saving")
    _, accuracy = model.test(model.Classifier(network), test_examples)
    return {
        "parts": clock.parts,
        "accuracy": accuracy,
        "input": _input_seconds(settings, examples) * settings.max_steps,
        "summaries": summaries.seconds,
    }


def _input_seconds(settings: Settings, examples: data.Examples) -> float:
    """What picking, scaling and mirroring one batch takes, without learning from it."""
    images = tf.constant(examples.images)

    @tf.function
    def batch(indices, seed):
        return tf.reduce_sum(model.flip_half(model.scale(tf.gather(images, indices)), seed))

    batch(*training.step_input(settings, len(examples.labels), 0))
    before = time.perf_counter()
    for step in range(PROBES):
        batch(*training.step_input(settings, len(examples.labels), step))
    return (time.perf_counter() - before) / PROBES


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        settings = replace(
            Settings(),
            save_dir=place,
            log_dir=place / "logs",
            checkpoint_dir=place / "checkpoints",
            **({"max_steps": int(sys.argv[1])} if len(sys.argv) > 1 else {}),
        )
        print(json.dumps(measure(settings)))
