"""What TensorBoard shows: loss and accuracy, hyper-parameters, histograms, some predictions.

One folder under the log folder for each run name: `chief` while it trains, `test`
for the accuracy at the end, `evaluator` where there is one. Written where a line
of the log is written and not at every step, so that it costs next to nothing.
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from fashion_mnist import data, model
from fashion_mnist.files import writing

SHOWN = 20
BORDER = 2
RIGHT, WRONG = (0.2, 0.7, 0.3), (0.9, 0.2, 0.2)


class Summaries:
    """The writer of one run name."""

    def __init__(self, log_dir: Path, run_name: str):
        self._folder = log_dir / run_name
        self._choices: dict[str, float] = {}
        with writing("summaries", self._folder):
            self._writer = tf.summary.create_file_writer(str(self._folder))

    def describe(self, **choices: float) -> None:
        """Name the hyper-parameters of this run, which TensorBoard shows beside its scalars.

        Written with the first scalars: of a run with only one of the two it shows nothing.
        """
        self._choices = choices

    def scalars(self, step: int, **values: float) -> None:
        """Write each value under its name and make it visible."""
        with writing("summaries", self._folder), self._writer.as_default(step=step):
            if self._choices:
                hparams.hparams(self._choices)
                self._choices = {}
            for name, value in values.items():
                tf.summary.scalar(name, value)
            self._writer.flush()

    def image(self, step: int, name: str, image: np.ndarray) -> None:
        """Write one picture, uint8 [h, w, channels]. The next scalars make it visible."""
        with writing("summaries", self._folder), self._writer.as_default(step=step):
            tf.summary.image(name, image[None])

    def histograms(self, step: int, network: keras.Model) -> None:
        """Write the distribution of the weights of every layer that multiplies."""
        with writing("summaries", self._folder), self._writer.as_default(step=step):
            for layer in network.layers:
                if hasattr(layer, "kernel"):
                    tf.summary.histogram(f"weights/{layer.name}", layer.kernel.numpy())

    def predictions(self, step: int, classify, examples: data.Examples) -> None:
        """Write the first test images in a green or red frame, and a table of what is what."""
        images = model.scale(examples.images[:SHOWN]).numpy()
        chosen = classify(tf.constant(images)).numpy().argmax(axis=-1)
        labels = examples.labels[:SHOWN]
        with writing("summaries", self._folder), self._writer.as_default(step=step):
            tf.summary.image("predictions", framed(images, chosen == labels), max_outputs=SHOWN)
            tf.summary.text("predictions", table(labels, chosen))
            self._writer.flush()


def framed(images: np.ndarray, right: np.ndarray) -> np.ndarray:
    """float32 [n, h, w, 1] and bool [n] → float32 [n, h + 4, w + 4, 3] with coloured frames."""
    count, height, width, _ = images.shape
    colours = np.where(right[:, None], RIGHT, WRONG).astype(np.float32)
    canvas = np.broadcast_to(
        colours[:, None, None], (count, height + 2 * BORDER, width + 2 * BORDER, 3)
    ).copy()
    canvas[:, BORDER:-BORDER, BORDER:-BORDER] = images
    return canvas


def table(labels: np.ndarray, chosen: np.ndarray) -> str:
    """A Markdown table of the truth beside the prediction."""
    rows = [
        f"| {number} | {data.CLASSES[label]} | {data.CLASSES[choice]} |"
        for number, (label, choice) in enumerate(zip(labels, chosen, strict=True))
    ]
    return "\n".join(["| image | is | seen as |", "| --- | --- | --- |", *rows])
