"""Evidence of training: what a container's log proves, and whether it hangs together.

The log lines are an interface of the sample image::

    step 100/500 loss 0.5123 accuracy 0.8125
    test accuracy 0.8743 on 10000 images
    saved model to PATH
    worker 0 took 512 steps             (of a chief, with parameter servers)

Anyone can print these; only a training takes time between its steps, in a
container that ran TensorFlow for a while and ended well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from validator.snapshot import LogLine, Object, at, listed, parse_time, text
from validator.tfjobs import TRAINING_CONTAINER

STEP = re.compile(r"step (\d+)/(\d+) loss (\d+\.\d+|nan|inf) accuracy (\d\.\d+)")
TEST_ACCURACY = re.compile(r"test accuracy (\d\.\d+) on (\d+) images")
WORKER = re.compile(r"worker (\d+) took (\d+) steps")
SAVED = re.compile(r"saved model to (\S.*)")

# No GPU runs a step of even this small network in 0.2 ms: starting its kernels takes longer.
MOST_STEPS_PER_SECOND = 5000
# Importing TensorFlow alone takes longer; the API rounds the times to whole seconds.
SHORTEST_RUN_SECONDS = 1


@dataclass(frozen=True)
class Step:
    """One step line. ``loss`` may be nan; ``accuracy`` is that of the batch, 0 to 1."""

    number: int
    total: int
    loss: float
    accuracy: float
    time: datetime | None


@dataclass(frozen=True)
class Training:
    """What a log says. ``test_accuracy`` and ``saved_to`` are None until they are printed."""

    steps: tuple[Step, ...]
    test_accuracy: float | None
    test_images: int
    saved_to: str | None
    last_line: str
    worker_steps: dict[int, int]

    @property
    def last_step(self) -> int:
        return self.steps[-1].number if self.steps else 0

    def progress(self) -> str:
        """How far, and an estimate where the lines carry times: "step 300/500, about 12 s left"."""
        if not self.steps:
            return "before its first step line"
        first, last = self.steps[0], self.steps[-1]
        position = f"step {last.number}/{last.total}"
        seconds = _seconds(first.time, last.time)
        if not seconds or last.number <= first.number:
            return position
        left = (last.total - last.number) * seconds / (last.number - first.number)
        return f"{position}, about {left:.0f} s left"


def read(lines: Sequence[LogLine]) -> Training:
    """Parse a log. Lines of any other kind are passed over."""
    steps = [_step(match, line.time) for line in lines if (match := STEP.fullmatch(_bare(line)))]
    tests = [match for line in lines if (match := TEST_ACCURACY.fullmatch(_bare(line)))]
    saves = [match for line in lines if (match := SAVED.fullmatch(_bare(line)))]
    shares = [match for line in lines if (match := WORKER.fullmatch(_bare(line)))]
    last = next((_bare(line) for line in reversed(lines) if _bare(line)), "")
    return Training(
        steps=tuple(steps),
        test_accuracy=float(tests[-1][1]) if tests else None,
        test_images=int(tests[-1][2]) if tests else 0,
        saved_to=saves[-1][1] if saves else None,
        last_line=last,
        worker_steps={int(match[1]): int(match[2]) for match in shares},
    )


def contradiction(training: Training, pod: Object) -> str:
    """Why this log cannot be that of a training; "" when it hangs together.

    pod: the Pod whose container ``tensorflow`` wrote it, finished.
    """
    return (
        _too_quick(training)
        or _too_short(pod)
        or _out_of_order(training)
        or _learned_nothing(training)
    )


def training_status(pod: Object) -> Object:
    """The status of the Pod's container ``tensorflow``; {} before there is one."""
    statuses = listed(pod, "status", "containerStatuses")
    return next((s for s in statuses if s.get("name") == TRAINING_CONTAINER), {})


def _too_quick(training: Training) -> str:
    if len(training.steps) < 2:
        return ""
    first, last = training.steps[0], training.steps[-1]
    seconds = _seconds(first.time, last.time)
    number = last.number - first.number
    if seconds is None or number <= seconds * MOST_STEPS_PER_SECOND:
        return ""
    return f"{number} steps within {seconds:.3f} s, which no machine trains"


def _too_short(pod: Object) -> str:
    ended = at(training_status(pod), "state", "terminated")
    seconds = _seconds(parse_time(text(ended, "startedAt")), parse_time(text(ended, "finishedAt")))
    if seconds is None or seconds >= SHORTEST_RUN_SECONDS:
        return ""
    return "a container that ran for less than a second, in which TensorFlow cannot even start"


def _out_of_order(training: Training) -> str:
    numbers = [step.number for step in training.steps]
    if numbers != sorted(set(numbers)) or any(s.number > s.total for s in training.steps):
        return "step numbers that do not count upwards"
    return ""


def _learned_nothing(training: Training) -> str:
    if len(training.steps) < 2 or training.steps[-1].loss < training.steps[0].loss:
        return ""
    first, last = training.steps[0], training.steps[-1]
    return f"a loss that did not fall ({first.loss} at step {first.number}, {last.loss} at the end)"


def _step(match: re.Match[str], time: datetime | None) -> Step:
    number, total, loss, accuracy = match.groups()
    return Step(int(number), int(total), float(loss), float(accuracy), time)


def _bare(line: LogLine) -> str:
    return line.text.strip()


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end else None
