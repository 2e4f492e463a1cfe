"""The command line: teach a small network to paint a picture.

    python -m painting.train --learning-rate 0.01 --hidden-layers 7
    python -m painting.train --picture picture.png --log-dir /runs/mine
    python -m painting.train --help

What it prints and writes: sample-image/README.md.
"""

import os
import sys

from fashion_mnist import stopping

if __name__ == "__main__":
    stopping.listen()  # before NumPy and TensorFlow, which start threads and take seconds
    stopping.phase("before the picture was painted: there is nothing to save")

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import argparse
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fashion_mnist import report, settings
from fashion_mnist.failure import exit_code_of
from painting import picture

PAINTING = "painting"  # the name of the image summary, and of the file
REPORTS = 10  # in a whole run
PAINTED = 0  # the exit code of a run that has nothing left to do
MOST_LAYERS = 50


@dataclass(frozen=True)
class Options:
    """The options of `python -m painting.train`, under the same names."""

    learning_rate: float = 0.001
    hidden_layers: int = 4
    max_steps: int = 1000
    log_dir: Path = Path("/tmp/painting")
    picture: Path | None = None
    seed: int = 2  # with 1, the network of six layers survives a rate of 0.1


def main(arguments: list[str] | None = None) -> int:
    """Paint what the command line asks for. Returns: its exit code."""
    options = parse(arguments)
    return exit_code_of(lambda: run(options))


def parse(arguments: list[str] | None = None) -> Options:
    """Read the command line. Exits with code 2 and a sentence if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m painting.train",
        description="Teach a small network which colour of a picture is where.",
    )
    add, default = parser.add_argument, Options()
    add("--learning-rate", type=settings.rate, default=default.learning_rate,
        help="how far a step goes [%(default)s]")  # fmt: skip
    add("--hidden-layers", type=_layers, default=default.hidden_layers,
        help="layers of 32 between point and colour [%(default)s]")  # fmt: skip
    add("--max-steps", type=settings.count, default=default.max_steps,
        help="steps to train [%(default)s]")  # fmt: skip
    add("--log-dir", type=settings.folder, default=default.log_dir,
        help="what TensorBoard reads, and where painting.png goes [%(default)s]")  # fmt: skip
    add("--picture", type=_png, metavar="FILE",
        help="PNG file to paint, squeezed to 64 by 64 pixels [a night sky of our own]")  # fmt: skip
    add("--seed", type=settings.seed, default=default.seed,
        help="same seed, same painting [%(default)s]")  # fmt: skip
    return Options(**vars(parser.parse_args(arguments)))


def _layers(text: str) -> int:
    wanted = f"a whole number from 1 to {MOST_LAYERS}"
    return settings.checked(text, int, lambda number: 1 <= number <= MOST_LAYERS, wanted)


def _png(text: str) -> Path:
    try:
        return picture.require_png(settings.folder(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"cannot read {text}: {error}") from error


def run(options: Options) -> None:
    """Train, report each tenth, and keep the painting. Raises: Failure."""
    # Only now: importing TensorFlow takes seconds, and a wrong option should not.
    import keras

    from fashion_mnist.files import require_writable
    from painting import model

    require_writable(options.log_dir, "--log-dir")
    wanted = picture.read(options.picture) if options.picture else picture.night_sky()
    keras.utils.set_random_seed(options.seed)
    network = model.build(options.hidden_layers)
    step = model.make_step(network, keras.optimizers.Adam(options.learning_rate), wanted)
    paint = partial(model.paint, network, picture.SIDE)
    loop(options, step, paint)
    conclude(options.log_dir, paint())


def loop(options: Options, step, paint) -> None:
    """Run all steps: ``step()`` → loss, ``paint()`` → uint8 [64, 64, 3] for each report."""
    from fashion_mnist.summaries import Summaries

    summaries = Summaries(options.log_dir, "")
    summaries.describe(learning_rate=options.learning_rate, hidden_layers=options.hidden_layers)
    every = max(1, options.max_steps // REPORTS)
    for number in range(1, options.max_steps + 1):
        loss = step()
        if number % every == 0 or number == options.max_steps:
            report.say(f"step {number}/{options.max_steps} loss {float(loss):.5f}")
            summaries.image(number, PAINTING, paint())
            summaries.scalars(number, loss=float(loss))


def conclude(log_dir: Path, painting) -> None:
    """Show the painting, uint8 [64, 64, 3], as characters, and keep it as a file."""
    import tensorflow as tf

    from fashion_mnist import characters
    from fashion_mnist.files import writing

    report.say("\n" + characters.picture(painting) + "\n")
    path = log_dir / f"{PAINTING}.png"
    with writing("the painting", log_dir):
        path.write_bytes(tf.io.encode_png(painting).numpy())
    report.say(f"painted {path}")
    stopping.phase("after the picture was painted", exit_code=PAINTED)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
