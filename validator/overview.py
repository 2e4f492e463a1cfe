"""The overview: every module and exercise, how much is done, how long the rest takes, what is next.

Pure, as `report`: the caller prints what it returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from validator.commands import with_flags
from validator.engine import Grade
from validator.look import Look
from validator.modules import MODULES, Module
from validator.report import exercise_line
from validator.verdicts import Verdict

CELLS = 12


@dataclass(frozen=True)
class _Part:
    """A module, its grades, and the numbers of the exercises that were ever done."""

    module: Module
    grades: Sequence[Grade]
    done: frozenset[str]

    def counted(self) -> list[str]:
        """The numbers of the exercises that count: a bonus does not."""
        return [g.exercise.number for g in self.grades if not g.exercise.optional]

    def bonus(self) -> list[str]:
        return [g.exercise.number for g in self.grades if g.exercise.optional]

    def left(self) -> list[str]:
        return [number for number in self.counted() if number not in self.done]

    def minutes_left(self) -> int:
        """The page's minutes, as much of them as exercises are left."""
        counted = self.counted()
        return round(self.module.minutes * len(self.left()) / len(counted)) if counted else 0


def overview(
    grades: Sequence[Grade],
    place: str,
    look: Look,
    done_before: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
) -> str:
    """The modules of this repository, a line for each exercise, and what to do next.

    done_before: the day on which an exercise was done, by its number; it counts
    where the cluster no longer shows the work. flags: what a command needs to
    reach the same place.
    """
    before = done_before or {}
    parts = _parts(grades, before)
    lines = [look.wrap(f"The workshop's modules, in {place}", "", ""), ""]
    for number, part in parts.items():
        lines.append(look.bold(f"{number}  {part.module.title}") + _minutes(part))
        lines += [
            exercise_line(g, look, "   ", before.get(g.exercise.number, "")) for g in part.grades
        ]
    step = next((g for g in grades if _is_next(g, before)), None)
    return "\n".join([*lines, "", _sum(list(parts.values()), look), "", _next(step, look, flags)])


def _parts(grades: Sequence[Grade], before: Mapping[str, str]) -> dict[int, _Part]:
    """The modules that have exercises, by number."""
    now = {g.exercise.number for g in grades if g.verdict is Verdict.DONE}
    done = frozenset(now | set(before))
    mine = {number: [g for g in grades if g.exercise.module == number] for number in MODULES}
    return {n: _Part(MODULES[n], found, done) for n, found in mine.items() if found}


def _minutes(part: _Part) -> str:
    minutes = part.minutes_left()
    return f" (about {minutes} minutes)" if minutes else ""


def _sum(parts: Sequence[_Part], look: Look) -> str:
    """A bar, how many exercises are done, and the minutes that are left."""
    total = sum(len(part.counted()) for part in parts)
    done = total - sum(len(part.left()) for part in parts)
    full = CELLS * done // max(total, 1)
    bar = "█" * full + "░" * (CELLS - full) if look.symbols else "#" * full + "." * (CELLS - full)
    minutes = sum(part.minutes_left() for part in parts)
    rest = f", about {minutes} minutes left" if minutes else ""
    words = f"{done} of {total} exercises done{rest}{_bonus(parts)}"
    return look.wrap(f"{bar} {words}", "", "")


def _bonus(parts: Sequence[_Part]) -> str:
    """They are extra: they count apart."""
    bonus = [number for part in parts for number in part.bonus()]
    done = sum(number in part.done for part in parts for number in part.bonus())
    return f" (and {done} of {len(bonus)} bonus)" if bonus else ""


def _is_next(grade: Grade, before: Mapping[str, str]) -> bool:
    number = grade.exercise.number
    return bool(grade.finding) and not grade.exercise.optional and number not in before


def _next(step: Grade | None, look: Look, flags: Sequence[str]) -> str:
    if step is None or step.finding is None:
        return look.wrap("All that can be checked is done.", "", "")
    each = step.exercise
    words = f"{each.number} {each.title}, {step.finding.page}"
    check = " ".join(with_flags(each.command.split(), flags))
    return "\n".join([look.wrap(words, "Next: ", "      "), f"Check: {look.command(check)}"])
