"""Run a page's commands in order and compare what they print with what the page shows.

    python -m modules.runner modules/5-tfjob/README.md            against the current cluster
    python -m modules.runner modules/5-tfjob/README.md --record   and write the output into the page

The commands run in a copy of the checkout, which is removed at the end. The tests call `run_page`;
an author types the second line after a change, and reads the diff.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from modules import here, times, workplace
from modules.compare import difference, is_dots, renamed
from modules.fence import LAB
from modules.page import PageError, Step, steps_to_run
from modules.record import recorded, refusal
from modules.shell import Shell, ShellError
from modules.workloads import workloads

SECONDS_BETWEEN_TRIES = 1


@dataclass(frozen=True)
class Outcome:
    """What one step did: its output lines, how long it took, and what is wrong with it if any.

    `failed` says that the command itself went wrong, not only that it printed something else.
    """

    step: Step
    output: tuple[str, ...]
    seconds: float
    complaint: str | None
    failed: bool = False


class _Page:
    """One run of a page: its shell, and the names that are known so far."""

    def __init__(self, markdown: str, shell: Shell, aliases: Mapping[str, str]):
        self._shell = shell
        self._aliases = aliases
        self._workloads = workloads(markdown)

    def outcome(self, step: Step) -> Outcome:
        """Run one step, again and again if it has time for that."""
        start = time.monotonic()
        try:
            tries = self._tries_of_log(step) if step.background else self._tries(step)
            for lines, code in tries:
                complaint = self._complaint(step, lines, code)
                elapsed = time.monotonic() - start
                if complaint is None or elapsed >= step.retry_seconds:
                    break
                time.sleep(SECONDS_BETWEEN_TRIES)
        except ShellError as error:
            return Outcome(step, (), time.monotonic() - start, f"{_where(step)}\n{error}", True)
        self._workloads |= workloads("\n".join(lines))
        return Outcome(step, tuple(lines), elapsed, complaint, code != step.exit_code)

    def _tries(self, step: Step) -> Iterator[tuple[list[str], int]]:
        while True:
            output, code = self._shell.run(step.command, step.timeout_seconds)
            yield self._lines(step, output), code

    def _tries_of_log(self, step: Step) -> Iterator[tuple[list[str], int]]:
        """Start a command in the background, and read what it has printed so far."""
        log = self._shell.start(step.command)
        while True:
            lines = self._lines(step, log.read_text(errors="replace"))
            # What it prints later is not on the page.
            yield lines if any(map(is_dots, step.expected)) else lines[: len(step.expected)], 0

    def _lines(self, step: Step, output: str) -> list[str]:
        return renamed(output.splitlines(), self._aliases, step.expected)

    def _complaint(self, step: Step, lines: list[str], code: int) -> str | None:
        if code != step.exit_code:
            printed = "\n".join(lines)
            return f"{_where(step)}\nended with exit code {code}, not {step.exit_code}:\n{printed}"
        # A log goes on after what the page shows: how far it is when it is read is chance.
        shown = (*step.expected, "...") if step.background else step.expected
        wrong = None if step.hidden else difference(shown, lines, self._workloads)
        if not wrong:
            return None
        tried = f"after {step.retry_seconds:g} s of tries\n" if step.retry_seconds else ""
        return f"{_where(step)}\n{tried}{wrong}"


def run_page(
    markdown: str,
    shell: Shell,
    aliases: Mapping[str, str] | None = None,
    abilities: frozenset[str] = LAB,
) -> Iterator[Outcome]:
    """Run every step in order, and yield each as it ends; a shell that has ended is the end.

    `aliases` maps names of this run to those on the page, such as a test's namespace to `default`.
    `abilities` says which of the blocks with `only` can run here.
    """
    page = _Page(markdown, shell, aliases or {})
    for step in steps_to_run(markdown, abilities):
        outcome = page.outcome(step)
        yield outcome
        if shell.has_ended():
            return


def _where(step: Step) -> str:
    return f"line {step.line}: $ {step.command}"


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
    except KeyboardInterrupt:
        say("Stopped: the page's shell has ended, and its copy of the checkout is removed.")
        return 130
    if options.record:
        _record(options.page, markdown, outcomes, say)
    if any(outcome.complaint for outcome in outcomes):
        return 1
    times.note(options.page, sum(outcome.seconds for outcome in outcomes))
    return 0


def _reported(
    markdown: str, say: Callable[[str], object], stop_at_first: bool
) -> Iterator[Outcome]:
    """Run the page in a copy, and say how it goes. What follows a failed command is not run."""
    steps_to_run(markdown)
    with workplace.copy_of() as copy:
        environment = workplace.environment(copy)
        cluster = here.look(environment)
        if not cluster.answers and 'only="' in markdown:
            say("No node answers: blocks for a cluster with GPUs, or without, are not run.")
        with Shell(environment, copy) as shell:
            for outcome in run_page(markdown, shell, cluster.aliases, cluster.abilities):
                first_line = outcome.step.command.split("\n")[0]
                say(f"{outcome.seconds:6.1f} s  {first_line}")
                if outcome.complaint:
                    say(outcome.complaint)
                yield outcome
                if outcome.failed or (outcome.complaint and stop_at_first):
                    return


def _record(
    page: Path, markdown: str, outcomes: list[Outcome], say: Callable[[str], object]
) -> None:
    for outcome in outcomes:
        if reason := refusal(outcome):
            say(f"line {outcome.step.line}: not recorded: {reason}")
    page.write_text(recorded(markdown, outcomes))


if __name__ == "__main__":
    # So that `kill` cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
