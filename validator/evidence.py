"""Evidence of training: what a container's log proves, and why it may not be that of a training.

The log lines are an interface of the sample image (sample-image/README.md)::

    chief of the cluster chief module5-ex1-master-xhat-0:2222
    resuming at step 300 from PATH
    step 100/500 loss 0.5123 accuracy 0.8125
    test accuracy 0.8743 on 10000 images
    saved model to PATH
    worker 0 took 512 steps             (of a chief, with parameter servers)

Anyone can print these. Only a training takes time between its steps, in a
container that ran TensorFlow for a while, whose loss falls as the image's does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from validator.program import Doubt, given, option_words
from validator.snapshot import Log, LogLine, Object, listed, mapping, time_at
from validator.tfjobs import containers, runs_own_image

STEP = re.compile(r"step (\d{1,9})/(\d{1,9}) loss (\d{1,9}\.\d+|nan|inf) accuracy (\d\.\d+)")
TEST_ACCURACY = re.compile(r"test accuracy (\d\.\d+) on (\d{1,9}) images")
WORKER = re.compile(r"worker (\d{1,6}) took (\d{1,9}) steps")
SAVED = re.compile(r"saved model to (\S.*)")
CLUSTER = re.compile(r"(?:chief|worker \d+|ps \d+) of the cluster (\S.*)")
RESUMED = re.compile(r"resuming at step (\d{1,9}) from \S.*")
LOST = re.compile(
    r"worker (?P<one>\d{1,6}) is lost\b.*"
    r"|.*/job:worker/replica:0/task:(?P<other>\d{1,6})\b.*(?:UnavailableError|failed|unavailable).*"
)

ENTRY_POINT = "fashion_mnist.train"
# A line of the log is shorter; what is longer is another program's.
MOST_LINE_CHARACTERS = 2000
# What the program takes without --max-steps (sample-image/README.md).
DEFAULT_STEPS = 2200
FEWEST_LINES = 3
# No GPU runs a step of even this small network in 0.2 ms: starting its kernels takes longer.
MOST_STEPS_PER_SECOND = 5000
# Importing TensorFlow alone takes longer.
IMPORT_SECONDS = 1.0
# The API rounds a container's times to whole seconds.
ROUNDING = timedelta(seconds=1.5)
# Between these the loss of the image's own training lies (seed 1, 500 steps, alone), by step: a
# mean over the steps since the line before. Measured on several processors and versions of the
# image; the band is half as wide again as what was seen.
CURVE = {
    50: (0.55, 1.95),
    100: (0.38, 1.05),
    200: (0.29, 0.78),
    300: (0.24, 0.65),
    400: (0.20, 0.58),
    500: (0.18, 0.56),
}
# Options that leave the curve as it is.
_NEUTRAL = ("--max-steps", "--save-dir", "--log-dir", "--checkpoint-dir", "--checkpoint-every")


@dataclass(frozen=True)
class Step:
    """One step line. ``loss`` may be nan; ``accuracy`` is a mean over the batches, 0 to 1."""

    number: int
    total: int
    loss: float
    accuracy: float
    time: datetime | None


@dataclass(frozen=True)
class Training:
    """What a log says. ``test_accuracy`` and ``saved_to`` are None until they are printed.

    ``lost``: when workers were lost. ``hosts``: who is in the cluster, in the
    program's own words; "" before it has said so. ``start``: the step of the
    checkpoint that it resumed from. ``tests``: how many test accuracies it printed.
    """

    steps: tuple[Step, ...]
    test_accuracy: float | None
    test_images: int
    saved_to: str | None
    last_line: str
    worker_steps: dict[int, int]
    lost: tuple[datetime, ...]
    hosts: str
    start: int
    tests: int
    cut: bool

    @property
    def last_step(self) -> int:
        """The last step that was taken, maybe before it resumed; 0 for none."""
        return self.steps[-1].number if self.steps else self.start

    def progress(self) -> str:
        """How far, and an estimate where the lines carry times: "step 300/500, about 12 s left"."""
        if not self.steps:
            return "no step printed yet"
        first, last = self.steps[0], self.steps[-1]
        position = f"step {last.number}/{last.total}"
        seconds = _seconds(first.time, last.time)
        if not seconds or last.number <= first.number:
            return position
        left = max(0.0, (last.total - last.number) * seconds / (last.number - first.number))
        return f"{position}, about {left:.0f} s left"


def read(log: Log) -> Training:
    """Parse a log. Lines of any other kind are passed over."""
    bare = [(line, line.text[:MOST_LINE_CHARACTERS].strip()) for line in log.lines]

    def found(pattern: re.Pattern[str]) -> list[tuple[LogLine, re.Match[str]]]:
        return [(line, m) for line, words_ in bare if (m := pattern.fullmatch(words_))]

    tests, saves, hosts = found(TEST_ACCURACY), found(SAVED), found(CLUSTER)
    resumed = found(RESUMED)
    return Training(
        steps=tuple(_step(match, line.time) for line, match in found(STEP)),
        test_accuracy=float(tests[-1][1][1]) if tests else None,
        test_images=int(tests[-1][1][2]) if tests else 0,
        saved_to=saves[-1][1][1] if saves else None,
        last_line=next((words_ for _, words_ in reversed(bare) if words_), ""),
        worker_steps={int(match[1]): int(match[2]) for _, match in found(WORKER)},
        lost=tuple(line.time for line, _ in found(LOST) if line.time),
        hosts=hosts[-1][1][1] if hosts else "",
        start=int(resumed[-1][1][1]) if resumed else 0,
        tests=len(tests),
        cut=log.cut,
    )


def doubt(training: Training, pod: Object, name: str, runtime_id: str = "") -> Doubt | None:
    """Why this log cannot be that of a training by the sample image; None when it hangs together.

    pod: the Pod whose container ``name`` wrote it, ended with 0.
    runtime_id: that of the TfJob, by which the program's cluster is known; "" for none.
    """
    return next(_doubts(training, pod, name, runtime_id), None)


def _doubts(training: Training, pod: Object, name: str, runtime_id: str) -> Iterator[Doubt]:
    container = container_of(pod, name)
    if runtime_id and f"-{runtime_id}-" not in training.hosts:
        yield Doubt("other-log", "the program never says that it belongs to this TfJob")
    yield from _order(training)
    yield from _asked(training, container)
    yield from _number(training, container)
    yield from _times(training, container_status(pod, name))
    yield from _loss(training)
    yield from _end(training, saves=not runs_own_image(container))


def off_the_curve(training: Training, container: Object) -> Doubt | None:
    """Why the loss cannot be that of the image's seed; None when near, or options change it."""
    words_ = option_words(container)
    if runs_own_image(container):
        # It has a curve of its own.
        return None
    # The learning rate follows the asked number of steps, so only this total has this curve.
    if words_ is None or training.start or not training.steps:
        return None
    options = [word.partition("=")[0] for word in words_ if word.startswith("-")]
    changed = any(not any(o.startswith(option) for o in _NEUTRAL) for option in options)
    if changed or training.steps[-1].total != max(CURVE):
        return None
    for step in training.steps:
        low, high = CURVE.get(step.number, (step.loss, step.loss))
        if not low <= step.loss <= high:
            reason = f"loss {step.loss} at step {step.number}: the image's is {low} to {high}"
            return Doubt("curve", reason)
    return None


