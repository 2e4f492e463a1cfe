"""The lines of the log. They are an interface: people read them, and so do programs.

Each is flushed at once, so that `kubectl logs --follow` shows training as it goes.
"""


def say(line: str) -> None:
    """Print one line of the log now."""
    print(line, flush=True)


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


def worker_share(index: int, steps: int) -> None:
    say(f"worker {index} took {steps} steps")
