"""Checks of many TfJobs at once: those of a Helm release, or those of a search.

Each is judged as a TfJob alone is; what is found of one says which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from validator import painter, program
from validator.checks.releases import made
from validator.checks.run import as_asked, not_ended
from validator.diagnosis import failed, succeeded
from validator.engine import Check, Seen
from validator.snapshot import (
    Object,
    Unreadable,
    condition,
    is_true,
    mapping,
    name_of,
    text,
    time_at,
)
from validator.subjects import Search, TfJob
from validator.tfjobs import main_container
from validator.verdicts import Finding, Verdict, converging, could_not_check

RUNS = frozenset({"tfjobs", "jobs", "pods", "events", "logs", "nodes", "persistentvolumeclaims"})
LINES = frozenset({f"line {painter.STEP.pattern}", f"line {painter.PAINTED.pattern}"})


def trainings(seen: Seen) -> list[Object]:
    """The TfJobs of the subject, oldest first. Raises: Unreadable."""
    own = seen.subject
    return own.trials(seen.cluster) if isinstance(own, Search) else made(seen, "tfjobs")


def alone(seen: Seen, job: Object) -> Seen:
    """What a judge of one TfJob gets."""
    return Seen(seen.cluster, TfJob(name_of(job)), seen.exercise)


def is_suspended(job: Object) -> bool:
    """Whether the operator has let go of it."""
    return is_true(job, "Suspended") and not succeeded(job)


def finished(seen: Seen) -> list[Object]:
    """The TfJobs that have succeeded. Raises: Unreadable."""
    return [job for job in trainings(seen) if succeeded(job)]


def last_end(jobs: Iterable[Object]) -> datetime | None:
    """When the last of them succeeded or was suspended; what is suspended is not completed."""
    ends = [
        time_at(job, "status", "completionTime")
        or time_at(condition(job, "Suspended"), "lastTransitionTime")
        for job in jobs
    ]
    return max((end for end in ends if end), default=None)


def of_each(check: Check) -> Check:
    """The check of one TfJob, for each of them."""

    def judge(seen: Seen) -> Finding | None:
        return _first(seen, trainings(seen), check.judge)

    title = f"Each TfJob: {check.title[0].lower()}{check.title[1:]}"
    return Check(f"each.{check.id}", title, judge, check.reads | RUNS)


def _first(
    seen: Seen, jobs: Iterable[Object], judge: Callable[[Seen], Finding | None]
) -> Finding | None:
    for job in jobs:
        inner = alone(seen, job)
        finding = judge(inner)
        if finding:
            return of_one(inner, finding)
    return None


def of_one(inner: Seen, finding: Finding) -> Finding:
    """What was found of one TfJob: which it is; all of them are made again, and not this alone."""
    name = inner.subject.name
    by_hand = inner.subject.redo(inner.cluster, inner.object, inner.exercise.file)
    fix = tuple(step for step in finding.fix if step not in by_hand)
    redo = finding.redo or len(fix) < len(finding.fix)
    found = finding.found if name in finding.found else f"TfJob {name}: {finding.found}"
    return finding.but(found=found, fix=fix, redo=redo)


def paints() -> Check:
    """Each runs the painter of the sample image."""

    def judge(seen: Seen) -> Finding | None:
        specs = [*(pod for _, pod in seen.templates), *(mapping(p, "spec") for p in seen.pods)]
        for pod in specs:
            doubt = program.another_program(pod, main_container(pod), painter.MODULE)
            if doubt and not doubt.certain:
                return _unclear(seen, doubt.cause, doubt.reason)
            if doubt:
                return seen.wrong(
                    doubt.cause,
                    f"it does not run the painter: {doubt.reason}",
                    f"the sample image's painter, python -m {painter.MODULE}",
                    f"Set `command: [python, -m, {painter.MODULE}]`, and put the options into "
                    "`args`.",
                )
        return None

    return of_each(Check("program", "It runs the painter.", judge, RUNS))


def _unclear(seen: Seen, cause: str, reason: str) -> Finding:
    return could_not_check(
        cause,
        f"it cannot be seen from outside whether the painter has run: {reason}",
        "the painter, with nothing around it",
        "Take that out of the template.",
        *seen.subject.redo(seen.cluster, seen.object, seen.exercise.file),
    )


def all_over(seen: Seen, enough: Callable[[Object], bool]) -> Finding | None:
    """What is wrong with one of them, else how many are on their way; None when all are over."""
    jobs = trainings(seen)
    open_ = [job for job in jobs if not enough(job)]
    findings = [(job, TfJob("").trouble(seen.cluster, job)) for job in open_]
    for job, finding in findings:
        if finding and finding.verdict is not Verdict.CONVERGING:
            return of_one(alone(seen, job), finding)
    for _, finding in findings:
        if finding:
            return _on_its_way(seen, jobs, finding)
    return None


def _on_its_way(seen: Seen, jobs: list[Object], first: Finding) -> Finding:
    at_work = sum(is_true(job, "Running") for job in jobs)
    over = sum(succeeded(job) or failed(job) or is_suspended(job) for job in jobs)
    waiting = len(jobs) - at_work - over
    queue = f", {waiting} wait for a GPU or for their start" if waiting else ""
    return converging(
        "on-their-way",
        f"of {len(jobs)} TfJobs, {over} are over, {at_work} run{queue}",
        "all of them over",
        "Wait: those that end make room for the others. With --watch, the validator waits for you.",
        since=last_end(jobs) or first.since,
        late=f"the first that is not over: {first.found}",
    )


def painted(least: int, *, title: str) -> Check:
    """The log of each that has succeeded is that of the painter, to its last step.

    least: so many steps or more.
    """

    def judge(seen: Seen) -> Finding | None:
        return _first(seen, finished(seen), lambda inner: _painted(inner, least))

    return Check("painted", title, judge, RUNS | LINES)


def _painted(seen: Seen, least: int) -> Finding | None:
    container = main_container(mapping(seen.pod, "spec"))
    painting = log_of(seen)
    finding = as_asked(seen) or not_ended(seen, seen.pod, text(container, "name"))
    if finding:
        return finding
    doubt = painter.doubt(painting, seen.pod, container)
    if doubt and not doubt.certain:
        return _unclear(seen, f"log.{doubt.cause}", doubt.reason)
    if doubt:
        return seen.wrong(
            f"log.{doubt.cause}",
            f"its log is not that of the painter: {doubt.reason}",
            "the painter's own log, to its last step",
            f"Run `python -m {painter.MODULE}` and nothing else.",
        )
    if painting.lines[-1].number >= least:
        return None
    return seen.wrong(
        "steps",
        f"it took {painting.lines[-1].number} steps",
        f"{least} steps or more: after a few, no painting is better than another",
        f"Give it `--max-steps={least}`.",
    )


def log_of(seen: Seen) -> painter.Painting:
    """What the log of one TfJob says. Raises: Unreadable, also where its Pod is gone."""
    if not seen.pod:
        raise Unreadable(f"the log of TfJob {seen.subject.name}", 0, "its Pod is gone")
    container = text(main_container(mapping(seen.pod, "spec")), "name")
    return painter.read(seen.log(seen.pod, container))


def choice(job: Object) -> painter.Choice | None:
    """The hyper-parameters that a TfJob's first template asks for."""
    pod = next((pod for _, pod in TfJob("").templates(job)), {})
    return painter.choice(main_container(pod))
