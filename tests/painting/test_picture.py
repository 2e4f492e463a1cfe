"""The picture to paint: the night sky, a PNG file of any size, and a sentence for what is none."""

import struct

import numpy as np
import pytest
import tensorflow as tf

from fashion_mnist.failure import Failure
from painting import picture


def png(width: int = 2, height: int = 2) -> bytes:
    return tf.io.encode_png(np.zeros((height, width, 3), np.uint8)).numpy()


def test_the_night_sky_has_stars_above_a_hill_and_is_always_the_same():
    sky = picture.night_sky()
    assert (sky.shape, sky.dtype) == ((64, 64, 3), np.float32)
    assert sky.min() >= 0
    assert sky.max() <= 1
    assert sky[:32].max() > 0.9
    assert sky[-1].max() < 0.2
    np.testing.assert_array_equal(sky, picture.night_sky())


@pytest.mark.parametrize(
    ("channels", "dtype"),
    [
        pytest.param(1, np.uint8, id="grey"),
        pytest.param(3, np.uint8, id="coloured"),
        pytest.param(4, np.uint8, id="transparent"),
        pytest.param(3, np.uint16, id="of 16 bits"),
    ],
)
def test_a_picture_is_squeezed_to_64_by_64_colours_though_it_is(channels, dtype, tmp_path):
    pixels = np.full((30, 200, channels), np.iinfo(dtype).max, dtype)
    pixels[:, :100] = 0
    (tmp_path / "mine.png").write_bytes(tf.io.encode_png(pixels).numpy())
    read = picture.read(tmp_path / "mine.png")
    assert read.shape == (64, 64, 3)
    np.testing.assert_allclose(read[:, 0], 0, atol=0.01)
    if channels != 4:  # the colour of what is transparent does not count
        np.testing.assert_allclose(read[:, -1], 1, atol=0.01)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(None, "No such file", id="is not there"),
        pytest.param(b"", "not a PNG", id="is empty"),
        pytest.param(b"\xff\xd8\xff\xe0" + bytes(40), "not a PNG", id="is a photograph"),
        pytest.param(png()[:20], "not a PNG", id="ends in its head"),
        pytest.param(
            png()[:16] + struct.pack(">II", 60_000, 60_000) + png()[24:],
            "60000 by 60000 pixels",
            id="says that it is huge",
        ),
    ],
)
def test_it_is_known_at_once_that_a_file_is_no_picture_when_it(content, why, tmp_path):
    if content is not None:
        (tmp_path / "mine.png").write_bytes(content)
    with pytest.raises(ValueError, match=why):
        picture.require_png(tmp_path / "mine.png")


def test_a_damaged_picture_is_one_sentence(tmp_path):
    damaged = picture.require_png(_written(tmp_path / "mine.png", png(100, 100)[:60]))
    with pytest.raises(Failure, match=r"Cannot paint .*mine\.png: .*; it is damaged"):
        picture.read(damaged)


def _written(path, content):
    path.write_bytes(content)
    return path
