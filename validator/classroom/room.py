"""A class: many graded snapshots, and what they say together.

Pure. ``classroom_rows`` makes one row of all that a person handed in; here is
who is stuck where, and whose work is the same. ``classroom_tables`` prints it
as text, CSV and JSON, ``classroom_html`` as a page.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from validator.classroom.rows import (
    Learner,
    counted,
    enumerated,
    from_file,
    learner,
    numbers,
    one_each,
    unreadable,
)
from validator.engine import EXERCISES, Exercise, Grade
from validator.look import clean
from validator.verdicts import EXIT_CODES, Finding, Verdict

__all__ = [
    "Classroom",
    "Copies",
    "Learner",
    "Stuck",
    "classroom",
    "copies",
    "counted",
    "enumerated",
    "from_file",
    "grade_in",
    "learner",
    "remarks",
    "unreadable",
    "verdict_in",
    "when",
]


class Copies(NamedTuple):
    """People whose snapshots hold the same objects. ``together``: in one namespace."""

    names: tuple[str, ...]
    work: tuple[str, ...]
    together: bool

    @property
    def sentence(self) -> str:
        why = "from one namespace, so they may have worked together" if self.together else "copied?"
        return f"{enumerated(self.names)} have the same {enumerated(self.work, 3)}: {why}"


class Stuck(NamedTuple):
    """A finding, in which exercises, who has it, and what was found at one of them."""

    id: str
    exercises: tuple[str, ...]
    verdict: Verdict
    learners: tuple[str, ...]
    example: str
    wanted: str


class Classroom(NamedTuple):
    """A class: a row for each person, in the order of their names."""

    learners: list[Learner]
    exercises: list[Exercise]
    stuck: list[Stuck]
    copies: list[Copies]

    @property
    def exit_code(self) -> int:
        """0, unless a file could not be read."""
        failed = any(each.error for each in self.learners)
        return EXIT_CODES[Verdict.COULD_NOT_CHECK if failed else Verdict.DONE]

    @property
    def to_do(self) -> int:
        """How many exercises there are, without the bonus."""
        return sum(not each.optional for each in self.exercises)

    def done(self, exercise: Exercise) -> int:
        """How many people have done an exercise."""
        return sum(verdict_in(each, exercise) is Verdict.DONE for each in self.learners)


def classroom(handed_in: Iterable[Learner]) -> Classroom:
    """One row for each person, who is stuck where, and whose work is the same."""
    learners = one_each(handed_in)
    learners.sort(key=lambda each: (_sorted_as(each.name), each.source))
    exercises = [EXERCISES[number] for number in numbers()]
    return Classroom(learners, exercises, _stuck(learners), copies(learners))


def copies(learners: Sequence[Learner]) -> list[Copies]:
    """Groups of people whose snapshots share UIDs of TfJobs or Pods."""
    owners: dict[str, list[int]] = defaultdict(list)
    for position, each in enumerate(learners):
        for uid in each.work:
            owners[uid].append(position)
    shared = {uid: people for uid, people in owners.items() if len(people) > 1}
    return [_copies(learners, group, shared) for group in _groups(shared.values())]


def verdict_in(learner: Learner, exercise: Exercise) -> Verdict | None:
    """A learner's verdict for an exercise; None where nothing could be read."""
    one = grade_in(learner, exercise)
    return one.verdict if one else None


def grade_in(learner: Learner, exercise: Exercise) -> Grade | None:
    """A learner's grade for an exercise; None where nothing could be read."""
    return next((g for g in learner.grades if g.exercise.number == exercise.number), None)


def remarks(room: Classroom) -> list[str]:
    """What the instructor should look at, a sentence each: unread files, copies, other notes."""
    found = [f"{each.source}: {each.error}" for each in room.learners if each.error]
    found += [each.sentence for each in room.copies]
    found += [f"{each.name}: {note}" for each in room.learners for note in each.notes]
    found += _unchecked(room.learners)
    return [clean(sentence) for sentence in found]


