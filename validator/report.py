"""Reports: grades as text for a terminal, as JSON, as JUnit XML.

Pure: each function returns the text that ``__main__`` prints.
"""

from __future__ import annotations

import json
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from validator.engine import Grade, Outcome, verdict_of
from validator.modules import MODULES
from validator.verdicts import EXIT_CODES, Finding, Verdict

_COLOURS = {
    Verdict.DONE: "32",
    Verdict.WRONG: "31",
    Verdict.CONVERGING: "36",
    Verdict.NOT_STARTED: "33",
    Verdict.BLOCKED: "33",
    Verdict.COULD_NOT_CHECK: "35",
}
_MARKS = {
    Verdict.DONE: "✔",
    Verdict.WRONG: "✘",
    Verdict.CONVERGING: "…",
    Verdict.NOT_STARTED: "○",
    Verdict.BLOCKED: "⊘",
    Verdict.COULD_NOT_CHECK: "?",
}
_PLAIN_MARKS = {
    Verdict.DONE: "+",
    Verdict.WRONG: "x",
    Verdict.CONVERGING: "~",
    Verdict.NOT_STARTED: "o",
    Verdict.BLOCKED: "!",
    Verdict.COULD_NOT_CHECK: "?",
}


@dataclass(frozen=True)
class Look:
    """How a terminal shows text: its width in columns, and what it can show."""

    width: int = 80
    colour: bool = False
    symbols: bool = True

    def mark(self, verdict: Verdict | None) -> str:
        if verdict is None:
            return "·" if self.symbols else "."
        return self.paint((_MARKS if self.symbols else _PLAIN_MARKS)[verdict], verdict)

    def paint(self, words: str, verdict: Verdict) -> str:
        return f"\x1b[{_COLOURS[verdict]}m{words}\x1b[0m" if self.colour else words

    def wrap(self, words: str, first: str, rest: str) -> str:
        return textwrap.fill(
            clean(words),
            width=max(self.width, 30),
            initial_indent=first,
            subsequent_indent=rest,
            break_on_hyphens=False,
        )


def clean(words: str) -> str:
    """One line without control characters: a name or a log line must not steer the terminal."""
    kept = (c if unicodedata.category(c)[0] != "C" else " " for c in words)
    return " ".join("".join(kept).split())


def as_text(grades: Sequence[Grade], notes: Iterable[str], look: Look) -> str:
    """The report on one or more exercises, without a final newline."""
    parts = [_grade_text(grade, look) for grade in grades]
    parts += [look.wrap(note, "Note: ", "      ") for note in notes]
    return "\n\n".join(parts)


def as_line(grades: Sequence[Grade], look: Look) -> str:
    """One line on the first exercise that is not done: its verdict, and what was found."""
    grade = next((grade for grade in grades if grade.finding), grades[-1])
    found = f": {clean(grade.finding.found)}" if grade.finding else ""
    return _exercise_line(grade, look) + found


def erase(text: str) -> str:
    """What takes a text that a terminal has just shown off it again."""
    return f"\x1b[{text.count(chr(10)) + 1}A\x1b[J"


def overview(grades: Sequence[Grade], place: str, look: Look) -> str:
    """All modules, a line for each exercise, and what to do next."""
    lines = [look.wrap(f"The workshop's modules, in {place}", "", ""), ""]
    for number, (_, title) in MODULES.items():
        mine = [g for g in grades if g.exercise.module == number]
        lines.append(f"{number}  {title}")
        lines += [_exercise_line(grade, look, indent="   ") for grade in mine]
    step = next((g for g in grades if g.finding), None)
    return "\n".join(lines) + "\n\n" + _next_line(step, look)


