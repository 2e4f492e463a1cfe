"""The engine: collects the checks of each exercise and runs them over a snapshot.

A check is a function of a snapshot. Its docstring is what the learner sees; it
returns None when it holds, and a ``Finding`` (found, wanted, next step) when it
does not. ``exercises/`` registers checks here; ``__main__`` asks for grades.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from validator.snapshot import Snapshot, Unreadable
from validator.verdicts import Finding, Verdict, could_not_check, first_that_occurs

CheckFunction = Callable[[Snapshot], Finding | None]


@dataclass(frozen=True)
class Check:
    """One thing that has to hold; ``title`` is the first line of the function's docstring."""

    name: str
    title: str
    function: CheckFunction
    requires: tuple[str, ...]


@dataclass
class Exercise:
    """An exercise and its checks, in the order in which a learner should hear of them.

    ``objects`` are (kubectl kind, name) pairs that ``reset`` deletes; ``solution``
    and ``solution_without_gpus`` are paths from the checkout's root.
    """

    number: str
    title: str
    anchor: str
    objects: tuple[tuple[str, str], ...] = ()
    solution: str = ""
    solution_without_gpus: str = ""
    checks: list[Check] = field(default_factory=list)

    @property
    def module(self) -> int:
        return int(self.number.partition(".")[0])


@dataclass(frozen=True)
class Outcome:
    """One check after it ran; ``verdict`` is None when an earlier check made it pointless."""

    check: Check
    verdict: Verdict | None
    finding: Finding | None = None


@dataclass(frozen=True)
class Grade:
    """One exercise after its checks ran."""

    exercise: Exercise
    verdict: Verdict
    outcomes: tuple[Outcome, ...]

    @property
    def finding(self) -> Finding | None:
        """The finding that decided the verdict; None when done."""
        found = (o.finding for o in self.outcomes if o.finding and o.verdict is self.verdict)
        return next(found, None)


EXERCISES: dict[str, Exercise] = {}


def exercise(number: str, title: str, anchor: str, **details: object) -> Exercise:
    """Register an exercise; its checks follow."""
    EXERCISES[number] = Exercise(number, title, anchor, **details)  # type: ignore[arg-type]
    return EXERCISES[number]


def check(number: str, requires: Sequence[str] = ()) -> Callable[[CheckFunction], CheckFunction]:
    """Register a function as the next check of exercise ``number``.

    requires: exercises that must be done first; otherwise the verdict is blocked.
    Raises: ValueError if the function has no docstring, since the learner reads it.
    """

    def register(function: CheckFunction) -> CheckFunction:
        title = (function.__doc__ or "").strip().split("\n")[0]
        if not title:
            raise ValueError(f"check {function.__name__} needs a docstring: the learner reads it")
        name = function.__name__
        EXERCISES[number].checks.append(Check(name, title, function, tuple(requires)))
        return function

    return register


def grade(cluster: Snapshot, numbers: Sequence[str]) -> list[Grade]:
    """Grade exercises in the given order. Performs no I/O and never raises."""
    known: dict[str, Grade] = {}
    return [_grade(cluster, EXERCISES[number], known) for number in numbers]


def verdict_of(grades: Sequence[Grade]) -> Verdict:
    """The one verdict for several exercises."""
    return first_that_occurs([g.verdict for g in grades])


def ungraded(numbers: Sequence[str], finding: Finding) -> list[Grade]:
    """Grades for when nothing could be read: every exercise could not be checked, and why."""
    return [_all_unchecked(EXERCISES[number], finding) for number in numbers]


def _grade(cluster: Snapshot, exercise: Exercise, known: dict[str, Grade]) -> Grade:
    """Run the checks up to the first that definitely fails.

    A check that could not be made does not hide a later mistake, which is known
    for certain; where all others hold, it decides.
    """
    if exercise.number not in known:
        outcomes: list[Outcome] = []
        for each in exercise.checks:
            settled = any(o.verdict not in _PASSABLE for o in outcomes)
            outcomes.append(Outcome(each, None) if settled else _run(cluster, each, known))
        known[exercise.number] = Grade(exercise, _decide(outcomes), _anchored(outcomes, exercise))
    return known[exercise.number]


_PASSABLE = (Verdict.DONE, Verdict.COULD_NOT_CHECK)


def _run(cluster: Snapshot, each: Check, known: dict[str, Grade]) -> Outcome:
    finding = _blocked(cluster, each, known) or _call(cluster, each)
    return Outcome(each, finding.verdict if finding else Verdict.DONE, finding)


def _call(cluster: Snapshot, each: Check) -> Finding | None:
    try:
        return each.function(cluster)
    except Unreadable as problem:
        return unreadable(problem)
    except Exception as error:
        # A snapshot may hold anything: whatever a check trips over is no fault of the learner's.
        return could_not_check(
            found=f"the check {each.name} failed itself: {type(error).__name__}: {error}",
            wanted="a check that gives a verdict",
            next_step="report it with the file that `python -m validator snapshot -o FILE` writes",
        )


def unreadable(problem: Unreadable) -> Finding:
    """What a learner can do about something that could not be read."""
    if problem.status == 403:
        next_step = (
            "ask whoever runs the cluster to grant what validator/rbac.yaml lists "
            f"(`kubectl auth can-i list {problem.what.split()[-1]}` shows the state)"
        )
    else:
        next_step = "try again; `kubectl cluster-info` shows whether the cluster answers"
    return could_not_check(
        found=f"{problem.what} could not be read: {problem.message or problem.status}",
        wanted=f"permission and an API server that answers, to read {problem.what}",
        next_step=next_step,
    )


def _blocked(cluster: Snapshot, each: Check, known: dict[str, Grade]) -> Finding | None:
    """The finding when a required exercise is known not to be done.

    One that could not be checked blocks nothing: the API may still show all
    that this check needs.
    """
    for number in each.requires:
        needed = _grade(cluster, EXERCISES[number], known)
        reason = needed.finding
        if reason and needed.verdict not in _PASSABLE:
            return Finding(
                Verdict.BLOCKED,
                found=f"exercise {number} ({needed.exercise.title}) is {needed.verdict.value}: "
                f"{reason.found}",
                wanted=f"exercise {number} done first: {reason.wanted}",
                next_step=reason.next_step,
                anchor=reason.anchor,
            )
    return None


def _decide(outcomes: Sequence[Outcome]) -> Verdict:
    """A definite failure (there is at most one) before what could not be checked."""
    verdicts = [o.verdict for o in outcomes if o.verdict]
    definite = [v for v in verdicts if v not in _PASSABLE]
    return definite[0] if definite else first_that_occurs(verdicts)


def _anchored(outcomes: Sequence[Outcome], exercise: Exercise) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(o.check, o.verdict, o.finding.at(exercise.anchor)) if o.finding else o
        for o in outcomes
    )


def _all_unchecked(exercise: Exercise, finding: Finding) -> Grade:
    outcomes = [
        Outcome(c, finding.verdict if not i else None, finding if not i else None)
        for i, c in enumerate(exercise.checks)
    ]
    return Grade(exercise, finding.verdict, _anchored(outcomes, exercise))
