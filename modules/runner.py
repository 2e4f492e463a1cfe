"""Run a page's commands in order and compare what they print with what the page shows.

    python -m modules.runner modules/5-tfjob/README.md            against the current cluster
    python -m modules.runner modules/5-tfjob/README.md --record   and write the output into the page

The tests call `run_page`; an author types the second line after a change, and reads the diff.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from modules.compare import difference
from modules.page import PageError, Step, steps_to_run
from modules.shell import Shell, ShellError


@dataclass(frozen=True)
class Outcome:
    """What one step did: its output lines, how long it took, and what is wrong with it if any."""

    step: Step
    output: tuple[str, ...]
    seconds: float
    complaint: str | None


def run_page(
    markdown: str, shell: Shell, aliases: Mapping[str, str] | None = None
) -> Iterator[Outcome]:
    """Run every step in order, and yield each as it ends.

    `aliases` maps names of this run to those on the page, such as a test's namespace to `default`.
    """
    for step in steps_to_run(markdown):
        start = time.monotonic()
        output, code = shell.run(step.command)
        for ours, shown in (aliases or {}).items():
            output = output.replace(ours, shown)
        lines = output.splitlines()
        yield Outcome(step, tuple(lines), time.monotonic() - start, _complaint(step, lines, code))


def _complaint(step: Step, lines: list[str], code: int) -> str | None:
    where = f"line {step.line}: $ {step.command}"
    if code != step.exit_code:
        shown = "\n".join(lines)
        return f"{where}\nended with exit code {code}, not {step.exit_code}:\n{shown}"
    wrong = None if step.hidden else difference(list(step.expected), lines)
    return wrong and f"{where}\n{wrong}"


def recorded(markdown: str, outcomes: list[Outcome]) -> str:
    """The page with the outputs of this run in place of those that no longer fit.

    What still fits stays as it stands, so that the `...` of the author are kept.
    """
    lines = markdown.split("\n")
    for outcome in sorted(outcomes, key=lambda outcome: -outcome.step.line):
        step = outcome.step
        if outcome.complaint and not step.hidden:
            first = step.line + step.command.count("\n")
            lines[first : first + len(step.expected)] = outcome.output
    return "\n".join(lines)


def main(arguments: list[str] | None = None, say: Callable[[str], object] = print) -> int:
    """Run one page in the current environment. Returns: 0 if all is as the page shows, else 1."""
    parser = argparse.ArgumentParser(prog="python -m modules.runner")
    parser.add_argument("page", type=Path)
    parser.add_argument("--record", action="store_true", help="write the outputs into the page")
    options = parser.parse_args(arguments)
    try:
        markdown = options.page.read_text()
        outcomes = list(_reported(markdown, say, stop_at_first=not options.record))
    except (OSError, PageError, ShellError) as error:
        say(f"{options.page}: {error}")
        return 1
    if options.record:
        options.page.write_text(recorded(markdown, outcomes))
    return int(any(outcome.complaint for outcome in outcomes))


def _reported(
    markdown: str, say: Callable[[str], object], stop_at_first: bool
) -> Iterator[Outcome]:
    with Shell() as shell:
        for outcome in run_page(markdown, shell):
            first_line = outcome.step.command.split("\n")[0]
            say(f"{outcome.seconds:6.1f} s  {first_line}")
            if outcome.complaint:
                say(outcome.complaint)
            yield outcome
            if outcome.complaint and stop_at_first:
                return


if __name__ == "__main__":
    sys.exit(main())