def as_json(grades: Sequence[Grade], notes: Iterable[str], place: dict[str, str]) -> str:
    """{"verdict", "exit_code", "namespace", "context", "exercises": [...], "notes": [...]}"""
    verdict = verdict_of(grades)
    document = {
        "verdict": verdict.value,
        "exit_code": EXIT_CODES[verdict],
        **place,
        "exercises": [_grade_data(grade) for grade in grades],
        "notes": list(notes),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_junit(grades: Sequence[Grade]) -> str:
    """A test suite for each exercise, a test case for each check."""
    suites = "\n".join(_suite(grade) for grade in grades)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n{suites}\n</testsuites>'


def _grade_text(grade: Grade, look: Look) -> str:
    lines = [_exercise_line(grade, look)]
    for outcome in grade.outcomes:
        if outcome.verdict is not None:
            lines.append(look.wrap(outcome.check.title, f"  {look.mark(outcome.verdict)} ", "    "))
        if outcome.finding:
            lines += _finding_lines(outcome.finding, look)
    later = sum(outcome.verdict is None for outcome in grade.outcomes)
    if later:
        words = "1 check comes" if later == 1 else f"{later} checks come"
        lines.append(look.wrap(f"{words} after this one", f"  {look.mark(None)} ", "    "))
    return "\n".join(lines)


def _exercise_line(grade: Grade, look: Look, indent: str = "") -> str:
    verdict = look.paint(grade.verdict.value, grade.verdict)
    return f"{indent}{grade.exercise.number}  {grade.exercise.title}: {verdict}"


def _finding_lines(finding: Finding, look: Look) -> list[str]:
    rows = (
        ("found", finding.found),
        ("wanted", finding.wanted),
        ("next", finding.next_step),
        ("read", finding.anchor),
    )
    return [look.wrap(words, f"      {label + ':':<8}", " " * 14) for label, words in rows]


def _next_line(step: Grade | None, look: Look) -> str:
    if step is None or step.finding is None:
        return look.wrap("All that can be checked is done.", "", "")
    number = step.exercise
    command = f"python -m validator module{number.module} --exercise {number.number[2:]}"
    lines = [f"Next: {number.number} {number.title}, {clean(step.finding.anchor)}"]
    return "\n".join([look.wrap(lines[0], "", "      "), look.wrap(command, "Check: ", "       ")])


def _grade_data(grade: Grade) -> dict[str, Any]:
    return {
        "exercise": grade.exercise.number,
        "title": grade.exercise.title,
        "verdict": grade.verdict.value,
        "checks": [_outcome_data(outcome) for outcome in grade.outcomes],
    }


def _outcome_data(outcome: Outcome) -> dict[str, Any]:
    """``verdict`` is null for a check that an earlier one made pointless."""
    data: dict[str, Any] = {
        "name": outcome.check.name,
        "title": outcome.check.title,
        "verdict": outcome.verdict.value if outcome.verdict else None,
    }
    if outcome.finding:
        data["found"] = clean(outcome.finding.found)
        data["wanted"] = clean(outcome.finding.wanted)
        data["next"] = clean(outcome.finding.next_step)
        data["read"] = clean(outcome.finding.anchor)
    return data


def _suite(grade: Grade) -> str:
    cases = [_case(grade, outcome) for outcome in grade.outcomes]
    failures = sum("<failure" in case for case in cases)
    errors = sum("<error" in case for case in cases)
    skipped = sum("<skipped" in case for case in cases)
    name = quoteattr(f"{grade.exercise.number} {grade.exercise.title}")
    head = (
        f'<testsuite name={name} tests="{len(cases)}" failures="{failures}" '
        f'errors="{errors}" skipped="{skipped}">'
    )
    return "\n".join([f"  {head}", *cases, "  </testsuite>"])


def _case(grade: Grade, outcome: Outcome) -> str:
    group = quoteattr(f"exercise {grade.exercise.number}")
    head = f"    <testcase classname={group} name={quoteattr(outcome.check.title)}"
    if outcome.verdict is None:
        return f"{head}><skipped/></testcase>"
    if outcome.finding is None:
        return f"{head}/>"
    f, verdict = outcome.finding, outcome.verdict
    tag = "error" if verdict is Verdict.COULD_NOT_CHECK else "failure"
    rows = (("found", f.found), ("wanted", f.wanted), ("next", f.next_step), ("read", f.anchor))
    body = escape("\n".join(f"{label}: {clean(words)}" for label, words in rows))
    message = quoteattr(clean(f.found))
    return (
        f"{head}><{tag} type={quoteattr(verdict.value)} message={message}>{body}</{tag}></testcase>"
    )
