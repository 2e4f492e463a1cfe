"""SIGTERM: Kubernetes asks a Pod to end, and kills it when its grace period is over."""

import signal
from collections.abc import Callable

from fashion_mnist.failure import Interruption

_asked = False


def listen() -> None:
    """From now on remember a SIGTERM instead of dying of it."""
    signal.signal(signal.SIGTERM, _remember)


def _remember(*_: object) -> None:
    global _asked
    _asked = True


def asked() -> bool:
    """Whether somebody asked this process to end."""
    return _asked


def check(save: Callable[[int], str], step: int) -> None:
    """Between two steps: if asked to end, save what ``step`` steps have learned, and end.

    Raises: Interruption, so that a replica that was moved is started again.
    """
    if _asked:
        raise Interruption(f"Asked to end at step {step}: {save(step)}.")
