"""The network, how one batch improves it, how good it is, and the form it is saved in.

Nothing here knows whether it runs alone or on a worker: `training` and the
distributed shapes call the same functions.
"""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from fashion_mnist import data

TEST_BATCH = 500
WARM_UP = 0.2  # share of the steps in which the learning rate rises
WEIGHT_DECAY = 0.02


def build() -> keras.Model:
    """A small CNN: float32 [n, 28, 28, 1] in 0..1 → logits float32 [n, 10]."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((data.SIDE, data.SIDE, 1)),
            *_convolution(16, layers.MaxPooling2D()),
            *_convolution(64, layers.MaxPooling2D()),
            *_convolution(128),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(len(data.CLASSES)),
        ]
    )


def _convolution(filters: int, *pooling: keras.Layer) -> list[keras.Layer]:
    """A convolution, normalised. Pooled first, which leaves a quarter of the work for the rest."""
    layers = keras.layers
    convolution = layers.Conv2D(filters, 3, use_bias=False, kernel_initializer="he_normal")
    return [convolution, *pooling, layers.BatchNormalization(momentum=0.9), layers.ReLU()]


def build_optimizer(learning_rate: float, max_steps: int) -> keras.optimizers.Optimizer:
    """AdamW whose rate rises to ``learning_rate`` and falls to 0 along a cosine at the end."""
    warm_up_steps = max(1, int(WARM_UP * max_steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=learning_rate / 10,
        warmup_target=learning_rate,
        warmup_steps=warm_up_steps,
        decay_steps=max(1, max_steps - warm_up_steps),
    )
    return keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY)


def scale(images: tf.Tensor) -> tf.Tensor:
    """Bytes 0 to 255 → float32 0.0 to 1.0."""
    return tf.cast(images, tf.float32) / 255.0


def flip_half(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Mirror about half of the images left to right: a shoe is a shoe from either side.

    ``seed``: int32 [2]; the same one mirrors the same images.
    """
    chosen = tf.random.stateless_uniform([tf.shape(images)[0], 1, 1, 1], seed) < 0.5
    return tf.where(chosen, images[:, :, ::-1], images)


def learn(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    images: tf.Tensor,
    labels: tf.Tensor,
    average: Callable[[list[tf.Tensor]], list[tf.Tensor]] = list,
) -> tuple[tf.Tensor, tf.Tensor]:
    """One step of training on float32 [n, 28, 28, 1] and integer [n].

    ``average`` makes the means over all replicas of a list of tensors; alone it
    leaves them as they are.
    Returns: the mean loss and the accuracy of the batch before the step.
    """
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = mean_loss(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    *gradients, loss, accuracy = average([*gradients, loss, mean_accuracy(labels, logits)])
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss, accuracy


def mean_loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Cross-entropy in nats, averaged over the batch."""
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(labels, tf.int32), logits)
    )


def mean_accuracy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Share of the batch whose highest logit is the right one."""
    right = tf.equal(tf.argmax(logits, -1, tf.int32), tf.cast(labels, tf.int32))
    return tf.reduce_mean(tf.cast(right, tf.float32))


class Classifier(tf.Module):
    """What is saved, and asked at test time: images in, probabilities out."""

    def __init__(self, model: keras.Model):
        super().__init__()
        self.model = model

    @tf.function(input_signature=[tf.TensorSpec([None, data.SIDE, data.SIDE, 1], tf.float32)])
    def __call__(self, images):
        """float32 [n, 28, 28, 1] in 0..1 → float32 [n, 10] that sum to 1.

        The mean of what the network makes of an image and of its mirror image: twice
        the work, half a percent more accuracy.
        """
        both_sides = (images, images[:, :, ::-1])
        return tf.add_n([tf.nn.softmax(self.model(x, training=False)) / 2 for x in both_sides])


def test(classify, examples: data.Examples) -> tuple[float, float]:
    """Mean loss and accuracy of ``classify`` (a `Classifier`, or one loaded again)."""
    losses, right = 0.0, 0
    for start in range(0, len(examples.labels), TEST_BATCH):
        labels = examples.labels[start : start + TEST_BATCH]
        images = scale(tf.constant(examples.images[start : start + TEST_BATCH]))
        probabilities = classify(images).numpy()
        chosen = probabilities[np.arange(len(labels)), labels]
        losses -= float(np.log(np.maximum(chosen, 1e-7)).sum())
        right += int((probabilities.argmax(axis=-1) == labels).sum())
    return losses / len(examples.labels), right / len(examples.labels)


def save(classifier: Classifier, folder: Path) -> Path:
    """Write a SavedModel whose `serving_default` is the classifier. Returns: ``folder``."""
    tf.saved_model.save(classifier, str(folder))
    return folder
