"""Training alone, in one process: the loop, and what a run does before and after it.

`train.main` calls `run`. The distributed shapes have loops of their own and share
`Progress`, which reports, and `conclude`, which tests and saves.
"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from fashion_mnist import data, model, report, stopping
from fashion_mnist.checkpoint import Store
from fashion_mnist.failure import Interruption
from fashion_mnist.files import require_writable, writing
from fashion_mnist.settings import Settings
from fashion_mnist.summaries import Summaries

SAVED = 0  # the exit code of a run that has nothing left to do
StepFunction = Callable[[int], tuple[tf.Tensor, tf.Tensor]]


def run(settings: Settings, run_name: str = "alone") -> None:
    """Train, test and save alone. Raises: Failure with a sentence for the user."""
    require_folders(settings)
    examples, test_examples = data.load_train(settings.data_dir), data.load_test(settings.data_dir)
    keras.utils.set_random_seed(settings.seed)
    network = model.build()
    optimizer = model.build_optimizer(settings.learning_rate, settings.max_steps)
    optimizer.build(network.trainable_variables)
    store = Store(settings.checkpoint_dir, network, optimizer, run_name)
    progress = Progress(settings, Summaries(settings.log_dir, "chief"), store)
    step_function = make_step(network, optimizer, examples, settings)
    loop(step_function, store.resume(settings.max_steps), settings, progress)
    progress.summaries.histograms(settings.max_steps, network)
    conclude(settings, network, test_examples, store)


def require_folders(settings: Settings) -> None:
    """Stop at once where one of the folders cannot be written. Raises: Failure."""
    require_writable(settings.save_dir, "--save-dir")
    require_writable(settings.log_dir, "--log-dir")
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


def loop(
    step_function: StepFunction,
    start: int,
    settings: Settings,
    steps: "Steps",
    asked: Callable[[], bool] = stopping.asked,
) -> None:
    """Run the steps from ``start``. Raises: Interruption once ``asked`` to end."""
    stopping.phase("in a step that did not end in time", stopping.SAVING_SECONDS)
    for step in range(start, settings.max_steps):
        if asked():
            raise asked_to_end(steps, step)
        loss, accuracy = step_function(step)
        steps.done(step + 1, float(loss), float(accuracy))


def asked_to_end(steps: "Steps", step: int) -> Interruption:
    """Save what ``step`` steps have learned. Returns: what ends this replica as retryable."""
    who = "Asked" if stopping.asked() else "Another replica was asked"
    return Interruption(f"{who} to end at step {step}: {steps.save(step)}.")


class Steps:
    """Says in the log how training goes."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self._seen: list[tuple[float, float]] = []

    def done(self, step: int, loss: float, accuracy: float) -> None:
        """Account for the step that made it ``step`` steps."""
        self._seen.append((loss, accuracy))
        if self._is_due(step, self.settings.log_every):
            self.report(step, *np.mean(self._seen, axis=0))
            self._seen.clear()

    def _is_due(self, step: int, every: int) -> bool:
        return step == self.settings.max_steps or step % every == 0

    def report(self, step: int, loss: float, accuracy: float) -> None:
        report.step(step, self.settings.max_steps, loss, accuracy)

    def save(self, step: int) -> str:
        """Keep what ``step`` steps have learned. Returns: what became of it, for the log."""
        return "the chief has the checkpoint"


class Progress(Steps):
    """Tells TensorBoard too, and saves checkpoints: what the chief does."""

    def __init__(self, settings: Settings, summaries: Summaries, store: Store):
        super().__init__(settings)
        self.summaries, self._store = summaries, store
        summaries.describe(learning_rate=settings.learning_rate, batch_size=settings.batch_size)

    def done(self, step: int, loss: float, accuracy: float) -> None:
        super().done(step, loss, accuracy)
        if self._is_due(step, self.settings.checkpoint_every):
            self._store.save(step)

    def report(self, step: int, loss: float, accuracy: float) -> None:
        super().report(step, loss, accuracy)
        self.summaries.scalars(step, loss=loss, accuracy=accuracy)

    def save(self, step: int) -> str:
        self._store.save(step)
        return f"checkpoint saved in {self._store.folder}"


def conclude(
    settings: Settings,
    network: keras.Model,
    test_examples: data.Examples,
    store: Store,
) -> None:
    """Test on all test images, save the model and mark the run as finished."""
    stopping.phase(f"before the model was saved; the last checkpoint is in {store.folder}")
    classifier = model.Classifier(network)
    loss, accuracy = model.test(classifier, test_examples)
    report.test(accuracy, len(test_examples.labels))
    summaries = Summaries(settings.log_dir, "test")
    summaries.scalars(settings.max_steps, loss=loss, accuracy=accuracy)
    summaries.predictions(settings.max_steps, classifier, test_examples)
    stopping.phase(
        f"and could not save the model to {settings.save_dir} in time", stopping.SAVING_SECONDS
    )
    with writing("the model", settings.save_dir):
        path = model.save(classifier, settings.save_dir / "model")
    report.saved(path)
    store.finish()
    stopping.phase("after the model was saved", exit_code=SAVED)
