"""Fashion-MNIST as Debian's package `dataset-fashion-mnist` installs it, and its order.

Fashion-MNIST is 60,000 training and 10,000 test images of clothes, 28 by 28 grey
pixels each, in ten classes. It is small enough to stay in memory as bytes; a
batch is picked by index inside the traced training step, so there is no input
pipeline that could be slow.
"""

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fashion_mnist.failure import Failure

FOLDER = Path("/usr/share/datasets/fashion-mnist")
TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
SIDE = 28
TRAIN_COUNT, TEST_COUNT = 60_000, 10_000
IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049


@dataclass(frozen=True)
class Examples:
    """Images, uint8 [n, 28, 28, 1], and their labels, uint8 [n], 0 to 9."""

    images: np.ndarray
    labels: np.ndarray


def load_train(folder: Path = FOLDER) -> Examples:
    """The 60,000 training examples. Raises: Failure as `read_idx`."""
    return _load(folder / TRAIN_IMAGES, folder / TRAIN_LABELS, TRAIN_COUNT)


def load_test(folder: Path = FOLDER) -> Examples:
    """The 10,000 test examples. Raises: Failure as `read_idx`."""
    return _load(folder / TEST_IMAGES, folder / TEST_LABELS, TEST_COUNT)


def _load(images_path: Path, labels_path: Path, count: int) -> Examples:
    images = read_idx(images_path, IMAGES_MAGIC, (count, SIDE, SIDE))
    labels = read_idx(labels_path, LABELS_MAGIC, (count,))
    if labels.max() >= len(CLASSES):
        raise _broken(labels_path, f"it has a label {labels.max()} and there are only ten classes")
    return Examples(images[..., np.newaxis], labels)


def read_idx(path: Path, magic: int, shape: tuple[int, ...]) -> np.ndarray:
    """Read one gzipped IDX file of bytes.

    Returns: uint8 of ``shape``.
    Raises: Failure if it cannot be read, or is not an IDX file of this shape.
    Source: http://yann.lecun.com/exdb/mnist/ (file formats).
    """
    try:
        raw = gzip.decompress(path.read_bytes())
    except OSError as error:  # gzip.BadGzipFile is one too
        raise _broken(path, error.strerror or "it is not a whole gzip file") from error
    except (EOFError, zlib.error) as error:
        raise _broken(path, "it is cut short or damaged") from error
    size = 4 * (1 + len(shape))  # the header's: a magic number, then each dimension
    header = [int.from_bytes(raw[start : start + 4], "big") for start in range(0, size, 4)]
    if header != [magic, *shape]:
        raise _broken(path, f"its header says {header}, not {[magic, *shape]}")
    if len(raw) != size + math.prod(shape):
        raise _broken(path, "its length is not what its header says")
    return np.frombuffer(raw, np.uint8, offset=size).reshape(shape)


def _broken(path: Path, why: str) -> Failure:
    return Failure(
        f"Cannot use the data file {path}: {why}; install Debian's package"
        " dataset-fashion-mnist again, or name another folder with --data-dir."
    )


def batch_indices(count: int, batch_size: int, seed: int, step: int) -> np.ndarray:
    """Which examples step number ``step`` (from 0) trains on.

    Every pass over the data is a new permutation; what is left of one after its
    last whole batch is dropped. A function of its arguments alone: a run that is
    resumed, or shared by several workers, sees the very batches of one that is not.

    Returns: int32 [batch_size], each 0 to count - 1.
    """
    epoch, position = divmod(step, count // batch_size)
    return _permutation(count, seed, epoch)[position * batch_size :][:batch_size]


_last_permutation: dict[tuple[int, int, int], np.ndarray] = {}


def _permutation(count: int, seed: int, epoch: int) -> np.ndarray:
    key = (count, seed, epoch)
    if key not in _last_permutation:
        _last_permutation.clear()
        order = np.random.default_rng([seed, epoch]).permutation(count)
        _last_permutation[key] = order.astype(np.int32)
    return _last_permutation[key]
