"""Training alone, in one process: the loop, and what a run does before and after it.

`train.main` calls `run`. The distributed shapes have loops of their own and share
`Progress`, which reports, and `conclude`, which tests and saves.
"""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from fashion_mnist import data, model, report, stopping
from fashion_mnist.checkpoint import Store
from fashion_mnist.files import require_writable, writing
from fashion_mnist.settings import Settings
from fashion_mnist.summaries import Summaries

StepFunction = Callable[[int], tuple[tf.Tensor, tf.Tensor]]


def run(settings: Settings) -> None:
    """Train, test and save alone. Raises: Failure with a sentence for the user."""
    require_folders(settings)
    examples, test_examples = data.load_train(settings.data_dir), data.load_test(settings.data_dir)
    keras.utils.set_random_seed(settings.seed)
    network = model.build()
    optimizer = model.build_optimizer(settings.learning_rate, settings.max_steps)
    optimizer.build(network.trainable_variables)
    store = Store(settings.checkpoint_dir, network, optimizer)
    progress = Progress(settings, Summaries(settings.log_dir, "chief"), store)
    step_function = make_step(network, optimizer, examples, settings)
    loop(step_function, store.resume(settings.max_steps), settings, progress)
    progress.summaries.histograms(settings.max_steps, network)
    conclude(settings, network, test_examples, store)


def require_folders(settings: Settings) -> None:
    """Stop at once where one of the folders cannot be written. Raises: Failure."""
    require_writable(settings.log_dir, "--log-dir")
    require_writable(settings.save_dir, "--save-dir")
    require_writable(settings.checkpoint_dir, "--checkpoint-dir")


def make_step(
    network: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    examples: data.Examples,
    settings: Settings,
) -> StepFunction:
    """The function that trains on the batch of a step, traced once.

    The images stay where they are, as bytes; only the batch is picked, scaled and
    mirrored, inside the traced function.
    """
    images, labels = tf.constant(examples.images), tf.constant(examples.labels)

    @tf.function
    def traced(indices, seed):
        batch = model.flip_half(model.scale(tf.gather(images, indices)), seed)
        return model.learn(network, optimizer, batch, tf.gather(labels, indices))

    def step_function(step: int) -> tuple[tf.Tensor, tf.Tensor]:
        return traced(*step_input(settings, len(examples.labels), step))

    return step_function


def step_input(settings: Settings, count: int, step: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The indices of the batch, int32 [batch_size], and the seed of its mirroring, int32 [2]."""
    indices = data.batch_indices(count, settings.batch_size, settings.seed, step)
    return tf.constant(indices), tf.constant([settings.seed, step])


def loop(step_function: StepFunction, start: int, settings: Settings, progress: "Progress") -> None:
    """Run the steps from ``start``. Raises: Interruption after SIGTERM, with a checkpoint."""
    for step in range(start, settings.max_steps):
        stopping.check(progress.save, step)
        loss, accuracy = step_function(step)
        progress.done(step + 1, float(loss), float(accuracy))


class Progress:
    """Says how training goes, in the log and to TensorBoard, and saves checkpoints."""

    def __init__(self, settings: Settings, summaries: Summaries, store: Store):
        self.settings, self.summaries, self.store = settings, summaries, store
        self._seen: list[tuple[float, float]] = []

    def done(self, step: int, loss: float, accuracy: float) -> None:
        """Account for the step that made it ``step`` steps."""
        self._seen.append((loss, accuracy))
        last = step == self.settings.max_steps
        if last or step % self.settings.log_every == 0:
            self._report(step)
        if last or step % self.settings.checkpoint_every == 0:
            self.store.save(step)

    def _report(self, step: int) -> None:
        loss, accuracy = np.mean(self._seen, axis=0)
        self._seen.clear()
        report.step(step, self.settings.max_steps, loss, accuracy)
        self.summaries.scalars(step, loss=loss, accuracy=accuracy)

    def save(self, step: int) -> Path:
        self.store.save(step)
        return self.store.folder


def conclude(
    settings: Settings,
    network: keras.Model,
    test_examples: data.Examples,
    store: Store,
    save_options: tf.saved_model.SaveOptions | None = None,
) -> None:
    """Test on all test images, save the model and mark the run as finished."""
    classifier = model.Classifier(network)
    loss, accuracy = model.test(classifier, test_examples)
    report.test(accuracy, len(test_examples.labels))
    summaries = Summaries(settings.log_dir, "test")
    summaries.scalars(settings.max_steps, loss=loss, accuracy=accuracy)
    summaries.predictions(settings.max_steps, classifier, test_examples)
    with writing("the model", settings.save_dir):
        path = model.save(classifier, settings.save_dir / "model", save_options)
    report.saved(path)
    store.finish(settings.max_steps)
