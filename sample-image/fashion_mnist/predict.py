"""The command line: load a saved model and see what it takes some test images for.

    python -m fashion_mnist.predict /tmp/fashion-mnist/model
    python -m fashion_mnist.predict /tmp/fashion-mnist/model --images 0 --test
    python -m fashion_mnist.predict --help

It only reads. What it prints: sample-image/README.md.
"""

import os
import sys

from fashion_mnist import stopping

if __name__ == "__main__":
    stopping.listen()  # before NumPy and TensorFlow, which start threads and take seconds
    stopping.phase("before the model was asked about all images")

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fashion_mnist import characters, data, report, settings
from fashion_mnist.failure import Failure, exit_code_of, first_line

MODEL_FILE = "saved_model.pb"


@dataclass(frozen=True)
class Options:
    """The options of `python -m fashion_mnist.predict`, under the same names."""

    model: Path
    images: int = 5
    test: bool = False
    data_dir: Path = data.FOLDER


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks for. Returns: its exit code."""
    options = parse(arguments)
    return exit_code_of(lambda: run(options))


def parse(arguments: list[str] | None = None) -> Options:
    """Read the command line. Exits with code 2 and a sentence if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m fashion_mnist.predict",
        description="Show the first test images and what a saved model takes them for.",
    )
    add, default = parser.add_argument, Options(Path())
    add("model", type=settings.folder, metavar="MODEL",
        help="folder that the training said after `saved model to`")  # fmt: skip
    add("--images", type=settings.image_count, default=default.images,
        help="how many of the test images to show [%(default)s]")  # fmt: skip
    add("--test", action="store_true", help="measure the accuracy on all 10,000 test images too")
    add("--data-dir", type=settings.folder, default=default.data_dir,
        help="folder of the four IDX files [%(default)s]")  # fmt: skip
    return Options(**vars(parser.parse_args(arguments)))


def run(options: Options) -> None:
    """Print the pictures with the model's answers, and its accuracy. Raises: Failure."""
    require_model(options.model)
    examples = data.load_test(options.data_dir)
    # Only now: importing TensorFlow takes seconds, and a wrong path should not.
    from fashion_mnist import model

    classify = load(options.model)
    report.say(f"loaded model {options.model}")
    if options.images:
        show(classify, examples, options.images)
    if options.test:
        _, accuracy = model.test(classify, examples)
        report.test(accuracy, len(examples.labels))


def require_model(folder: Path) -> None:
    """Find out before TensorFlow is imported. Raises: Failure."""
    try:
        if (folder / MODEL_FILE).is_file():
            return
        is_below = (folder / "model" / MODEL_FILE).is_file()
        is_folder = folder.is_dir()
    except OSError as error:  # a folder of another user
        raise Failure(
            f"Cannot load a model from {folder}: {error.strerror}; let user {os.geteuid()} read"
            " the folder and what is in it."
        ) from error
    if is_below:
        raise Failure(f"Cannot load a model from {folder}: name the folder {folder}/model in it.")
    what = f"there is no file {MODEL_FILE} in it" if is_folder else "there is no such folder"
    raise Failure(
        f"Cannot load a model from {folder}: {what}; name the folder that the training said after"
        " `saved model to`, and mount the volume that it is on."
    )


def load(folder: Path):
    """The classifier in ``folder``, which is asked once. Raises: Failure if it is another model."""
    import tensorflow as tf

    try:
        classify = tf.saved_model.load(str(folder))
        answer = classify(tf.zeros([1, data.SIDE, data.SIDE, 1]))
        fits = answer.shape == (1, len(data.CLASSES))
    except Exception as error:  # TensorFlow, and what it calls, raise a dozen types here
        raise Failure(
            f"Cannot load the model in {folder}: {first_line(error)}; it is damaged or not one of"
            " fashion_mnist.train: train again, or name another folder."
        ) from error
    if not fits:
        raise Failure(
            f"Cannot use the model in {folder}: it does not tell ten classes apart; name the folder"
            " of a model that fashion_mnist.train has saved."
        )
    return classify


def show(classify, examples: data.Examples, count: int) -> None:
    """Print the first ``count`` images, each with the model's answer and the truth."""
    from fashion_mnist import model

    images, labels = examples.images[:count], examples.labels[:count]
    probabilities = np.concatenate(
        [
            classify(model.scale(images[start : start + model.TEST_BATCH])).numpy()
            for start in range(0, count, model.TEST_BATCH)
        ]
    )
    choices = probabilities.argmax(axis=-1)
    for number, (label, choice) in enumerate(zip(labels, choices, strict=True)):
        report.say("\n" + characters.picture(images[number]))
        probability = float(probabilities[number, choice])
        report.prediction(number, data.CLASSES[choice], probability, data.CLASSES[label])
    report.say(f"\n{(choices == labels).sum()} of {count} images are right")


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
