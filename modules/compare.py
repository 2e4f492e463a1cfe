"""Say whether a command printed what its page shows.

`...` on the page stands for anything: alone on a line for any number of lines, within a line for
any text. Ages, hashes, times and addresses differ from run to run, so that both sides are
normalised first; columns whose width depends on them shrink to one space. Called by `runner`.
"""

import difflib
import re

# The letters that Kubernetes makes random names of: no vowels, so that no word appears.
_LETTER = "[bcdfghjklmnpqrstvwxz2456789]"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_ROLE = "(?:master|chief|worker|ps|evaluator|tensorboard)"

RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UID"),
        (r"\b[0-9a-f]{40,64}\b", "DIGEST"),
        (rf"\b{_DAY},? {_MONTH} +\d{{1,2}} \d\d:\d\d:\d\d(?: [A-Z]{{3,4}})? \d{{4}}\b", "TIME"),
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?", "TIME"),
        (r"\b\d\d:\d\d:\d\d\b", "TIME"),
        (r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b", "ADDRESS"),
        (r"(?:(?<=\s\s)|(?<=\())(?:\d+[dhms]){1,2}(?=\s|\)|$| ago)", "AGE"),
        (rf"\b(?<=-)({_ROLE})-[0-9a-z]{{4}}(?=-|\b)", r"\1-RUNTIME"),
        (r"\b(cm-ps)-[0-9a-z]{4}\b", r"\1-RUNTIME"),
        (r"\b(runtime_?[iI]d[\"']?[=:] ?[\"']?)[0-9a-z]{4}\b", r"\1RUNTIME"),
        (rf"-{_LETTER}{{8,10}}-{_LETTER}{{5}}\b", "-HASH-HASH"),
        (rf"-{_LETTER}{{8,10}}\b", "-HASH"),
        (rf"-{_LETTER}{{5}}\b", "-HASH"),
    )
)


def normalise(line: str) -> str:
    """Replace what differs from run to run; inner white space becomes one space."""
    for pattern, replacement in RULES:
        line = pattern.sub(replacement, line)
    indent = line[: len(line) - len(line.lstrip())]
    return indent + re.sub(r"\s+", " ", line.strip())


def difference(expected: list[str], actual: list[str]) -> str | None:
    """None if `actual` is what the page shows, else both sides as a unified diff."""
    wanted = [normalise(line) for line in _trimmed(expected)]
    got = [normalise(line) for line in _trimmed(actual)]
    if re.fullmatch("".join(map(_pattern, wanted)), "".join(f"{line}\n" for line in got)):
        return None
    return "\n".join(difflib.unified_diff(wanted, got, "the page", "this run", lineterm=""))


def _pattern(line: str) -> str:
    if line.strip() == "...":
        return r"(?:[^\n]*\n)*"
    return r"[^\n]*".join(re.escape(part) for part in line.split("...")) + r"\n"


def _trimmed(lines: list[str]) -> list[str]:
    """The lines without empty ones at the end."""
    kept = len(lines)
    while kept and not lines[kept - 1].strip():
        kept -= 1
    return lines[:kept]
