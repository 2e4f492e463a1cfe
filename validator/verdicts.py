"""The six verdicts, their exit codes, and a finding: what every part of the validator hands on.

Everything pure imports this file; it imports nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class Verdict(Enum):
    """In the order in which they decide: of several exercises, the first that occurs wins."""

    COULD_NOT_CHECK = "could not check"
    WRONG = "wrong"
    CONVERGING = "converging"
    NOT_STARTED = "not started"
    BLOCKED = "blocked"
    DONE = "done"


EXIT_CODES = {
    Verdict.DONE: 0,
    Verdict.WRONG: 1,
    Verdict.NOT_STARTED: 3,
    Verdict.CONVERGING: 4,
    Verdict.BLOCKED: 5,
    Verdict.COULD_NOT_CHECK: 6,
}
USAGE_ERROR = 2


@dataclass(frozen=True)
class Finding:
    """Why a check does not hold, in words for the learner.

    ``anchor`` is a path from the checkout's root with a heading
    (``modules/5-tfjob/README.md#exercise-1``); left empty, the engine puts in
    that of the exercise.

    Raises: ValueError if found, wanted or next_step is empty, since a verdict
    without a next step leaves the learner alone with it.
    """

    verdict: Verdict
    found: str
    wanted: str
    next_step: str
    anchor: str = ""

    def __post_init__(self) -> None:
        if self.verdict is Verdict.DONE:
            raise ValueError("a check that holds has no finding")
        for field in ("found", "wanted", "next_step"):
            if not getattr(self, field).strip():
                raise ValueError(f"a finding needs {field}")

    def at(self, anchor: str) -> Finding:
        """This finding with an anchor, unless it has one already."""
        return self if self.anchor else replace(self, anchor=anchor)


def wrong(found: str, wanted: str, next_step: str) -> Finding:
    """The object is there and will not become right by itself."""
    return Finding(Verdict.WRONG, found, wanted, next_step)


def converging(found: str, wanted: str, next_step: str) -> Finding:
    """It is on its way."""
    return Finding(Verdict.CONVERGING, found, wanted, next_step)


def not_started(found: str, wanted: str, next_step: str) -> Finding:
    """Nothing like it exists."""
    return Finding(Verdict.NOT_STARTED, found, wanted, next_step)


def could_not_check(found: str, wanted: str, next_step: str) -> Finding:
    """No cluster, no permission, an API error: never the learner's fault."""
    return Finding(Verdict.COULD_NOT_CHECK, found, wanted, next_step)


def first_that_occurs(verdicts: list[Verdict]) -> Verdict:
    """The verdict for several exercises; done when there are none."""
    return next((verdict for verdict in Verdict if verdict in verdicts), Verdict.DONE)
