"""A class as text for a terminal, as CSV for a spreadsheet, as JSON for a program."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from validator.classroom.room import (
    Classroom,
    Learner,
    Stuck,
    counted,
    enumerated,
    grade_in,
    remarks,
    verdict_in,
    when,
)
from validator.engine import Exercise
from validator.look import Look, clean, columns
from validator.report import dumped, grade_data
from validator.verdicts import Verdict

JSON_SCHEMA = 1
WIDEST_NAME = 32
# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def as_text(room: Classroom, look: Look) -> str:
    """The table learner × exercise, where people are stuck, and what to look at."""
    parts = [look.wrap(headline(room), "", "")]
    parts += _tables(room, look)
    parts.append(_legend(look))
    if room.stuck:
        parts.append("\n".join([look.bold("Where people are stuck"), *_stuck_lines(room, look)]))
    notes = [look.wrap(sentence, "  - ", "    ") for sentence in remarks(room)]
    if notes:
        parts.append("\n".join([look.bold("To look at"), *notes]))
    return "\n\n".join(parts)


def headline(room: Classroom) -> str:
    """How many learners and exercises, and when."""
    parts = [counted(len(room.learners), "learner"), counted(len(room.exercises), "exercise")]
    return ", ".join([*parts, *filter(None, [when(room)])])


def as_csv(room: Classroom) -> str:
    """RFC 4180: a row for each learner; the verdict of each exercise, then its finding's id.

    Write it with ``newline=""``: its lines end with CRLF.
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerows([_cell(value) for value in row] for row in _csv_rows(room))
    return written.getvalue()


def as_json(room: Classroom) -> str:
    """{"schema", "exit_code", "learners": [...], "stuck": [...], "copies": [...]}"""
    document = {
        "schema": JSON_SCHEMA,
        "exit_code": room.exit_code,
        "exercises": [_exercise_data(room, each) for each in room.exercises],
        "learners": [_learner_data(each) for each in room.learners],
        "stuck": [_stuck_data(each) for each in room.stuck],
        "copies": [
            {
                "learners": list(map(clean, each.names)),
                "objects": list(each.work),
                "one_namespace": each.together,
            }
            for each in room.copies
        ],
        "notes": remarks(room),
    }
    return dumped(document)


def _tables(room: Classroom, look: Look) -> Iterator[str]:
    """One table; several, one below the other, where the terminal is too narrow for one."""
    names = [_shortened(look.words(each.name), look) for each in room.learners]
    first = max(map(columns, [*names, "learner"]))
    fits = max(1, (max(look.width, 40) - first - len("  done")) // len("  5.10"))
    for start in range(0, len(room.exercises), fits):
        shown = room.exercises[start : start + fits]
        yield "\n".join(_table(room, shown, names, first, look))


def _table(
    room: Classroom, shown: Sequence[Exercise], names: Sequence[str], first: int, look: Look
) -> Iterator[str]:
    head = "".join(f"  {each.number:>4}" for each in shown)
    yield look.bold(f"{'learner':<{first}}{head}  done")
    for name, each in zip(names, room.learners, strict=True):
        padded = name + " " * (first - columns(name))
        if each.error:
            yield f"{padded}  could not be read"
            continue
        marks = "".join(f"     {look.mark(verdict_in(each, exercise))}" for exercise in shown)
        yield f"{padded}{marks}  {each.done:>4}"
    done = "".join(f"  {room.done(each):>4}" for each in shown)
    yield f"{'done':<{first}}{done}"


def _shortened(name: str, look: Look) -> str:
    if columns(name) <= WIDEST_NAME:
        return name
    cut, end = name[:WIDEST_NAME], look.words("…")
    while columns(cut + end) > WIDEST_NAME:
        cut = cut[:-1]
    return cut + end


def _legend(look: Look) -> str:
    parts = [f"{look.mark(verdict)} {verdict.value}" for verdict in reversed(Verdict)]
    line = "   ".join(parts)
    return line if columns(line) <= look.width else "\n".join(parts)


def _stuck_lines(room: Classroom, look: Look) -> Iterator[str]:
    for each in room.stuck:
        where, who = ", ".join(each.exercises), counted(len(each.learners), "learner")
        yield look.wrap(f"{each.id}: {who}: {enumerated(each.learners)}", f"  {where}  ", " " * 7)
        yield look.wrap(f"for example: {each.example}", " " * 7, " " * 9)


def _csv_rows(room: Classroom) -> Iterator[list[str]]:
    ids = [each.number for each in room.exercises]
    yield ["learner", "source", "user", "cluster", "namespace", "taken", "done",
           *ids, *(f"{number} finding" for number in ids), "notes"]  # fmt: skip
    for each in room.learners:
        grades = [grade_in(each, exercise) for exercise in room.exercises]
        yield [
            each.name,
            each.source,
            each.identity.get("user", ""),
            each.identity.get("cluster", ""),
            each.namespace,
            _time(each),
            "" if each.error else str(each.done),
            *(one.verdict.value if one else "" for one in grades),
            *(one.finding.id if one and one.finding else "" for one in grades),
            "; ".join(filter(None, [each.error, *each.notes])),
        ]


def _cell(value: str) -> str:
    """One line that a spreadsheet shows and does not run."""
    shown = clean(value)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def _time(learner: Learner) -> str:
    return learner.taken.isoformat(timespec="seconds") if learner.taken else ""


def _exercise_data(room: Classroom, exercise: Exercise) -> dict[str, Any]:
    return {
        "exercise": exercise.number,
        "title": exercise.title,
        "optional": exercise.optional,
        "done": room.done(exercise),
    }


def _learner_data(learner: Learner) -> dict[str, Any]:
    grades = [grade_data(one) for one in learner.grades]
    for one in grades:
        del one["checks"]
    return {
        "learner": clean(learner.name),
        "source": learner.source,
        "identity": learner.identity,
        "namespace": learner.namespace,
        "taken": _time(learner) or None,
        "done": learner.done,
        "error": learner.error or None,
        "notes": learner.notes,
        "exercises": grades,
    }


def _stuck_data(stuck: Stuck) -> dict[str, Any]:
    return {
        "finding": stuck.id,
        "exercises": list(stuck.exercises),
        "verdict": stuck.verdict.value,
        "count": len(stuck.learners),
        "learners": list(map(clean, stuck.learners)),
        "found": stuck.example,
        "wanted": stuck.wanted,
    }