def container_of(pod: Object, name: str) -> Object:
    """The Pod's container of that name; {} for none."""
    both = containers(mapping(pod, "spec"))
    return next((c for c in both if c.get("name") == name), {})


def container_status(pod: Object, container: str) -> Object:
    """The status of the Pod's container of that name; {} before there is one."""
    statuses = listed(pod, "status", "containerStatuses")
    return next((s for s in statuses if s.get("name") == container), {})


# (cause, pattern of the last line, what it means)
_FAILURES = (
    (
        "addresses",
        r"unrecognized arguments: .*?(?P<what>--(?:cluster_spec|worker_hosts|ps_hosts))",
        "The program does not know {what}: it reads who is who from TF_CONFIG, which the operator "
        "sets. Delete {what} from `args`. The whole log:",
    ),
    (
        "one-word",
        r"unrecognized arguments: (?P<what>--[a-z-]+ \S+)$",
        "{what} is one entry of `args`, with a space in it. Write two, as in "
        '["--max-steps", "500"]. The whole log:',
    ),
    (
        "option",
        r"unrecognized arguments: (?P<what>.+)",
        "The program does not know {what}. Its options are written with hyphens, as --max-steps. "
        "Correct `args`. The whole log:",
    ),
    (
        "value",
        r"argument (?P<what>\S+): (?P<why>.+)",
        "The value of {what} is wrong ({why}). Correct `args`. The whole log:",
    ),
    (
        "dynamic",
        r"Cannot use TF_CONFIG: `cluster` is missing",
        "With enableDynamicWorker, TF_CONFIG does not name the whole cluster, as the sample image "
        "needs it. Delete enableDynamicWorker from the manifest. The whole log:",
    ),
    (
        "no-devices",
        r"No devices were found",
        "nvidia-smi saw no card: NVIDIA_VISIBLE_DEVICES hides all of them. Delete it from `env`. "
        "The whole log:",
    ),
    (
        "data",
        r"Cannot use the data file (?P<what>\S+): No such file or directory",
        "The image's pictures are at {what}, and a mount there hides them. Mount the volume "
        "elsewhere: /tmp/fashion-mnist is where the program saves. The whole log:",
    ),
    (
        "permission",
        r"Cannot write into (?P<what>\S+): Permission denied",
        "The program runs as user 10001, who may not write to the volume at {what}. Write "
        "`securityContext: {{fsGroup: 10001}}` beside `containers`. The whole log:",
    ),
    (
        "module",
        r"No module named '?(?P<what>[\w.]+)",
        "The image has no Python module {what}: use the sample image. The whole log:",
    ),
)


