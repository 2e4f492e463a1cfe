"""What a snapshot file keeps of long texts: of logs the lines that checks know, of answers a part.

Lines that are left out on purpose do not make a log one that was cut: whether
lines are missing that a check may need stays as the reader found it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from validator import evidence
from validator.engine import Exercise
from validator.redaction import redact_text
from validator.snapshot import Object, at, parse_time, text

# Beside these and those that a check's ``reads`` names ("line PATTERN"), both ends of a log.
KNOWN = (
    *(evidence.STEP, evidence.TEST_ACCURACY, evidence.WORKER, evidence.SAVED),
    *(evidence.CLUSTER, evidence.RESUMED, evidence.LOST),
)
LINES_OF_AN_END = 5
LONGEST_ANSWER = 64 * 1024
_LONGEST_TIME = 64
_LONGEST_LINE = evidence.MOST_LINE_CHARACTERS + _LONGEST_TIME


def known_lines(exercises: Iterable[Exercise]) -> tuple[re.Pattern[str], ...]:
    """Patterns of the lines that the checks of these exercises look for."""
    asked = {read for each in exercises for read in each.reads if read.startswith("line ")}
    patterns = [re.compile(read.removeprefix("line ")) for read in sorted(asked)]
    # The named groups of the known ones must not meet each other, so each stays its own.
    return (*KNOWN, *(re.compile(rf".*(?:{p.pattern}).*") for p in patterns))


def of_log(log: Any, known: tuple[re.Pattern[str], ...]) -> Any:
    """A log as version 1 or 2 of a snapshot has it, with these lines and its ends alone."""
    if isinstance(log, str):
        return _lines([log], known)[0]
    head, tail = _lines([text(log, "head"), text(log, "tail")], known)
    return {"head": head, "tail": tail, "cut": bool(at(log, "cut"))}


def of_answer(answer: Any) -> Object:
    """What a server said, without its secrets, and not all of what is long."""
    return {
        "status": at(answer, "status"),
        "body": redact_text(text(answer, "body"))[:LONGEST_ANSWER],
    }


def _lines(parts: list[str], known: tuple[re.Pattern[str], ...]) -> list[str]:
    """The lines to keep of the parts of one log."""
    # Redacted first: a secret may begin on a line that is left out.
    lines = [
        (number, line)
        for number, part in enumerate(parts)
        for line in redact_text(part).split("\n")
        if _said(line)
    ]
    ends = {*range(LINES_OF_AN_END), *range(len(lines) - LINES_OF_AN_END, len(lines))}
    kept = [list[str]() for _ in parts]
    for position, (number, line) in enumerate(lines):
        if position in ends or any(pattern.fullmatch(_said(line)) for pattern in known):
            kept[number].append(f"{line[:_LONGEST_LINE]}\n")
    return ["".join(each) for each in kept]


def _said(line: str) -> str:
    """A line without the time before it, and no more of it than the checks look at."""
    stamp, _, rest = line.partition(" ")
    said = rest if stamp[:2].isdigit() and parse_time(stamp) else line
    return said[: evidence.MOST_LINE_CHARACTERS].strip()
