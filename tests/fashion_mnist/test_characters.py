"""A picture as characters: brighter pixels are denser characters."""

import numpy as np

from fashion_mnist import characters


def test_a_picture_has_14_lines_of_at_most_28_characters():
    image = np.zeros((28, 28, 1), np.uint8)
    image[26:, :] = 255
    image[0, 0] = image[1, 0] = 128
    lines = characters.picture(image).split("\n")
    assert lines == ["+", *[""] * 12, "@" * 28]


def test_a_coloured_picture_shows_how_bright_it_is():
    image = np.zeros((2, 3, 3), np.uint8)
    image[:, 1] = (255, 0, 0)
    image[:, 2] = (255, 255, 255)
    assert characters.picture(image) == " -@"
