"""One step is what Keras itself would do, and what is saved answers as what was trained."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from fashion_mnist import data, model


@pytest.fixture(scope="module")
def batch():
    """Sixty-four random images and labels: float32 [64, 28, 28, 1] and int32 [64]."""
    random = np.random.default_rng(0)
    images = random.random((64, 28, 28, 1), dtype=np.float32)
    return tf.constant(images), tf.constant(random.integers(0, 10, 64, dtype=np.int32))


def trained(step) -> list[np.ndarray]:
    """The weights after ``step(network, optimizer)`` on a network that is always the same."""
    keras.utils.set_random_seed(3)
    network = model.build()
    optimizer = model.build_optimizer(0.01, 100)
    step(network, optimizer)
    return network.get_weights()


def test_a_step_changes_the_weights_as_train_on_batch_does(batch):
    def ours(network, optimizer):
        for _ in range(3):
            model.learn(network, optimizer, *batch)

    def keras_own(network, optimizer):
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        network.compile(optimizer, loss)
        for _ in range(3):
            network.train_on_batch(*batch)

    before = trained(lambda *_: None)
    for start, mine, theirs in zip(before, trained(ours), trained(keras_own), strict=True):
        assert not np.allclose(start, mine, atol=1e-4)
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)


def test_loss_and_accuracy_are_means_over_the_batch():
    logits = tf.constant([[0.0, 0.0], [0.0, 100.0]])
    labels = tf.constant([1, 1])
    assert float(model.mean_loss(labels, logits)) == pytest.approx(np.log(2) / 2)
    assert float(model.mean_accuracy(labels, logits)) == 0.5


def test_about_half_of_the_images_are_mirrored_and_the_others_left(batch):
    images, _ = batch
    flipped = model.flip_half(images, tf.constant([1, 2])).numpy()
    mirrored = [np.array_equal(new, old[:, ::-1]) for new, old in zip(flipped, images, strict=True)]
    same = [np.array_equal(new, old) for new, old in zip(flipped, images, strict=True)]
    assert sum(mirrored) + sum(same) == 64
    assert 16 <= sum(mirrored) <= 48


def test_the_learning_rate_rises_and_then_falls_to_nothing():
    schedule = model.build_optimizer(0.01, 1000)._learning_rate
    rates = [float(schedule(step)) for step in (0, 100, 200, 600, 1000)]
    assert rates[0] < rates[1] < rates[2] == pytest.approx(0.01)
    assert rates[2] > rates[3] > rates[4] == pytest.approx(0)


def test_the_saved_model_answers_as_the_trained_one(batch, tmp_path):
    classifier = model.Classifier(model.build())
    loaded = tf.saved_model.load(str(model.save(classifier, tmp_path / "model")))
    np.testing.assert_allclose(loaded(batch[0]), classifier(batch[0]), rtol=1e-5)
    answer = loaded.signatures["serving_default"](batch[0])
    np.testing.assert_allclose(next(iter(answer.values())), classifier(batch[0]), rtol=1e-5)


def test_probabilities_sum_to_one(batch):
    sums = model.Classifier(model.build())(batch[0]).numpy().sum(axis=-1)
    np.testing.assert_allclose(sums, 1, rtol=1e-5)


def test_testing_counts_every_example_even_of_a_last_batch_that_is_not_full():
    labels = np.arange(1234) % 10
    examples = data.Examples(np.zeros((1234, 28, 28, 1), np.uint8), labels.astype(np.uint8))
    always_three = tf.one_hot(3, 10)[None] * 0.9 + 0.01
    loss, accuracy = model.test(lambda images: tf.repeat(always_three, len(images), 0), examples)
    assert accuracy == pytest.approx((labels == 3).mean())
    expected = -np.log(np.where(labels == 3, 0.91, 0.01)).mean()
    assert loss == pytest.approx(expected, rel=1e-5)
