"""The picture to paint: a night sky drawn by formulas, or a PNG file of one's own."""

from pathlib import Path

import numpy as np

from fashion_mnist.failure import Failure, first_line

SIDE = 64
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST_SIDE = 4096  # a file of a few bytes may say that it is gigabytes of pixels
STARS = ((0.20, 0.25, 0.16), (0.62, 0.20, 0.22), (0.85, 0.45, 0.12))  # x, y, radius
STAR_COLOUR, HILL_COLOUR, TREE_COLOUR = (0.9, 0.8, 0.3), (0.05, 0.15, 0.10), (0.03, 0.08, 0.05)


def night_sky() -> np.ndarray:
    """Swirling stars over a hill and a tree: float32 [64, 64, 3], 0.0 to 1.0."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1)
    sky = np.stack([0.05 + 0.1 * y, 0.1 + 0.25 * y, 0.35 + 0.4 * y], axis=-1)
    for star in STARS:
        sky += _star(x, y, *star)[..., None] * STAR_COLOUR
    sky[y > 0.8 + 0.06 * np.sin(7 * x)] = HILL_COLOUR
    sky[(abs(x - 0.12) < 0.05 * (y - 0.3)) & (y > 0.3)] = TREE_COLOUR
    return np.clip(sky, 0, 1).astype(np.float32)


def _star(x: np.ndarray, y: np.ndarray, star_x: float, star_y: float, radius: float) -> np.ndarray:
    """How bright a star is at each point: a glow, wound up into three arms."""
    distance, angle = np.hypot(x - star_x, y - star_y), np.arctan2(y - star_y, x - star_x)
    glow = np.exp(-((distance / radius) ** 2))
    return glow * (0.5 + 0.5 * np.sin(3 * angle + 18 * distance))


def require_png(path: Path) -> Path:
    """Look at the head of the file alone. Raises: ValueError with the reason."""
    try:
        with path.open("rb") as file:
            head = file.read(24)
    except OSError as error:
        raise ValueError(error.strerror) from error
    if not head.startswith(PNG_SIGNATURE) or len(head) < 24:
        raise ValueError("it is not a PNG file")
    width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if max(width, height) > LARGEST_SIDE:
        raise ValueError(f"it is {width} by {height} pixels, and {LARGEST_SIDE} are the most")
    return path


def read(path: Path) -> np.ndarray:
    """A PNG file, squeezed to float32 [64, 64, 3]. Raises: Failure if it is damaged."""
    import tensorflow as tf

    try:
        pixels = tf.io.decode_png(path.read_bytes(), channels=3)
    except (OSError, tf.errors.OpError) as error:
        raise Failure(
            f"Cannot paint {path}: {first_line(error)}; it is damaged: save it as PNG again."
        ) from error
    return tf.image.resize(pixels / 255, (SIDE, SIDE), antialias=True).numpy().clip(0, 1)