def when(room: Classroom) -> str:
    """When the snapshots were taken: "25 Nov 2026, 09:58 to 10:31 UTC"; "" for none."""
    times = sorted(each.taken for each in room.learners if each.taken)
    if not times:
        return ""
    first, last = times[0], times[-1]
    if first.date() != last.date():
        return f"{_day(first)} to {_day(last)}"
    if f"{first:%H:%M}" == f"{last:%H:%M}":
        return f"{_day(first)}, {first:%H:%M} UTC"
    return f"{_day(first)}, {first:%H:%M} to {last:%H:%M} UTC"


def _sorted_as(name: str) -> str:
    """Without accents and capitals: Émile stands between Ella and Emma."""
    parts = unicodedata.normalize("NFKD", clean(name))
    return "".join(c for c in parts if not unicodedata.combining(c)).casefold()


def _day(time: datetime) -> str:
    return f"{time.day} {time:%b %Y}"


def _stuck(learners: Sequence[Learner]) -> list[Stuck]:
    """What most have comes first. Who has not begun, or waits as usual, is not stuck."""
    found: dict[tuple[str, str], list[tuple[str, Grade]]] = defaultdict(list)
    for each in learners:
        for one in each.grades:
            if one.finding and _is_stuck(each, one):
                found[_obstacle(one, one.finding)].append((each.name, one))
    rows = [_stuck_at(cases) for cases in found.values()]
    return sorted(rows, key=lambda row: (-len(row.learners), row.exercises, row.id))


def _obstacle(one: Grade, finding: Finding) -> tuple[str, str]:
    """What holds people up: what is missing for several exercises is one thing."""
    if one.verdict is Verdict.BLOCKED:
        return "", finding.cause
    return one.exercise.number, finding.id


def _is_stuck(learner: Learner, one: Grade) -> bool:
    finding = one.finding
    if one.verdict is not Verdict.CONVERGING or finding is None:
        return one.verdict in (Verdict.WRONG, Verdict.BLOCKED)
    if learner.taken is None or finding.since is None:
        return False
    return (learner.taken - finding.since).total_seconds() >= finding.patience_seconds


def _stuck_at(cases: Sequence[tuple[str, Grade]]) -> Stuck:
    first = cases[0][1]
    finding = first.finding
    return Stuck(
        id=clean(finding.id) if finding else "",
        exercises=tuple(dict.fromkeys(one.exercise.number for _, one in cases)),
        verdict=first.verdict,
        learners=tuple(dict.fromkeys(name for name, _ in cases)),
        example=clean(finding.found) if finding else "",
        wanted=clean(finding.wanted) if finding else "",
    )


def _unchecked(learners: Sequence[Learner]) -> Iterator[str]:
    """What could not be checked, and why: a sentence for each reason, not for each learner."""
    reasons: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in learners:
        for one in each.grades:
            if one.finding and one.verdict is Verdict.COULD_NOT_CHECK:
                reasons[one.exercise.number, one.finding.id].append(one.finding.found)
    for (number, _), found in sorted(reasons.items()):
        yield f"{number} could not be checked for {counted(len(found), 'learner')}: {found[0]}"


def _groups(pairs: Iterable[Sequence[int]]) -> list[list[int]]:
    """Positions that are linked, directly or by others, as sorted groups."""
    leader: dict[int, int] = {}

    def find(one: int) -> int:
        while leader.setdefault(one, one) != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    for linked in pairs:
        for other in linked[1:]:
            leader[find(other)] = find(linked[0])
    groups: dict[int, list[int]] = defaultdict(list)
    for one in sorted(leader):
        groups[find(one)].append(one)
    return list(groups.values())


def _copies(
    learners: Sequence[Learner], group: Sequence[int], shared: dict[str, list[int]]
) -> Copies:
    members = [learners[position] for position in group]
    inside = set(group)
    uids = [uid for uid, people in shared.items() if inside.issuperset(people)]
    work = {each.work[uid] for each in members for uid in uids if uid in each.work}
    tfjobs = sorted(what for what in work if what.startswith("TfJob"))
    places = {(each.identity.get("cluster", ""), each.namespace) for each in members}
    together = len(places) == 1 and bool(members[0].identity.get("cluster"))
    return Copies(tuple(m.name for m in members), tuple(tfjobs or sorted(work)), together)
