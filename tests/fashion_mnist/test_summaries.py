"""TensorBoard finds each run's scalars, weights and predictions under its own name."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from fashion_mnist import data, model
from fashion_mnist.failure import Failure
from fashion_mnist.summaries import RIGHT, WRONG, Summaries, framed, table


def written(folder) -> dict[str, list[int]]:
    """Tag → steps of all that was written below ``folder``."""
    found: dict[str, list[int]] = {}
    for file in folder.glob("events.*"):
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                found.setdefault(value.tag, []).append(event.step)
    return found


def test_scalars_are_there_as_soon_as_they_are_written(tmp_path):
    summaries = Summaries(tmp_path, "chief")
    summaries.scalars(50, loss=1.5, accuracy=0.5)
    summaries.scalars(100, loss=1.0, accuracy=0.6)
    assert written(tmp_path / "chief") == {"loss": [50, 100], "accuracy": [50, 100]}


def test_hyper_parameters_are_written_once_and_with_the_first_scalars(tmp_path):
    summaries = Summaries(tmp_path, "chief")
    summaries.describe(learning_rate=0.01, batch_size=128)
    assert "_hparams_/session_start_info" not in written(tmp_path / "chief")
    summaries.scalars(1, loss=1.5)
    summaries.scalars(2, loss=1.0)
    found = written(tmp_path / "chief")
    assert {tag: len(steps) for tag, steps in found.items()} == {
        "_hparams_/session_start_info": 1,
        "loss": 2,
    }


def test_a_picture_is_there_with_the_next_scalars(tmp_path):
    summaries = Summaries(tmp_path, "")
    summaries.image(7, "painting", np.zeros((4, 4, 3), np.uint8))
    summaries.scalars(7, loss=0.0)
    assert written(tmp_path) == {"painting": [7], "loss": [7]}


def test_every_layer_that_multiplies_has_a_histogram(tmp_path):
    network = model.build()
    summaries = Summaries(tmp_path, "chief")
    summaries.histograms(10, network)
    summaries.scalars(10, loss=0.0)
    layers = [
        each.name
        for each in network.layers
        if isinstance(each, (keras.layers.Conv2D, keras.layers.Dense))
    ]
    assert set(written(tmp_path / "chief")) == {"loss", *(f"weights/{name}" for name in layers)}


def test_predictions_come_as_pictures_and_as_a_table(tmp_path):
    examples = data.Examples(np.zeros((30, 28, 28, 1), np.uint8), np.zeros(30, np.uint8))
    classifier = model.Classifier(model.build())
    Summaries(tmp_path, "test").predictions(5, classifier, examples)
    assert written(tmp_path / "test") == {"predictions": [5, 5]}


def test_a_right_prediction_has_a_green_frame_and_a_wrong_one_a_red():
    frames = framed(np.ones((2, 28, 28, 1), np.float32), np.array([True, False]))
    assert frames.shape == (2, 32, 32, 3)
    np.testing.assert_allclose(frames[:, 0, 0], [RIGHT, WRONG])
    assert (frames[:, 2:-2, 2:-2] == 1).all()


def test_the_table_names_the_classes():
    assert table(np.array([9]), np.array([5])).endswith("| 0 | Ankle boot | Sandal |")


def test_a_log_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Failure, match="Cannot write summaries to"):
        Summaries(tmp_path / "file", "chief").scalars(1, loss=1.0)
