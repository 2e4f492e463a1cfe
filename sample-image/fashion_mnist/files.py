"""Where the program writes, and one sentence when it cannot."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from fashion_mnist.failure import Failure

LOST_REPLICA = (tf.errors.UnavailableError, tf.errors.AbortedError)  # not a lost disk


def require_writable(folder: Path, option: str) -> None:
    """Find out before hours of training, not after. Raises: Failure."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Failure(
            f"Cannot write into {folder}: {error.strerror}; mount a writable volume there,"
            f" or name another folder with {option}."
        ) from error


@contextlib.contextmanager
def writing(what: str, folder: Path) -> Iterator[None]:
    """Turn the errors of the operating system and of TensorFlow's writers into a Failure."""
    try:
        yield
    except LOST_REPLICA:
        raise
    except (OSError, tf.errors.OpError) as error:
        raise Failure(
            f"Cannot write {what} to {folder}: {_reason(error)}; free or enlarge the volume,"
            " then run again."
        ) from error


def _reason(error: Exception) -> str:
    text = str(error)
    if "No space left" in text or "Disk quota" in text:
        return "no space is left on the volume"
    return getattr(error, "strerror", None) or getattr(error, "message", text).splitlines()[0]
