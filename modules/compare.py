"""Say whether a command printed what its page shows.

`...` on the page stands for anything: alone on a line for any number of lines, within a line for
any text. Ages, hashes, times and addresses differ from run to run, so that both sides are
normalised first; columns whose width depends on them shrink to one space. What a training measures
(its loss, the steps of each worker) differs as well: a whole number of this kind on the page stands
for any other, and `accuracy 0.9...` for those that begin so.

Five letters behind a hyphen may be the random end of a Pod's name, and may be a word or a number.
They count as random only

- behind the hash of a Deployment's template, which has only some letters (tf-job-59c98cd4bc-5rfn5),
- behind the name of a TfJob's replica (example-tfjob-master-6r4t-0-vgwsb),
- behind a workload's name that the page or this run has named: see `workloads`.

Called by `runner`.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from modules.workloads import workloads

# The letters that Kubernetes makes random names of: no vowels, so that no word appears.
_LETTER = "[bcdfghjklmnpqrstvwxz2456789]"
# A template's hash is a decimal number, written in ten of these letters: at least one of them is
# a letter and one a digit here, so that no number is taken for one.
_TEMPLATE = r"(?=[4-9]*[bcdf])(?=[bcdf]*[4-9])[4-9bcdf]{7,10}"
_END = r"(?![\w-])"
_AGE = r"(?:\d+[dhms]){1,2}"
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
        # Of an event that came again, too: how often depends on when one looks.
        (rf"(?:(?<=\s\s)|(?<=\()){_AGE}(?: \(x\d+ over {_AGE}\))?(?=\s|\)|$| ago)", "AGE"),
        (rf"\b(?<=-)({_ROLE})-[0-9a-z]{{4}}(?=-|\b)", r"\1-RUNTIME"),
        (r"\b(cm-ps)-[0-9a-z]{4}\b", r"\1-RUNTIME"),
        (r"\b(runtime_?[iI]d[\"']?[=:] ?[\"']?)[0-9a-z]{4}\b", r"\1RUNTIME"),
        (rf"(?<=-RUNTIME)((?:-\d+)?)-{_LETTER}{{5}}{_END}", r"\1-HASH"),
        (rf"-{_TEMPLATE}-{_LETTER}{{5}}{_END}", "-HASH-HASH"),
        (rf"(?<=\w)-{_TEMPLATE}{_END}", "-HASH"),
        (r"\b(pod-template-hash[\"']?[=:] ?[\"']?)[4-9bcdf]{7,10}\b", r"\1HASH"),
    )
)

# What a training measures; the sample image's log is an interface.
MEASURED = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\b(loss|accuracy) \d\.\d+(?![\d.])", r"\1 NUMBER"),
        (r"\b(worker \d+ took) \d+ steps\b", r"\1 NUMBER steps"),
        (r"\b(\d+ steps in) \d+\.\d s: \d+\.\d ms\b", r"\1 NUMBER s: NUMBER ms"),
    )
)


def normalise(line: str, known: Iterable[str] = ()) -> str:
    """Replace what differs from run to run; inner white space becomes one space.

    `known` are names of workloads, behind which letters may be random.
    """
    for pattern, replacement in RULES:
        line = pattern.sub(replacement, line)
    if pods := _names_of_pods(frozenset(known)):
        line = pods.sub(r"\1-HASH", line)
    indent = line[: len(line) - len(line.lstrip())]
    return indent + re.sub(r"\s+", " ", line.strip())


@lru_cache(maxsize=64)
def _names_of_pods(known: frozenset[str]) -> re.Pattern[str] | None:
    """What a Pod of a known workload is named; a CronJob's or an indexed Job's has a number."""
    if not known:
        return None
    names = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    hashed = rf"(?:-[4-9bcdf]{{7,10}})?-{_LETTER}{{5}}"
    return re.compile(rf"(?<![\w-])((?:{names})(?:-\d+)?){hashed}{_END}")


def difference(
    expected: Sequence[str], actual: Sequence[str], known: Iterable[str] = ()
) -> str | None:
    """None if `actual` is what the page shows, else both sides as a unified diff."""
    names = frozenset(known) | workloads("\n".join([*expected, *actual]))
    wanted = [normalise(line, names) for line in _trimmed(expected)]
    got = [normalise(line, names) for line in _trimmed(actual)]
    if fits(wanted, got):
        return None
    return "\n".join(difflib.unified_diff(wanted, got, "the page", "this run", lineterm=""))


def fits(wanted: Sequence[str], got: Sequence[str]) -> bool:
    """Whether lines are what the page's lines stand for; both sides are normalised.

    Each run of lines between two `...` is taken where it first fits. A later place could not help
    the runs after it, so that nothing is ever tried again.
    """
    head, *rest = _cut(wanted)
    if not rest:
        return len(head) == len(got) and _is_at(head, got, 0)
    *middle, tail = rest
    at, end = len(head), len(got) - len(tail)
    if at > end or not _is_at(head, got, 0) or not _is_at(tail, got, end):
        return False
    for run in middle:
        places = range(at, end - len(run) + 1)
        place = next((place for place in places if _is_at(run, got, place)), None)
        if place is None:
            return False
        at = place + len(run)
    return True


def line_fits(wanted: str, line: str) -> bool:
    """The same within one line; numbers that a training measures may differ."""
    if _dots_fit(wanted, line):
        return True
    any_number = _any_number(wanted)
    return any_number != wanted and _dots_fit(any_number, _any_number(line))


@lru_cache(maxsize=1024)
def _any_number(line: str) -> str:
    for pattern, replacement in MEASURED:
        line = pattern.sub(replacement, line)
    return line


def _dots_fit(wanted: str, line: str) -> bool:
    """Each text between two `...` is taken where it first stands."""
    head, *rest = wanted.split("...")
    if not rest:
        return wanted == line
    *middle, tail = rest
    at, end = len(head), len(line) - len(tail)
    if at > end or not line.startswith(head) or not line.endswith(tail):
        return False
    for text in middle:
        place = line.find(text, at, end)
        if place < 0:
            return False
        at = place + len(text)
    return True


def is_dots(line: str) -> bool:
    """Whether a line of the page stands for any number of lines."""
    return line.strip() == "..."


def renamed(lines: Sequence[str], aliases: Mapping[str, str], expected: Sequence[str]) -> list[str]:
    """The lines with names of this run as on the page, such as a test's namespace as `default`.

    Only whole words are names. A line that the page shows as it is stays: a node named `test`
    changes nothing in "test accuracy 0.87".
    """
    if not aliases:
        return list(lines)
    longest_first = sorted(aliases, key=len, reverse=True)
    names = "|".join(re.escape(name) for name in longest_first)
    pattern = re.compile(rf"(?<!\w)(?:{names})(?!\w)")
    wanted = [normalise(line) for line in expected if not is_dots(line)]

    def rename(line: str) -> str:
        other = pattern.sub(lambda match: aliases[match[0]], line)
        stays = other != line and any(line_fits(shown, normalise(line)) for shown in wanted)
        return line if stays else other

    return [rename(line) for line in lines]


def _cut(wanted: Sequence[str]) -> list[list[str]]:
    """The runs of lines between the lines that are only dots."""
    runs: list[list[str]] = [[]]
    for line in wanted:
        if is_dots(line):
            runs.append([])
        else:
            runs[-1].append(line)
    return runs


def _is_at(run: Sequence[str], got: Sequence[str], place: int) -> bool:
    return all(line_fits(line, got[place + nth]) for nth, line in enumerate(run))


def _trimmed(lines: Sequence[str]) -> list[str]:
    """The lines without empty ones at the end."""
    kept = list(lines)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept
