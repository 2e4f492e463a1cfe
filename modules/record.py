"""Write the outputs of a run into the page, in place of those that no longer fit.

What still fits stays as it stands, line by line, so that the `...` of the author are kept. An
output that the page could not hold is refused: it would be read as a command. Used by `runner`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from modules.compare import is_dots, line_fits, normalise
from modules.fence import FENCE
from modules.page import Step, chunks
from modules.workloads import workloads

if TYPE_CHECKING:
    from modules.runner import Outcome


def refusal(outcome: Outcome) -> str | None:
    """Why the output of a step is not written into the page, or None."""
    step = outcome.step
    if not outcome.complaint or step.hidden:
        return None
    if outcome.failed:
        return "the command failed"
    if any(line.startswith("$ ") for line in outcome.output):
        return 'its output has a line that begins with "$ ", which would be read as a command'
    if outcome.output and outcome.output[0].startswith("> "):
        return 'its output begins with "> ", which would be read as part of the command'
    return None


def recorded(markdown: str, outcomes: Sequence[Outcome]) -> str:
    """The page with the outputs of this run; what `refusal` names stays as it was."""
    lines = markdown.replace("\r\n", "\n").split("\n")
    for outcome in sorted(outcomes, key=lambda outcome: -outcome.step.line):
        if outcome.complaint and not outcome.step.hidden and not refusal(outcome):
            _replace(lines, outcome.step, outcome.output)
    return "\n".join(lines)


def _replace(lines: list[str], step: Step, output: Sequence[str]) -> None:
    """Write one output, and make the block's fence longer than any that stands in it."""
    start, block = next(
        (start, block)
        for start, block in chunks("\n".join(lines))
        if start < step.line < start + len(block)
    )
    opening = FENCE.fullmatch(block[0])
    assert opening
    inner = [re.match(r"\s*(`{3,})", line) for line in output]
    longest = max((len(match[1]) for match in inner if match), default=0)
    if longest >= len(opening["marks"]):
        lines[start - 1] = "`" * (longest + 1) + opening["info"]
        lines[start - 2 + len(block)] = "`" * (longest + 1)
    first = step.line + step.command.count("\n")
    lines[first : first + len(step.expected)] = merged(step.expected, output)


def merged(shown: Sequence[str], output: Sequence[str]) -> list[str]:
    """The output, with the page's own line wherever that still fits.

    Between two lines that fit, `...` stays if there is more output than other lines stood there.
    """
    anchors = [*_anchors(shown, output), (len(shown), len(output))]
    result: list[str] = []
    at, got = 0, 0
    for place, found in anchors:
        result += _between(shown[at:place], output[got:found])
        result += shown[place : place + 1]
        at, got = place + 1, found + 1
    return result


def _between(shown: Sequence[str], output: Sequence[str]) -> list[str]:
    """What stands between two lines that fit; none of these lines does."""
    dots = [nth for nth, line in enumerate(shown) if is_dots(line)]
    if not dots:
        return list(output)
    before, after = dots[0], len(shown) - 1 - dots[-1]
    if len(output) < before + after:
        return list(output)
    return [*output[:before], shown[dots[0]], *output[len(output) - after :]]


def _anchors(shown: Sequence[str], output: Sequence[str]) -> list[tuple[int, int]]:
    """The longest common part: (line on the page, line of the output) for each that fits."""
    names = workloads("\n".join([*shown, *output]))
    wanted = [normalise(line, names) for line in shown]
    got = [normalise(line, names) for line in output]
    same = [[not is_dots(line) and line_fits(line, other) for other in got] for line in wanted]
    longest = [[0] * (len(got) + 1) for _ in range(len(wanted) + 1)]
    for i in reversed(range(len(wanted))):
        for j in reversed(range(len(got))):
            longest[i][j] = max(
                longest[i + 1][j], longest[i][j + 1], same[i][j] + longest[i + 1][j + 1]
            )
    found, i, j = [], 0, 0
    while i < len(wanted) and j < len(got):
        if same[i][j] and longest[i][j] == 1 + longest[i + 1][j + 1]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif longest[i][j] == longest[i + 1][j]:
            i += 1
        else:
            j += 1
    return found
