"""The network that paints: a point in, a colour out, and one step of learning all colours."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

WIDTH = 32
SPAN = 4.0  # the picture's edges are at -2 and 2


def build(hidden_layers: int) -> keras.Model:
    """A multi-layer perceptron: float32 [n, 2] → colours, float32 [n, 3], 0.0 to 1.0."""
    layers = keras.layers
    hidden = [
        layers.Dense(WIDTH, activation="relu", kernel_initializer="he_normal")
        for _ in range(hidden_layers)
    ]
    return keras.Sequential([layers.Input((2,)), *hidden, layers.Dense(3, activation="sigmoid")])


def positions(side: int) -> np.ndarray:
    """Where each pixel of a square picture is, row by row: float32 [side * side, 2], (x, y)."""
    y, x = np.mgrid[0:side, 0:side] / (side - 1) - 0.5
    return (SPAN * np.stack([x, y], axis=-1)).reshape(-1, 2).astype(np.float32)


def make_step(
    network: keras.Model, optimizer: keras.optimizers.Optimizer, picture: np.ndarray
) -> Callable[[], tf.Tensor]:
    """The function that learns from all pixels once, traced.

    It returns the mean squared error of the colours before the step.
    """
    optimizer.build(network.trainable_variables)
    points, colours = tf.constant(positions(len(picture))), tf.constant(picture.reshape(-1, 3))

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(network(points, training=True) - colours))
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        return loss

    return step


def paint(network: keras.Model, side: int) -> np.ndarray:
    """What the network has learned: uint8 [side, side, 3]."""
    colours = network(tf.constant(positions(side)), training=False).numpy()
    return np.rint(255 * colours).astype(np.uint8).reshape(side, side, 3)
