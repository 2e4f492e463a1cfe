"""What TensorBoard shows: loss and accuracy, histograms of the weights, some predictions.

One folder under the log folder for each run name: `chief` while it trains, `test`
for the accuracy at the end, `evaluator` where there is one. Written where a line
of the log is written and not at every step, so that it costs next to nothing.
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from fashion_mnist import data, model
from fashion_mnist.files import writing

SHOWN = 20
BORDER = 2
RIGHT, WRONG = (0.2, 0.7, 0.3), (0.9, 0.2, 0.2)


class Summaries:
    """The writer of one run name."""

    def __init__(self, log_dir: Path, run_name: str):
        self._folder = log_dir / run_name
        with writing("summaries", self._folder):
            self._writer = tf.summary.create_file_writer(str(self._folder))

    def scalars(self, step: int, **values: float) -> None:
        """Write each value under its name and make it visible."""
        with writing("summaries", self._folder), self._writer.as_default(step=step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
            self._writer.flush()

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
