"""The smallest exercises, findings and snapshots that the tests of engine and reports need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from validator import exercises  # noqa: F401 (registers the real ones, which are put aside)
from validator.engine import EXERCISES, Check, Exercise, Grade, Outcome, Subject, exercise
from validator.snapshot import Object, Snapshot, text
from validator.verdicts import Finding, Verdict

TAKEN = "2026-11-25T10:00:00+00:00"


class Thing(Subject):
    """A TfJob whose annotation says how it ended."""

    kind, plural, kubectl = "TfJob", "tfjobs", "tfjob"
    reads = frozenset({"tfjobs"})

    def ended(self, cluster: Snapshot, item: Object) -> str:
        return text(item, "metadata", "annotations", "ended")


def finding(
    found: str = "this",
    verdict: Verdict = Verdict.WRONG,
    fix: Sequence[str] = ("Do it.",),
    **more: Any,
) -> Finding:
    return Finding(verdict, "cause", found, "that", tuple(fix), **more).named("check")


def graded(
    *outcomes: Finding | None, number: str = "9.1", title: str = "Title", **more: Any
) -> Grade:
    """A grade made by hand: an outcome for each finding, None for a check that holds."""
    checks = [
        Check(f"check{i}", f"Check {i} holds.", lambda seen: None) for i in range(len(outcomes))
    ]
    made = Exercise(number, title, "5-tfjob#exercise-1", Thing("thing"), checks, **more)
    ran = [
        Outcome(check, one.verdict if one else Verdict.DONE, one and one.but(page=made.anchor))
        for check, one in zip(checks, outcomes, strict=True)
    ]
    verdict = next((o.verdict for o in ran if o.finding and o.verdict), Verdict.DONE)
    return Grade(made, verdict, tuple(ran))


def tfjob(name: str = "thing", uid: str = "", **annotations: str) -> Object:
    meta = {"name": name, "uid": uid or f"uid-{name}", "annotations": annotations}
    return {"kind": "TfJob", "metadata": meta}


def data(*tfjobs: Object, **more: Any) -> dict[str, Any]:
    """The data of a snapshot that holds these TfJobs."""
    return {
        "version": 2,
        "taken": TAKEN,
        "namespace": "default",
        "objects": {"tfjobs": list(tfjobs), "pods": []},
        "elsewhere": {},
        "operator": {},
        "logs": {},
        "missing": {},
        **more,
    }


def register(number: str, *checks: Check, subject: Subject | None = None, **more: Any) -> Exercise:
    """An exercise in module 5's place of the real ones."""
    return exercise(
        number,
        more.pop("title", "Title"),
        page="5-tfjob#exercise-1",
        subject=subject or Thing("thing"),
        checks=list(checks),
        **more,
    )


@contextmanager
def no_exercises() -> Iterator[None]:
    """None but those that the test registers."""
    real = dict(EXERCISES)
    EXERCISES.clear()
    try:
        yield
    finally:
        EXERCISES.clear()
        EXERCISES.update(real)
