"""The six verdicts, their exit codes, and a finding: what every part of the validator hands on.

Everything pure imports this file; it imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
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
# How long a thing may be on its way before the report says for how long it has been.
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Finding:
    """Why a check does not hold, in words for the learner.

    ``cause`` is the last part of the finding's id ("gpus.count.fraction" for the
    check "gpus.count"), which the recorded mistakes expect and class tables count.
    ``fix`` has a step each; one that begins with "$ " is a command, which stands
    alone on a line. ``redo``: the object has to be made again to try the fix, and
    the engine adds the commands for that. A converging finding has ``since`` and
    ``patience_seconds``; past it the report adds its age and ``late``: the last
    warning, the last line of the log. ``page`` is a path from the checkout's root
    with a heading; left empty, it is that of the exercise.

    Raises: ValueError if found, wanted or fix is empty, since a verdict without
    a fix leaves the learner alone with it.
    """

    verdict: Verdict
    cause: str
    found: str
    wanted: str
    fix: tuple[str, ...]
    redo: bool = False
    since: datetime | None = None
    patience_seconds: float = PATIENCE_SECONDS
    late: str = ""
    page: str = ""
    id: str = ""

    def __post_init__(self) -> None:
        if self.verdict is Verdict.DONE:
            raise ValueError("a check that holds has no finding")
        if not self.found.strip() or not self.wanted.strip() or not any(self.fix):
            raise ValueError(f"a finding needs found, wanted and fix: {self.cause}")

    @property
    def next_step(self) -> str:
        """The fix on one line, for tables and tests."""
        return "; ".join(step.removeprefix("$ ") for step in self.fix)

    def but(self, **changes: object) -> Finding:
        """This finding with other fields."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def named(self, check_id: str) -> Finding:
        """This finding with its full id: that of the check, then the cause."""
        return replace(self, id=".".join(filter(None, (check_id, self.cause))))


def wrong(cause: str, found: str, wanted: str, *fix: str, redo: bool = False) -> Finding:
    """The object is there and will not become right by itself."""
    return Finding(Verdict.WRONG, cause, found, wanted, fix, redo)


def converging(
    cause: str,
    found: str,
    wanted: str,
    *fix: str,
    since: datetime | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
    late: str = "",
) -> Finding:
    """It is on its way."""
    return Finding(
        Verdict.CONVERGING, cause, found, wanted, fix, False, since, patience_seconds, late
    )


def not_started(cause: str, found: str, wanted: str, *fix: str) -> Finding:
    """Nothing like it exists."""
    return Finding(Verdict.NOT_STARTED, cause, found, wanted, fix)


def blocked(cause: str, found: str, wanted: str, *fix: str) -> Finding:
    """Something that the exercise needs is missing."""
    return Finding(Verdict.BLOCKED, cause, found, wanted, fix)


def could_not_check(cause: str, found: str, wanted: str, *fix: str) -> Finding:
    """No cluster, no permission, an API error: never the learner's fault."""
    return Finding(Verdict.COULD_NOT_CHECK, cause, found, wanted, fix)


def first_that_occurs(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict for several exercises; done when there are none."""
    occurring = set(verdicts)
    return next((verdict for verdict in Verdict if verdict in occurring), Verdict.DONE)
