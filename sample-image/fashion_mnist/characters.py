"""Pictures that a log can hold: an image as lines of ASCII characters."""

import numpy as np

# From dark to bright. A character is about twice as high as wide, so it shows two rows of pixels.
RAMP = " .:-=+*#%@"
ROWS = 2


def picture(image: np.ndarray) -> str:
    """uint8 [h, w, channels], ``h`` even → h / 2 lines of up to w ASCII characters."""
    rows = image.mean(axis=-1).reshape(-1, ROWS, image.shape[1])
    levels = (rows.mean(axis=1) / 256 * len(RAMP)).astype(int)
    return "\n".join("".join(RAMP[level] for level in row).rstrip() for row in levels)
