"""Evidence of painting: what a run of `painting.train` prints, and why a log may not be one.

The lines are an interface of the sample image (sample-image/README.md)::

    step 60/600 loss 0.00854
    painted PATH

As with a training's log (`evidence`), anyone can print them. Only a program that
runs takes time between its steps, in a container that has started TensorFlow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from validator import program
from validator.evidence import (
    FEWEST_LINES,
    IMPORT_SECONDS,
    MOST_LINE_CHARACTERS,
    MOST_STEPS_PER_SECOND,
    ROUNDING,
    container_status,
)
from validator.program import Doubt
from validator.snapshot import Log, Object, mapping, time_at

STEP = re.compile(r"step (\d{1,9})/(\d{1,9}) loss (\d{1,9}\.\d{1,9})")
PAINTED = re.compile(r"painted (/\S*)")
MODULE = "painting.train"
# What the program takes without the option (sample-image/README.md).
DEFAULTS = {
    "--learning-rate": "0.001",
    "--hidden-layers": "4",
    "--max-steps": "1000",
    "--log-dir": "/tmp/painting",
}


@dataclass(frozen=True)
class Line:
    """One step line; ``loss`` is the mean squared error of the colours."""

    number: int
    total: int
    loss: float
    time: datetime | None


@dataclass(frozen=True)
class Painting:
    """What a log says; ``done``: the program has said that it has painted."""

    lines: tuple[Line, ...]
    done: bool
    cut: bool

    @property
    def loss(self) -> float:
        """That of the last line. Raises: IndexError without any."""
        return self.lines[-1].loss


@dataclass(frozen=True, order=True)
class Choice:
    """The hyper-parameters of one training."""

    learning_rate: float
    hidden_layers: float

    def __str__(self) -> str:
        return f"rate {self.learning_rate:.6g} with {self.hidden_layers:g} layers"


def read(log: Log) -> Painting:
    """Parse a log. Lines of any other kind are passed over."""
    bare = [(line.time, line.text[:MOST_LINE_CHARACTERS].strip()) for line in log.lines]
    found = [(time, match) for time, words in bare if (match := STEP.fullmatch(words))]
    lines = tuple(Line(int(m[1]), int(m[2]), float(m[3]), time) for time, m in found)
    return Painting(lines, any(PAINTED.fullmatch(words) for _, words in bare), log.cut)


def choice(container: Object) -> Choice | None:
    """What a container's words ask for; None if it is no pair of numbers. Raises: Unreadable."""
    try:
        return Choice(float(asked(container, "--learning-rate")),
                      float(asked(container, "--hidden-layers")))  # fmt: skip
    except ValueError:
        return None


def asked(container: Object, name: str) -> str:
    """The value of an option, or the program's default. Raises: Unreadable if it is not known."""
    return program.asked(container, name, MODULE) or DEFAULTS.get(name, "")


def steps(container: Object) -> int | None:
    """The number of steps that it asks for; None where that is no number. Raises: Unreadable."""
    value = asked(container, "--max-steps")
    return int(value) if value.isdecimal() and len(value) < 10 else None


def doubt(painting: Painting, pod: Object, container: Object) -> Doubt | None:
    """Why this log cannot be that of the painter; pod: the one whose container ended with 0."""
    return next(_doubts(painting, pod, container), None)


def _doubts(painting: Painting, pod: Object, container: Object) -> Iterator[Doubt]:
    lines = painting.lines
    if len(lines) < FEWEST_LINES:
        yield Doubt("few-lines", f"{len(lines)} lines `step n/N loss …`, fewer than {FEWEST_LINES}")
    numbers = [line.number for line in lines]
    if numbers != sorted(set(numbers)) or len({line.total for line in lines}) > 1:
        yield Doubt("order", "step numbers that do not count upwards")
    wanted = steps(container)
    if lines and (lines[-1].number != lines[-1].total or wanted not in (None, lines[-1].total)):
        last = f"{lines[-1].number} of {lines[-1].total}"
        yield Doubt("steps", f"its last step is {last}, and it was asked for {wanted}")
    if not painting.done:
        yield Doubt("no-end", "no line `painted PATH`", certain=not painting.cut)
    yield from _times(lines, mapping(container_status(pod, str(container.get("name"))), "state"))


def _times(lines: tuple[Line, ...], state: Object) -> Iterator[Doubt]:
    times = [line.time for line in lines if line.time]
    if len(times) < len(lines):
        yield Doubt("no-times", "step lines without a time of their own")
        return
    number, seconds = lines[-1].number - lines[0].number, (times[-1] - times[0]).total_seconds()
    if number > seconds * MOST_STEPS_PER_SECOND:
        yield Doubt("too-fast", f"{number} steps within {seconds:.3f} s, which no machine takes")
    began = time_at(state, "terminated", "startedAt")
    finished = time_at(state, "terminated", "finishedAt")
    if began and times[0] < began + timedelta(seconds=IMPORT_SECONDS):
        yield Doubt("too-early", "a first step before TensorFlow can even start")
    if finished and times[-1] > finished + ROUNDING:
        yield Doubt("too-late", "steps after the end of the container", certain=False)
