"""The network that paints: what goes in, what comes out, and that a step learns."""

import keras
import numpy as np

from painting import model


def test_the_positions_go_row_by_row_from_corner_to_corner():
    positions = model.positions(3)
    assert positions.dtype == np.float32
    assert positions[[0, 1, 3, 8]].tolist() == [[-2, -2], [0, -2], [-2, 0], [2, 2]]


def test_there_are_as_many_hidden_layers_as_asked_for():
    hidden, colour = model.build(5).layers[:-1], model.build(5).layers[-1]
    assert [layer.units for layer in hidden] == [32] * 5
    assert colour.units == 3


def test_steps_make_the_painting_like_the_picture():
    keras.utils.set_random_seed(1)
    picture = np.zeros((8, 8, 3), np.float32)
    picture[:, 4:, 0] = 1  # the right half is red
    network = model.build(2)
    step = model.make_step(network, keras.optimizers.Adam(0.01), picture)
    losses = [float(step()) for _ in range(100)]
    assert losses[-1] < losses[0] / 10
    painting = model.paint(network, 8)
    assert (painting.shape, painting.dtype) == ((8, 8, 3), np.uint8)
    assert painting[4, 0, 0] < 50
    assert painting[4, -1, 0] > 200