def failure_hint(last_line: str) -> tuple[str, str]:
    """(cause, what it means) of the last line of a failed program; ("", "") if not known."""
    for cause, pattern, hint in _FAILURES:
        match = re.search(pattern, last_line)
        if match:
            return cause, hint.format(**match.groupdict())
    return "", ""


def asked_steps(container: Object) -> int | None:
    """The number of steps that the command line asks for; None where it is not known."""
    words_ = option_words(container)
    if words_ is None:
        return None
    value = given(container, "--max-steps")
    if not value:
        # An image of the learner's own may have it in its entry point, or another default.
        unknown = runs_own_image(container) or any("$" in word for word in words_)
        return None if unknown else DEFAULT_STEPS
    return int(value) if value.isdecimal() and len(value) < 10 else None


def _order(training: Training) -> Iterator[Doubt]:
    numbers = [step.number for step in training.steps]
    if numbers != sorted(set(numbers)) or any(s.number > s.total for s in training.steps):
        yield Doubt("order", "step numbers that do not count upwards")
    if len({step.total for step in training.steps}) > 1:
        yield Doubt("totals", "step lines of more than one total")
    if training.tests > 1:
        yield Doubt("twice", f"{training.tests} test accuracies, and a training prints one")


def _asked(training: Training, container: Object) -> Iterator[Doubt]:
    asked = asked_steps(container)
    total = training.steps[-1].total if training.steps else asked
    if asked is not None and total != asked:
        reason = f"step lines of {total} steps from a program with --max-steps {asked}"
        yield Doubt("not-asked", reason)


def _number(training: Training, container: Object) -> Iterator[Doubt]:
    """At least three lines; fewer only where few steps were left, or few lines were asked for."""
    count, last = len(training.steps), training.last_step
    fewest = FEWEST_LINES if not training.start else 1 if training.start < last else 0
    if count >= fewest:
        return
    asked = given(container, "--log-every") or ""
    every = int(asked) if asked.isdecimal() and len(asked) < 10 else 50
    few = last - training.start <= every * (count + 1)
    yield Doubt("few-lines", f"{count} step lines, fewer than {fewest}", certain=not few)


def _times(training: Training, status: Object) -> Iterator[Doubt]:
    times = [step.time for step in training.steps if step.time]
    if len(times) < len(training.steps):
        yield Doubt("no-times", "step lines without a time of their own")
        return
    if times != sorted(times):
        # A clock may have been set back meanwhile.
        yield Doubt("time-order", "times that do not rise", certain=False)
    number = training.steps[-1].number - training.steps[0].number if times else 0
    seconds = _seconds(times[0], times[-1]) or 0.0 if times else 0.0
    if number > seconds * MOST_STEPS_PER_SECOND:
        yield Doubt("too-fast", f"{number} steps within {seconds:.3f} s, which no machine trains")
    ended = mapping(status, "state", "terminated")
    began, finished = time_at(ended, "startedAt"), time_at(ended, "finishedAt")
    if times and began and times[0] < began + timedelta(seconds=IMPORT_SECONDS):
        yield Doubt("too-early", "a first step before TensorFlow can even start")
    if times and finished and times[-1] > finished + ROUNDING:
        yield Doubt("too-late", "steps after the end of the container", certain=False)


def _end(training: Training, saves: bool) -> Iterator[Doubt]:
    """With exit code 0 the program has tested and saved its model, and has said so.

    saves: it is the sample image's; a program of the learner's own may only test.
    """
    unsaved = saves and training.saved_to is None
    if not training.cut and (unsaved or not training.tests):
        missing = "test accuracy" if not training.tests else "`saved model to …`"
        yield Doubt("no-end", f"no {missing} at the end of the log")


def _loss(training: Training) -> Iterator[Doubt]:
    # What resumed late has little to gain, and its loss goes up and down.
    if training.start:
        return
    if len(training.steps) > 1 and not training.steps[-1].loss < training.steps[0].loss:
        first, last = training.steps[0], training.steps[-1]
        falls = f"{first.loss} at step {first.number}, {last.loss} at the end"
        yield Doubt("loss", f"a loss that did not go down ({falls})")


def _step(match: re.Match[str], time: datetime | None) -> Step:
    number, total, loss, accuracy = match.groups()
    return Step(int(number), int(total), float(loss), float(accuracy), time)


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end else None
