"""Reports: grades as text for a terminal, and as JSON. ``junit`` has JUnit XML.

Pure: each function returns the text that ``__main__`` prints. Paths in findings
begin with ``{checkout}/``; here they become relative to the current folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from validator.commands import pastable
from validator.engine import Grade, Outcome, verdict_of
from validator.junit import as_junit
from validator.look import Look, clean, clean_command, is_printable, placed, rows
from validator.verdicts import EXIT_CODES, Finding, Verdict

__all__ = [
    "Look",
    "as_json",
    "as_junit",
    "as_line",
    "as_text",
    "erase",
    "exercise_line",
    "finding_lines",
    "grade_data",
]

JSON_SCHEMA = 2
_GLUE = "\N{BULLET}"
_NOT_ASCII = re.compile(r"[^ -~\n]")


def as_text(grades: Sequence[Grade], notes: Iterable[str], look: Look) -> str:
    """The report on one or more exercises, without a final newline."""
    parts = [_grade_text(grade, look) for grade in grades]
    parts += [look.wrap(note, "Note: ", "      ") for note in notes]
    return "\n\n".join(parts)


def as_line(grades: Sequence[Grade], look: Look) -> str:
    """One line on the first exercise that is not done: its verdict, and what was found."""
    grade = next((grade for grade in grades if grade.finding), grades[-1])
    found = f": {look.words(grade.finding.found)}" if grade.finding else ""
    title = f"{grade.exercise.number}  {_title(grade)}"
    return f"{title}: {look.paint(grade.verdict.value, grade.verdict)}{found}"


def erase(text: str, width: int = 0) -> str:
    """What takes a text that a terminal of this width has just shown off it again."""
    count = rows(text, width) if width else text.count("\n") + 1
    return f"\x1b[{count}A\x1b[J"


def as_json(
    grades: Sequence[Grade], notes: Iterable[str], place: Mapping[str, Any], root: str = ""
) -> str:
    """{"schema", "verdict", "exit_code", place…, "exercises": [...], "notes": [...]}"""
    verdict = verdict_of(grades)
    document = {
        "schema": JSON_SCHEMA,
        "verdict": verdict.value,
        "exit_code": EXIT_CODES[verdict],
        **place,
        "exercises": [grade_data(grade, root) for grade in grades],
        "notes": [clean(note) for note in notes],
    }
    return dumped(document)


def dumped(document: Mapping[str, Any]) -> str:
    """JSON for people and programs: letters as they are, what cannot be seen as \\uXXXX."""
    written = json.dumps(document, indent=2, ensure_ascii=False)
    return _NOT_ASCII.sub(lambda m: m[0] if is_printable(m[0]) else json.dumps(m[0])[1:-1], written)


def grade_data(grade: Grade, root: str = "") -> dict[str, Any]:
    """One exercise for JSON: its verdict, the finding that decided it, and every check."""
    exercise = grade.exercise
    return {
        "exercise": exercise.number,
        "title": exercise.title,
        "optional": exercise.optional,
        "verdict": grade.verdict.value,
        **_finding_data(grade.finding, root),
        "checks": [_outcome_data(outcome, root) for outcome in grade.outcomes],
    }


def finding_lines(finding: Finding, look: Look) -> list[str]:
    """found, wanted, the numbered fix with its commands alone on their lines, and the page."""
    margin, hang = ("    ", "      ") if look.narrow else (" " * 6, " " * 14)

    def row(label: str, words: str) -> str:
        return look.wrap(words, f"{margin}{label + ':':<8}", hang)

    return [
        row("found", finding.found),
        row("wanted", finding.wanted),
        *_fix_lines(finding.fix, look, f"{margin}fix:", hang),
        row("page", finding.page),
    ]


def _grade_text(grade: Grade, look: Look) -> str:
    lines = [exercise_line(grade, look)]
    for outcome in grade.outcomes:
        if outcome.verdict is not None:
            lines.append(look.wrap(outcome.check.title, f"  {look.mark(outcome.verdict)} ", "    "))
        if outcome.finding:
            lines += finding_lines(outcome.finding, look)
    if grade.said:
        lines.append(look.wrap(grade.said, "  ", "  "))
    later = sum(outcome.verdict is None for outcome in grade.outcomes)
    if later:
        words = "1 more check not run yet" if later == 1 else f"{later} more checks not run yet"
        lines.append(look.wrap(words, f"  {look.mark(None)} ", "    "))
    return "\n".join(lines)


def _fix_lines(fix: Sequence[str], look: Look, label: str, hang: str) -> list[str]:
    """Steps are numbered; a command stands below the step that leads to it, and never breaks."""
    counted = sum(not step.startswith("$ ") for step in fix) > 1
    lines: list[str] = []
    number, step_hang = 0, hang
    if look.narrow or fix[0].startswith("$ "):
        lines.append(label)
    for step in fix:
        if step.startswith("$ "):
            deep = "" if look.narrow else "  "
            lines.append(step_hang + deep + look.command(step[2:]))
            continue
        number += 1
        count = f"{number}. " if counted else ""
        step_hang = hang + " " * len(count)
        lines.append(look.wrap(step, (hang if lines else f"{label:<14}") + count, step_hang))
    return lines


def exercise_line(grade: Grade, look: Look, indent: str = "", done_on: str = "") -> str:
    """An exercise and its verdict. done_on: the day that counts where the work is gone."""
    if done_on and grade.verdict is not Verdict.DONE:
        return _line(grade, f"done on {done_on}", Verdict.DONE, look, indent)
    return _line(grade, grade.verdict.value, grade.verdict, look, indent)


def _line(grade: Grade, words: str, verdict: Verdict, look: Look, indent: str) -> str:
    """An exercise's number and title, and its verdict, which is coloured and never broken."""
    number = f"{indent}{grade.exercise.number}  "
    unbroken = look.words(words).replace(" ", _GLUE)
    wrapped = look.wrap(f"{_title(grade)}: {unbroken}", number, " " * len(number))
    return wrapped.removesuffix(unbroken) + look.paint(unbroken.replace(_GLUE, " "), verdict)


def _title(grade: Grade) -> str:
    return grade.exercise.title + (" (bonus)" if grade.exercise.optional else "")


def _outcome_data(outcome: Outcome, root: str) -> dict[str, Any]:
    """``verdict`` is null for a check that an earlier one made pointless."""
    return {
        "id": outcome.check.id,
        "title": outcome.check.title,
        "verdict": outcome.verdict.value if outcome.verdict else None,
        **_finding_data(outcome.finding, root),
    }


def _finding_data(finding: Finding | None, root: str) -> dict[str, Any]:
    """{} for none. ``fix``: a step each, a command begins with "$ "; ``next``: on one line."""
    if finding is None:
        return {}
    steps = [_step(step, root) for step in finding.fix]
    return {
        "finding": clean(finding.id),
        "found": clean(placed(finding.found, root)),
        "wanted": clean(placed(finding.wanted, root)),
        "fix": steps,
        "next": "; ".join(step.removeprefix("$ ") for step in steps),
        "page": clean(placed(finding.page, root)),
    }


def _step(step: str, root: str) -> str:
    """A step of a fix: words with the checkout's paths, or a command that can be pasted."""
    if not step.startswith("$ "):
        return clean(placed(step, root))
    return "$ " + clean_command(pastable(step[2:], root))
