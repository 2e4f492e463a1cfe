"""The engine: runs the checks of each exercise over a snapshot.

An exercise is data: a subject (what the learner makes), what it needs, and a
list of checks. ``subjects`` has the subjects, ``checks`` the builders of
checks, ``exercises`` registers the exercises here, ``__main__`` asks for
grades. Nothing here performs I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from validator.commands import for_cluster
from validator.snapshot import Log, Object, Snapshot, Unreadable
from validator.verdicts import Finding, Verdict, could_not_check, first_that_occurs, wrong


class Subject:
    """What a learner makes: one kind of object under one name. ``subjects`` has the kinds.

    ``kind`` is the API's name, ``plural`` the snapshot's, ``kubectl`` that of
    kubectl; ``reads`` are the kinds that the questions below ask for.
    ``made_by``: what a learner does with a changed file, where that is one step.
    """

    kind = ""
    plural = ""
    kubectl = ""
    reads: frozenset[str] = frozenset()
    made_by = "apply"

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, cluster: Snapshot) -> Object | None:
        """The object; None when it is not there. Raises: Unreadable."""
        return cluster.find(self.plural, self.name)

    def templates(self, item: Object) -> list[tuple[str, Object]]:
        """(replica type, Pod's spec) of each kind of Pod that it asks for."""
        return []

    def pods(self, cluster: Snapshot, item: Object) -> list[Object]:
        """The newest Pod of each replica, the one that decides first."""
        return []

    def ended(self, cluster: Snapshot, item: Object) -> str:
        """ "well", "badly", or "" while it is not over, by the object's own conditions."""
        return ""

    def trouble(self, cluster: Snapshot, item: Object) -> Finding | None:
        """Why it has not ended well, or is not ready; None when it has, or is."""
        return None

    def redo(self, cluster: Snapshot, item: Object, file: str) -> tuple[str, ...]:
        """The steps that make it again after ``file`` has been changed."""
        return (f"$ kubectl delete {self.kubectl} {self.name}", f"$ kubectl apply -f {file}")


@dataclass(frozen=True)
class Seen:
    """What a judge gets: the cluster, the exercise's object in it, and what belongs to that."""

    cluster: Snapshot
    subject: Subject
    exercise: Exercise

    @cached_property
    def object(self) -> Object:
        return self.subject.find(self.cluster) or {}

    @cached_property
    def templates(self) -> list[tuple[str, Object]]:
        return self.subject.templates(self.object)

    @cached_property
    def pods(self) -> list[Object]:
        return self.subject.pods(self.cluster, self.object)

    @property
    def pod(self) -> Object:
        """The newest Pod of the replica that decides; {} for none."""
        return next(iter(self.pods), {})

    @cached_property
    def ended(self) -> str:
        return self.subject.ended(self.cluster, self.object) if self.object else ""

    def log(self, pod: Object, container: str) -> Log:
        """A container's log. Raises: Unreadable."""
        return self.cluster.log(pod, container)

    def wrong(self, cause: str, found: str, wanted: str, *fix: str) -> Finding:
        """A fault in what the learner wrote: the fix ends with making the object again."""
        return wrong(cause, found, wanted, *fix, redo=True)


Judge = Callable[[Seen], Finding | None]


@dataclass(frozen=True)
class Check:
    """One thing that has to hold.

    ``id``: what mistakes expect and class tables count. ``title``: what the
    learner sees. ``reads``: kinds, "logs", "answer <service>:<port>/<path>",
    "tensorboard <tfjob>/<path>"; the reader fetches their union and nothing else.
    ``ending``: asks how the subject ended; where that is badly, it comes before
    all others. ``opens``: without it nothing that the later checks read is known,
    so where it could not be made, they are not run.
    """

    id: str
    title: str
    judge: Judge
    reads: frozenset[str] = frozenset()
    ending: bool = False
    opens: bool = False


@dataclass(frozen=True)
class Need:
    """What an exercise needs before a learner can begin it; unmet, the verdict is blocked."""

    id: str
    judge: Callable[[Snapshot], Finding | None]
    reads: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Exercise:
    """An exercise, and its checks in the order in which a learner should hear of them.

    ``page``: folder of the module with a heading. ``starter`` and ``solution``
    are names of files in the module's folders; ``file`` is the learner's own
    copy of the starter in the checkout's root. ``also``: (kubectl kind, name)
    of further objects that belong to the exercise. ``optional``: a bonus.
    ``then``: commands that follow the solution's manifest.
    ``install``: commands that solve it, where no manifest does;
    ``install_without_gpus``: where the cluster has none. ``release``: the
    Helm release that the exercise makes, which ``reset`` uninstalls. ``says``:
    what is told of one that is done, in one line.
    """

    number: str
    title: str
    page: str
    subject: Subject
    checks: Sequence[Check]
    needs: Sequence[Need] = ()
    starter: str = ""
    solution: str = ""
    solution_without_gpus: str = ""
    also: tuple[tuple[str, str], ...] = ()
    optional: bool = False
    then: tuple[str, ...] = ()
    install: tuple[str, ...] = ()
    install_without_gpus: tuple[str, ...] = ()
    release: str = ""
    says: Callable[[Seen], str] | None = None

    @property
    def module(self) -> int:
        return int(self.number.partition(".")[0])

    @property
    def folder(self) -> str:
        """The module's folder, from the checkout's root."""
        return f"modules/{self.page.partition('#')[0]}"

    @property
    def anchor(self) -> str:
        """The page with its heading."""
        return f"{{checkout}}/{self.folder}/README.md#{self.page.partition('#')[2]}"

    @property
    def file(self) -> str:
        """The learner's manifest; its path begins at the checkout's root."""
        return f"{{checkout}}/my-{self.subject.name}.yaml"

    @property
    def command(self) -> str:
        """What checks this exercise."""
        module, _, number = self.number.partition(".")
        return f"python -m validator module{module} --exercise {number}"

    @cached_property
    def reads(self) -> frozenset[str]:
        """All that has to be read to judge it."""
        checks, needs = (each.reads for each in self.checks), (each.reads for each in self.needs)
        return self.subject.reads.union(*checks, *needs)


@dataclass(frozen=True)
class Outcome:
    """One check after it ran; ``verdict`` is None when an earlier check made it pointless."""

    check: Check
    verdict: Verdict | None
    finding: Finding | None = None


@dataclass(frozen=True)
class Grade:
    """One exercise after its checks ran; ``said``: what it tells, once it is done."""

    exercise: Exercise
    verdict: Verdict
    outcomes: tuple[Outcome, ...]
    said: str = ""

    @property
    def finding(self) -> Finding | None:
        """The finding that decided the verdict; None when done."""
        found = (o.finding for o in self.outcomes if o.finding and o.verdict is self.verdict)
        return next(found, None)


EXERCISES: dict[str, Exercise] = {}
_PASSABLE = (Verdict.DONE, Verdict.COULD_NOT_CHECK)


def exercise(
    number: str,
    title: str,
    *,
    page: str,
    subject: Subject,
    checks: Sequence[Check],
    **more: object,
) -> Exercise:
    """Register an exercise. Raises: ValueError if two of its checks have one id."""
    ids = [each.id for each in checks]
    if len(set(ids)) < len(ids):
        raise ValueError(f"exercise {number} has two checks of one id: {ids}")
    named = [_named(check, subject) for check in checks]
    made = Exercise(number, title, page, subject, named, **more)  # type: ignore[arg-type]
    EXERCISES[number] = made
    return made


def _named(check: Check, subject: Subject) -> Check:
    """The check with the subject's kind and name in its title, and in what it reads."""
    title = check.title.replace("{kind}", subject.kind).replace("{name}", subject.name)
    reads = frozenset(read.replace("{name}", subject.name) for read in check.reads)
    return replace(check, title=title, reads=reads)


def belongs_to_an_exercise(plural: str, kubectl: str, name: str) -> bool:
    """Whether some exercise asks for an object of this kind and name."""
    return any(
        (each.subject.plural, each.subject.name) == (plural, name) or (kubectl, name) in each.also
        for each in EXERCISES.values()
    )


def names_of_all() -> set[str]:
    """The names that the exercises of all modules use: none is a misspelling of another."""
    subjects = {each.subject.name for each in EXERCISES.values()}
    return subjects | {name for each in EXERCISES.values() for _, name in each.also}


def grade(cluster: Snapshot, numbers: Sequence[str]) -> list[Grade]:
    """Grade exercises in the given order. Performs no I/O and never raises."""
    return [grade_one(cluster, EXERCISES[number]) for number in numbers]


def grade_one(cluster: Snapshot, each: Exercise) -> Grade:
    """Run the checks up to the first that definitely fails.

    A check that could not be made does not hide a later mistake, which is known
    for certain, unless it ``opens`` the others; where all others hold, it decides.
    """
    seen = Seen(cluster, each.subject, each)
    outcomes: list[Outcome] = []
    for one, judge in _in_order(seen):
        settled = any(_settles(o) for o in outcomes)
        outcomes.append(Outcome(one, None) if settled else _run(seen, one, judge))
    verdict = _decide(outcomes)
    return Grade(each, verdict, tuple(outcomes), _said(seen) if verdict is Verdict.DONE else "")


def _settles(outcome: Outcome) -> bool:
    """Whether the checks after this one need not run."""
    if outcome.check.opens:
        return outcome.verdict is not Verdict.DONE
    return outcome.verdict not in _PASSABLE


def verdict_of(grades: Sequence[Grade]) -> Verdict:
    """The one verdict for several exercises; a bonus counts only where nothing else was asked."""
    counted = [g for g in grades if not g.exercise.optional] or grades
    return first_that_occurs(g.verdict for g in counted)


def ungraded(numbers: Sequence[str], finding: Finding) -> list[Grade]:
    """Grades for when nothing could be read: every exercise could not be checked, and why."""
    return [_all_unchecked(EXERCISES[number], finding) for number in numbers]


def _in_order(seen: Seen) -> Iterator[tuple[Check, Judge]]:
    """The checks in the exercise's order; each with its judge, the first with the needs before it.

    Terminal first: where the subject has ended badly, what its own conditions
    say comes right after its existence, before what its manifest could be
    blamed for.
    """
    checks = list(seen.exercise.checks)
    if _ended(seen) == "badly":
        first = checks[:1]
        checks = first + sorted(checks[1:], key=lambda check: not check.ending)
    for position, one in enumerate(checks):
        yield one, _after_needs(one.judge) if position == 0 else one.judge


def _ended(seen: Seen) -> str:
    try:
        return seen.ended
    except Exception:  # Whatever is wrong with the object, the checks will say.
        return ""


def _after_needs(judge: Judge) -> Judge:
    """What has ended needs nothing any more: the operator may have gone since."""

    def judged(seen: Seen) -> Finding | None:
        unmet = None if _ended(seen) else _first_unmet(seen)
        return unmet or judge(seen)

    return judged


def _first_unmet(seen: Seen) -> Finding | None:
    """The finding of the first need that is known not to be met.

    One that could not be read blocks nothing: the API may still show all that
    the checks need.
    """
    for need in seen.exercise.needs:
        try:
            finding = need.judge(seen.cluster)
        except Unreadable:
            continue
        if finding:
            return finding.but(verdict=Verdict.BLOCKED, cause=f"needs.{need.id}.{finding.cause}")
    return None


def _run(seen: Seen, one: Check, judge: Judge) -> Outcome:
    try:
        finding = judge(seen)
        finding = _completed(seen, one, finding) if finding else None
    except Unreadable as problem:
        finding = _completed(seen, one, unreadable(problem))
    except Exception as error:
        # A snapshot may hold anything: whatever a check trips over is no fault of the learner's.
        finding = _internal(error, one).named(one.id).but(page=seen.exercise.anchor)
    return Outcome(one, finding.verdict if finding else Verdict.DONE, finding)


def _said(seen: Seen) -> str:
    try:
        return seen.exercise.says(seen) if seen.exercise.says else ""
    except Exception:  # A snapshot may hold anything, and this decides nothing.
        return ""


def _internal(error: Exception, one: Check) -> Finding:
    return could_not_check(
        "internal",
        f"the check {one.id} failed itself: {type(error).__name__}: {error}",
        "a check that gives a verdict",
        "Report it, with the file that this command writes:",
        "$ python -m validator snapshot -o snapshot.json",
    )


def _completed(seen: Seen, one: Check, finding: Finding) -> Finding:
    """The finding with its id, its page, its age and the commands of its fix as to be pasted."""
    fix = finding.fix
    if finding.redo and finding.verdict is not Verdict.CONVERGING:
        file = seen.exercise.file
        fix = (*fix, *_again(seen.subject, seen.subject.redo(seen.cluster, seen.object, file)))
    found = finding.found + _age(seen.cluster, finding)
    fix = tuple(for_cluster(step, seen.cluster) for step in fix)
    page = finding.page or seen.exercise.anchor
    return finding.named(one.id).but(found=found, fix=fix, page=page)


def _again(subject: Subject, steps: tuple[str, ...]) -> tuple[str, ...]:
    """The steps that make an object again, with a sentence before them."""
    if not steps:
        return ()
    verb = "make" if len(steps) > 1 else subject.made_by
    return (f"Then {verb} it again:", *steps)


def _age(cluster: Snapshot, finding: Finding) -> str:
    """For how long a converging finding has been so, once that is longer than usual."""
    seconds = cluster.age_seconds(finding.since)
    if finding.verdict is not Verdict.CONVERGING or seconds < finding.patience_seconds:
        return ""
    late = f"; {finding.late}" if finding.late else ""
    return f"; for {duration(seconds)} now, longer than usual{late}"


def duration(seconds: float) -> str:
    """A duration in words: "45 s", "6 min", "3 h"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def unreadable(problem: Unreadable) -> Finding:
    """What a learner can do about something that could not be read."""
    what, message = problem.what, problem.message or str(problem.status or "no answer")
    if problem.status == 403:
        return could_not_check(
            "forbidden",
            f"no permission to read {what}: {message}",
            f"the right to read {what}",
            "Ask whoever runs the cluster to grant what validator/rbac.yaml lists.",
        )
    return could_not_check(
        "unreadable",
        f"{what} could not be read: {message}",
        f"an API server that answers, to read {what}",
        "Try again. This command shows whether the cluster answers:",
        "$ kubectl cluster-info",
    )


def _decide(outcomes: Sequence[Outcome]) -> Verdict:
    """A definite failure (there is at most one) before what could not be checked."""
    verdicts = [o.verdict for o in outcomes if o.verdict]
    definite = [v for v in verdicts if v not in _PASSABLE]
    return definite[0] if definite else first_that_occurs(verdicts)


def _all_unchecked(each: Exercise, finding: Finding) -> Grade:
    shown = finding.but(page=finding.page or each.anchor).named("cluster")
    outcomes = [
        Outcome(c, finding.verdict if not i else None, shown if not i else None)
        for i, c in enumerate(each.checks)
    ]
    return Grade(each, finding.verdict, tuple(outcomes))
