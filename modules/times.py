"""Compare the time that each page says its commands take with the time that was measured.

    python -m modules.times      (`make times`)

A page states its times in one form, so that it can be read here:

    **Time:** 30 minutes; 4 of them waiting (measured on two cores)
    **Time:** 30 minutes, and 10 for the bonus; 4 of them waiting (measured on two cores)

"Waiting" is the time of all its commands together. It was measured when the page last ran without
a complaint, by `modules.runner` or by tests one by one, and is kept in `.lab/times.json`.
"""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from modules.workplace import CHECKOUT

MEASURED = CHECKOUT / ".lab" / "times.json"
STATED = re.compile(
    r"^\*\*Time:\*\* (?:about )?\d+ minutes?(?:, and \d+ for the bonus)?; "
    r"(?:about )?(?P<waiting>\d+) of (?:them|it) waiting\b"
)
FORM = "**Time:** 30 minutes; 4 of them waiting (measured on two cores)"
# A difference that a learner would not notice, in minutes and as a part of what is stated.
MINUTES, PART = 1, 0.25


def stated_minutes(markdown: str) -> int | None:
    """How long the page says that one waits, or None if it does not say so in the form above."""
    for paragraph in markdown.replace("\r\n", "\n").split("\n\n"):
        if match := STATED.match(" ".join(paragraph.split())):
            return int(match["waiting"])
    return None


def note(page: Path, seconds: float, file: Path = MEASURED) -> None:
    """Keep what one page took; only a module's page states a time."""
    if page.resolve().parent.parent != CHECKOUT / "modules":
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    times = {**measured(file), page.resolve().parent.name: round(seconds, 1)}
    # In one step: pages that are stopped leave a file that the next one can read.
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.write_text(json.dumps(times, indent=1))
    beside.replace(file)


def measured(file: Path = MEASURED) -> dict[str, float]:
    """Seconds by page, as far as measured."""
    return json.loads(file.read_text()) if file.is_file() else {}


def differs(stated: float, seconds: float) -> bool:
    """Whether a page should be corrected: both a minute and a quarter away from the truth."""
    return abs(seconds / 60 - stated) > max(MINUTES, PART * stated)


def main(
    modules: Path = CHECKOUT / "modules",
    file: Path = MEASURED,
    say: Callable[[str], object] = print,
) -> int:
    """Show a table of all pages. Returns: 0, or 1 if a page states no time."""
    taken = measured(file)
    say(f"{'page':<30} {'stated':>8} {'measured':>9}")
    without = []
    for page in sorted(modules.glob("*/README.md")):
        stated = stated_minutes(page.read_text())
        if stated is None:
            without.append(page.parent.name)
        say(_row(page.parent.name, stated, taken.get(page.parent.name)))
    for name in without:
        say(f"{name}/README.md states no time; write: {FORM}")
    return int(bool(without))


def _row(name: str, stated: int | None, seconds: float | None) -> str:
    shown = "-" if stated is None else f"{stated} min"
    took = "-" if seconds is None else f"{seconds / 60:.1f} min"
    wrong = stated is not None and seconds is not None and differs(stated, seconds)
    return f"{name:<30} {shown:>8} {took:>9}{'  differs' if wrong else ''}"


if __name__ == "__main__":
    sys.exit(main())
