"""The lines of the log. They are an interface: people read them, and so do programs.

Each is flushed at once, so that `kubectl logs --follow` shows training as it goes.
"""

import math

from fashion_mnist.failure import unwritten


def say(line: str) -> None:
    """Print one line of the log now. Raises: Failure if it cannot be written."""
    try:
        print(line + "\n", end="", flush=True)  # one write: other threads print lines too
    except OSError as error:
        raise unwritten(error) from error


def step(number: int, max_steps: int, loss: float, accuracy: float) -> None:
    """Loss and accuracy are means over the steps since the line before."""
    say(f"step {number}/{max_steps} loss {loss:.4f} accuracy {accuracy:.4f}")


def test(accuracy: float, count: int) -> None:
    say(f"test accuracy {accuracy:.4f} on {count} images")


def saved(path: object) -> None:
    say(f"saved model to {path}")


def checkpoint(step: int, accuracy: float, count: int) -> None:
    """What the evaluator says of a checkpoint."""
    say(f"checkpoint at step {step} has test accuracy {accuracy:.4f} on {count} images")


def prediction(number: int, choice: str, probability: float, truth: str) -> None:
    """What a saved model takes a test image for, and what it is."""
    verdict = "right" if choice == truth else "wrong"
    percent = math.floor(100 * probability)
    say(f"image {number}: the model says {choice} ({percent} %), it is {truth}: {verdict}")


def answer(choice: str, probability: float) -> None:
    """What a server takes a test image for."""
    say(f"{choice} {probability:.2f}")


def worker_lost(index: int, workers: int) -> None:
    """What the chief says of a worker that died or was deleted; see `worker_back`."""
    others = "the others take its steps" if workers > 1 else "no step is taken"
    say(f"worker {index} is lost: {others} until it is back")


def worker_back(index: int) -> None:
    say(f"worker {index} is back")


def worker_share(index: int, steps: int) -> None:
    say(f"worker {index} took {steps} steps")
