"""Softmax regression on Fashion-MNIST: the smallest network that learns to tell clothes apart.

python main.py --max-steps 100
"""

import argparse
import gzip
import os
import sys
from pathlib import Path

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # else TensorFlow says at each start that it is on

import numpy as np
import tensorflow as tf

DATA = Path("/usr/share/datasets/fashion-mnist")
PIXELS, CLASSES, BATCH = 28 * 28, 10, 100


def load(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Read one part of the data, "train" or "t10k".

    Returns: images, uint8 [n, 784] from 0 to 255, and labels, uint8 [n] from 0 to 9.
    In its file, an image is 784 bytes and a label is one; 16 or 8 other bytes come first.
    """
    images = gzip.decompress((DATA / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((DATA / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, PIXELS)
    return pixels, np.frombuffer(labels, np.uint8, offset=8)


def train(max_steps: int, learning_rate: float) -> None:
    """Train, and print how it goes: one line for each tenth of the steps."""
    images, labels = load("train")
    weights, bias = tf.Variable(tf.zeros([PIXELS, CLASSES])), tf.Variable(tf.zeros([CLASSES]))
    variables = (weights, bias)

    def scores(pictures: np.ndarray) -> tf.Tensor:
        """For each picture and class, how well the two fit."""
        return tf.constant(pictures / np.float32(255)) @ weights + bias

    def accuracy(pictures: np.ndarray, truth: np.ndarray) -> float:
        return float(np.mean(tf.argmax(scores(pictures), axis=1).numpy() == truth))

    chance = np.random.default_rng(seed=1)
    for step in range(1, max_steps + 1):
        rows = chance.integers(0, len(labels), BATCH)
        with tf.GradientTape() as tape:
            errors = tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels[rows].astype(np.int32), scores(images[rows])
            )
            loss = tf.reduce_mean(errors)
        slopes = tape.gradient(loss, variables)
        for variable, slope in zip(variables, slopes, strict=True):
            variable.assign_sub(learning_rate * slope)
        if step % max(1, max_steps // 10) == 0:
            found = accuracy(images[rows], labels[rows])
            say(f"step {step}/{max_steps} loss {float(loss):.4f} accuracy {found:.4f}")
    images, labels = load("t10k")
    say(f"test accuracy {accuracy(images, labels):.4f} on {len(labels)} images")


def say(line: str) -> None:
    """Print one line of the log, now."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--max-steps", type=int, default=1000)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    options = parser.parse_args()
    train(options.max_steps, options.learning_rate)
