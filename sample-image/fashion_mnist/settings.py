"""What a run is asked to do: the command line, checked, as one frozen value."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from fashion_mnist import data

MOST = 2**31 - 1  # what TensorFlow's int32 holds
DEFAULT_SAVE_DIR = Path("/tmp/fashion-mnist")


@dataclass(frozen=True)
class Settings:
    """The options of `python -m fashion_mnist.train`, under the same names."""

    max_steps: int = 2200
    batch_size: int = 128
    learning_rate: float = 0.01
    seed: int = 1
    log_every: int = 50
    checkpoint_every: int = 500
    data_dir: Path = data.FOLDER
    save_dir: Path = DEFAULT_SAVE_DIR
    log_dir: Path = DEFAULT_SAVE_DIR / "logs"
    checkpoint_dir: Path = DEFAULT_SAVE_DIR / "checkpoints"


def parse(arguments: list[str] | None = None) -> Settings:
    """Read the command line. Exits with code 2 and a sentence if it is wrong."""
    options = vars(_parser().parse_args(arguments))
    save_dir = options["save_dir"]
    options["log_dir"] = options["log_dir"] or save_dir / "logs"
    options["checkpoint_dir"] = options["checkpoint_dir"] or save_dir / "checkpoints"
    return Settings(**options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fashion_mnist.train",
        description="Train a small convolutional network on Fashion-MNIST; alone, or as the"
        " replica of a TfJob that TF_CONFIG says.",
    )
    add, default = parser.add_argument, Settings()
    add("--max-steps", type=count, default=default.max_steps, help="steps to train [%(default)s]")
    add("--batch-size", type=_batch_size, default=default.batch_size,
        help="images in a step [%(default)s]")  # fmt: skip
    add("--learning-rate", type=rate, default=default.learning_rate,
        help="highest rate of the schedule [%(default)s]")  # fmt: skip
    add("--seed", type=seed, default=default.seed,
        help="same seed, same training [%(default)s]")  # fmt: skip
    add("--log-every", type=count, default=default.log_every,
        help="steps from one line of the log to the next [%(default)s]")  # fmt: skip
    add("--checkpoint-every", type=count, default=default.checkpoint_every,
        help="steps from one checkpoint to the next [%(default)s]")  # fmt: skip
    add("--data-dir", type=folder, default=default.data_dir,
        help="folder of the four IDX files [%(default)s]")  # fmt: skip
    add("--save-dir", type=folder, default=default.save_dir,
        help="where the SavedModel goes, as `model` [%(default)s]")  # fmt: skip
    add("--log-dir", type=folder, help="what TensorBoard reads [SAVE_DIR/logs]")
    add("--checkpoint-dir", type=folder,
        help="where a run that was cut off goes on from [SAVE_DIR/checkpoints]")  # fmt: skip
    return parser


def folder(text: str) -> Path:
    """An option that names a folder, as an absolute path."""
    path = os.path.abspath(text)
    checked(path, str.encode, lambda _: True, "a name in UTF-8, as TensorFlow needs it")
    return Path(path)


def count(text: str) -> int:
    """An option that says how many, one at least."""
    return checked(
        text, int, lambda number: 1 <= number <= MOST, f"a whole number from 1 to {MOST}"
    )


def image_count(text: str) -> int:
    """An option that says how many of the test images."""
    return checked(
        text, int, lambda number: 0 <= number <= data.TEST_COUNT, "a whole number from 0 to 10000"
    )


def seed(text: str) -> int:
    """An option from which all random numbers follow."""
    return checked(
        text, int, lambda number: 0 <= number <= MOST, f"a whole number from 0 to {MOST}"
    )


def _batch_size(text: str) -> int:
    return checked(
        text, int, lambda number: 1 <= number <= data.TRAIN_COUNT, "a whole number from 1 to 60000"
    )


def rate(text: str) -> float:
    """An option that is a learning rate."""
    return checked(text, float, lambda number: 0 < number <= 1, "a number above 0, at most 1")


def checked(text: str, read, holds, wanted: str):
    """``text`` as ``read`` reads it. Raises: what argparse turns into a sentence and code 2."""
    try:
        number = read(text)
    except ValueError:
        number = None
    if number is None or not holds(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
    return number
