"""The rows of a class: what each person handed in, graded, as one row.

Pure. Progress files are no evidence, and are not read here.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from types import MappingProxyType
from typing import NamedTuple

from validator.engine import EXERCISES, Grade, grade
from validator.look import clean
from validator.progress import digest
from validator.snapshot import Snapshot, listed, mapping, name_of, parse_time, text
from validator.verdicts import Verdict

IDENTITY = ("name", "user", "cluster", "checkout", "digest")
# Objects whose UIDs tell copied work: nodes and the operator are the same for a whole class.
OWN_WORK = {"tfjobs": "TfJob", "pods": "Pod"}
MOST_NAMES = 8
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
# Of several snapshots of one person, what shows most counts; of equals, the newest.
_SHOWS = {
    Verdict.DONE: 3,
    Verdict.WRONG: 2,
    Verdict.CONVERGING: 2,
    Verdict.NOT_STARTED: 1,
    Verdict.BLOCKED: 1,
    Verdict.COULD_NOT_CHECK: 0,
}


class Learner(NamedTuple):
    """One row: what one person handed in, graded; or why it could not be read.

    ``person`` is equal for snapshots of one person. ``work``: of the person's own
    TfJobs and Pods, the UID and "TfJob module5-ex1". ``mark``: the digest.
    """

    name: str
    source: str
    identity: dict[str, str]
    taken: datetime | None
    grades: list[Grade]
    notes: list[str]
    error: str = ""
    namespace: str = ""
    person: tuple[str, ...] = ()
    work: Mapping[str, str] = MappingProxyType({})
    mark: str = ""

    @property
    def done(self) -> int:
        """How many exercises are done, without the bonus."""
        return sum(g.verdict is Verdict.DONE for g in self.grades if not g.exercise.optional)


def from_file(source: str, content: bytes) -> Learner:
    """Grade the content of a file. Never raises: what cannot be read becomes a row that says so."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        return unreadable(source, f"it is not JSON: {error}")
    return learner(source, data)


def learner(source: str, data: object, name: str = "") -> Learner:
    """Grade one snapshot over all exercises, with the bonus ones. Never raises.

    ``name`` is given where it is known better than from the file: the namespace
    of a live cluster, where the identity is that of whoever grades.
    """
    try:
        snapshot = Snapshot(data)
        identity = _identity(snapshot, name)
        return Learner(
            name=name or _name(source, identity),
            source=source,
            identity=identity,
            taken=_taken(snapshot),
            grades=grade(snapshot, numbers()),
            notes=_integrity(snapshot, identity),
            namespace=snapshot.namespace,
            person=_person(source, identity, snapshot.namespace, name),
            work=dict(_work(snapshot)),
            mark=digest(snapshot.data),
        )
    except Exception as error:
        # A file may hold anything: one that nobody foresaw must not stop the class's report.
        return unreadable(source, f"it is not a snapshot: {error}", name)


def unreadable(source: str, why: str, name: str = "") -> Learner:
    """The row of a file, or a namespace, that could not be read."""
    shown = name or _stem(source)
    return Learner(shown, source, {}, None, [], [], error=clean(why), person=("unread", source))


def numbers() -> list[str]:
    """All exercises, in order."""
    return sorted(EXERCISES, key=lambda number: [int(part) for part in number.split(".")])


def one_each(handed_in: Iterable[Learner]) -> list[Learner]:
    """One row for each person.

    Several snapshots of one person count together: an exercise that is done in
    one of them is done, since people clean up between modules.
    """
    by_person: dict[tuple[str, ...], list[Learner]] = defaultdict(list)
    for each in handed_in:
        by_person[each.person].append(each)
    return _told_apart([_together(snapshots) for snapshots in by_person.values()])


def enumerated(words: Sequence[str], most: int = MOST_NAMES) -> str:
    """ "ann, ben and cho"; of many the first ones, and how many more there are."""
    if len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most} more"
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def counted(count: int, one: str) -> str:
    """ "1 learner", "2 learners"."""
    return f"{count} {one}{'' if count == 1 else 's'}"


def _taken(snapshot: Snapshot) -> datetime | None:
    time = parse_time(snapshot.data.get("taken"))
    try:
        return time.astimezone(UTC) if time else None
    except OverflowError:
        return None


def _stem(source: str) -> str:
    return PurePath(source).stem or source


def _identity(snapshot: Snapshot, name: str) -> dict[str, str]:
    """Who, which cluster, which version; {} where whoever grades has read it."""
    given = {} if name else mapping(snapshot.data, "identity")
    texts = {key: clean(text(given, key)) for key in IDENTITY}
    return {key: value for key, value in texts.items() if value}


def _name(source: str, identity: dict[str, str]) -> str:
    return identity.get("name") or identity.get("user") or _stem(source)


def _person(source: str, identity: dict[str, str], namespace: str, name: str) -> tuple[str, ...]:
    """Equal for snapshots of one person: who says so, or one user of one cluster's namespace.

    A user alone says little: on clusters of their own, all are called the same.
    """
    if name:
        return ("given", name)
    if "name" in identity:
        return ("name", identity["name"].casefold())
    if "user" in identity and "cluster" in identity:
        return ("user", identity["user"], identity["cluster"], namespace)
    return ("file", source)


def _integrity(snapshot: Snapshot, identity: dict[str, str]) -> list[str]:
    """A digest proves that a file arrived as it was written, not that it is honest."""
    if identity.get("digest", digest(snapshot.data)) == digest(snapshot.data):
        return []
    return ["the digest does not match: the file was changed after the validator wrote it"]


def _work(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    for plural, kind in OWN_WORK.items():
        for item in listed(snapshot.data, "objects", plural):
            uid = text(item, "metadata", "uid")
            if uid:
                yield uid, clean(f"{kind} {name_of(item)}")


def _together(snapshots: Sequence[Learner]) -> Learner:
    """All snapshots of one person as one row: each exercise as the one that shows most has it."""
    ordered = sorted(snapshots, key=lambda each: each.taken or _LONG_AGO, reverse=True)
    newest = ordered[0]
    if len(ordered) == 1:
        return newest
    by_exercise = zip(*(each.grades for each in ordered), strict=True)
    return newest._replace(
        source=", ".join(sorted(each.source for each in ordered)),
        grades=[max(grades, key=lambda g: _SHOWS[g.verdict]) for grades in by_exercise],
        notes=list(_notes_on(ordered)),
        work={uid: what for each in ordered for uid, what in each.work.items()},
    )


def _notes_on(snapshots: Sequence[Learner]) -> Iterator[str]:
    sources = sorted(each.source for each in snapshots)
    yield f"{len(sources)} snapshots count together: {enumerated(sources)}"
    for mark, count in Counter(each.mark for each in snapshots).items():
        if count > 1:
            same = sorted(each.source for each in snapshots if each.mark == mark)
            yield f"{enumerated(same)} are the same snapshot: handed in twice, or copied?"
    for each in snapshots:
        yield from (f"{each.source}: {note}" for note in each.notes)


def _told_apart(learners: list[Learner]) -> list[Learner]:
    """With the source behind a name that several people have."""
    counts = Counter(clean(each.name).casefold() for each in learners)
    return [
        each._replace(name=f"{each.name} ({each.source})")
        if counts[clean(each.name).casefold()] > 1
        else each
        for each in learners
    ]
