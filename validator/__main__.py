"""Wires the validator: command line → snapshot → grades → report, and the exit code.

python -m validator                         an overview of all modules
python -m validator module5 --exercise 1    check one exercise
python -m validator --help
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from validator import cluster, exercises, report
from validator.engine import EXERCISES, Grade, grade, ungraded, verdict_of
from validator.kubeconfig import Connection, NoCluster, connect
from validator.options import parse
from validator.snapshot import Snapshot
from validator.verdicts import EXIT_CODES, Finding, Verdict, could_not_check

__all__ = ["exercises", "main"]

WATCH_SECONDS = 1.0
# What no waiting and no other terminal will heal, while the watch runs.
FINAL = (Verdict.DONE, Verdict.WRONG)
# An API server that restarts answers again within so many looks; a missing right never.
WATCH_PATIENCE = 10
INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command line. Returns: the exit code."""
    options = parse(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        # A learner's names may hold letters that this terminal has not.
        sys.stdout.reconfigure(errors="replace")
    try:
        return _COMMANDS[options.action](options)
    except NoCluster as problem:
        return _report(options, ungraded(options.exercises, _finding(problem)), None)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has seen enough; the interpreter must not complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_CODES[Verdict.DONE]


def _check(options: argparse.Namespace) -> int:
    last, unanswered = "", 0
    while True:
        try:
            seen = _snapshot(options)
        except NoCluster:
            unanswered += 1
            if not options.watch or unanswered > WATCH_PATIENCE:
                raise
            time.sleep(WATCH_SECONDS)
            continue
        grades = grade(seen, options.exercises)
        verdict = verdict_of(grades)
        unanswered = unanswered + 1 if verdict is Verdict.COULD_NOT_CHECK else 0
        final = not options.watch or verdict in FINAL or unanswered > WATCH_PATIENCE
        if final or options.output == "text":
            last = _show(options, grades, seen, last, final)
        if final:
            return EXIT_CODES[verdict]
        time.sleep(WATCH_SECONDS)


def _show(
    options: argparse.Namespace, grades: list[Grade], seen: Snapshot, last: str, final: bool
) -> str:
    """Print what is new since the report ``last``: a terminal's in its place, a log's in a line."""
    text = _text(options, grades, seen)
    if text == last and not final:
        return last
    if last and sys.stdout.isatty():
        print(report.erase(last), end="")
    elif last and not final:
        print(report.as_line(grades, _look(options)), flush=True)
        return text
    print(text, flush=True)
    return text


def _overview(options: argparse.Namespace) -> int:
    seen = _snapshot(options)
    _report(options, grade(seen, options.exercises), seen)
    return EXIT_CODES[Verdict.DONE]


def _take_snapshot(options: argparse.Namespace) -> int:
    from validator.redaction import redact

    text = json.dumps(redact(cluster.read(_connection(options))), indent=1) + "\n"
    if options.target == "-":
        sys.stdout.write(text)
        return 0
    try:
        Path(options.target).write_text(text)
    except OSError as error:
        print(f"Cannot write {options.target}: {error.strerror}", file=sys.stderr)
        return EXIT_CODES[Verdict.COULD_NOT_CHECK]
    print(f"Wrote {options.target}; grade it with: python -m validator moduleN --from FILE")
    return 0


def _solve(options: argparse.Namespace) -> int:
    from validator import actions

    connection = _connection(options)
    seen = Snapshot(cluster.read(connection))
    needed = actions.blocked_by(seen, options.exercises)
    if needed:
        module, number = needed.split(".")
        print(
            f"Exercise {needed} comes first: python -m validator solve module{module} "
            f"--exercise {number}"
        )
        return EXIT_CODES[Verdict.BLOCKED]
    commands = actions.solve_commands(seen, options.exercises)
    if not commands:
        print("Nothing to do: it is done.")
        return 0
    if not options.yes and not _agreed(actions.shown(commands)):
        print("Nothing was changed.")
        return EXIT_CODES[Verdict.NOT_STARTED]
    return _run(commands, connection)


def _reset(options: argparse.Namespace) -> int:
    from validator import actions

    connection = _connection(options)
    seen = Snapshot(cluster.read(connection))
    commands = actions.reset_commands(seen, [EXERCISES[n] for n in options.exercises])
    if not commands:
        print(f"Nothing to delete in namespace {connection.namespace}.")
        return 0
    return _run(commands, connection)


def _run(commands: list[list[str]], connection: Connection) -> int:
    from validator import actions

    try:
        actions.run_all(commands, connection, lambda words: print(words, flush=True))
    except actions.Failed as failure:
        print(failure, file=sys.stderr)
        return EXIT_CODES[Verdict.COULD_NOT_CHECK]
    return 0


def _agreed(shown: str) -> bool:
    print(f"This runs:\n{shown}")
    try:
        return input("Go on? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def _connection(options: argparse.Namespace) -> Connection:
    return connect(options.kubeconfig, options.context, options.namespace)


def _snapshot(options: argparse.Namespace) -> Snapshot:
    """Live, or from a file. Raises: NoCluster."""
    if not options.source:
        return Snapshot(cluster.read(_connection(options)))
    try:
        data: Any = json.loads(Path(options.source).read_text())
        return Snapshot(data)
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise NoCluster(
            f"{options.source} is no snapshot: {why}",
            "name a file that `python -m validator snapshot -o FILE` has written",
        ) from None


def _finding(problem: NoCluster) -> Finding:
    return could_not_check(str(problem), "a cluster, or a snapshot, to read", problem.next_step)


def _report(options: argparse.Namespace, grades: list[Grade], seen: Snapshot | None) -> int:
    print(_text(options, grades, seen), flush=True)
    return EXIT_CODES[verdict_of(grades)]


def _text(options: argparse.Namespace, grades: list[Grade], seen: Snapshot | None) -> str:
    notes = _notes(seen)
    if options.output == "json":
        place = {
            "namespace": seen.namespace if seen else "",
            "context": seen.context if seen else "",
        }
        return report.as_json(grades, notes, place)
    if options.output == "junit":
        return report.as_junit(grades)
    look = _look(options)
    if options.action == "overview" and seen:
        return report.overview(grades, f"namespace {seen.namespace}", look)
    return report.as_text(grades, notes, look)


def _notes(seen: Snapshot | None) -> list[str]:
    """What missing permissions disable."""
    missing = seen.data["missing"] if seen else {}
    kinds = [k for k, why in missing.items() if isinstance(why, dict) and why.get("status") == 403]
    if not kinds:
        return []
    return [f"no permission to read {', '.join(kinds)}; checks that need them could not be made"]


def _look(options: argparse.Namespace) -> report.Look:
    """Colours for terminals that want them; symbols wherever they can be encoded."""
    terminal = sys.stdout.isatty()
    width = os.get_terminal_size(sys.stdout.fileno()).columns if terminal else 100
    encoding = (sys.stdout.encoding or "ascii").lower()
    return report.Look(
        width=min(width, 100) or 100,
        colour=terminal and not options.plain and not os.environ.get("NO_COLOR"),
        symbols=not options.plain and encoding.startswith("utf"),
    )


_COMMANDS = {
    "overview": _overview,
    "check": _check,
    "solve": _solve,
    "reset": _reset,
    "snapshot": _take_snapshot,
}

if __name__ == "__main__":
    sys.exit(main())
