"""Wires the validator: command line → snapshot → grades → report, and the exit code.

python -m validator                         an overview of all modules
python -m validator module5 --exercise 1    check one exercise
python -m validator --help
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from validator import cluster, exercises, report
from validator.engine import EXERCISES, Exercise, Grade, grade, ungraded, verdict_of
from validator.kubeconfig import CHECKOUT, Connection, NoCluster, candidates, connect
from validator.options import parse
from validator.overview import overview
from validator.snapshot import Snapshot
from validator.verdicts import EXIT_CODES, Finding, Verdict, could_not_check

__all__ = ["exercises", "main"]

INTERRUPTED = 130
PROGRESS = CHECKOUT / ".lab" / "progress.json"


def main(arguments: list[str] | None = None) -> int:
    """Run one command line. Returns: the exit code."""
    options = parse(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        # A learner's names may hold letters that this terminal has not.
        sys.stdout.reconfigure(errors="replace")
    try:
        return _run(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has seen enough; the interpreter must not complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_CODES[Verdict.DONE]
    except Exception as error:
        # Nobody foresaw this. It is a fault of the validator, and never the learner's.
        return _unforeseen(error)


def _run(options: argparse.Namespace) -> int:
    try:
        return _COMMANDS[options.action](options)
    except NoCluster as problem:
        # A person reads the reason once; a program gets it for every exercise.
        numbers = options.exercises[:1] if options.output == "text" else options.exercises
        return _report(options, ungraded(numbers, _finding(problem)), None)


def _unforeseen(error: Exception) -> int:
    words = " ".join(str(error).split()) or "no reason given"
    print(
        f"Could not check: {words} ({type(error).__name__}). This is not your fault; try again, "
        "and report it if it stays so.",
        file=sys.stderr,
    )
    return EXIT_CODES[Verdict.COULD_NOT_CHECK]


def _check(options: argparse.Namespace) -> int:
    if options.watch:
        from validator.watcher import watch

        show = functools.partial(_show, options)
        return watch(_connection(options), _chosen(options), options.timeout, show)
    seen = _snapshot(options)
    grades = grade(seen, options.exercises)
    _remember(options, grades, seen)
    return _report(options, grades, seen)


def _show(
    options: argparse.Namespace, grades: list[Grade], seen: Snapshot, last: str, final: bool
) -> str:
    """Print what is new since the report ``last``: a terminal's in its place, a log's in a line."""
    if final:
        _remember(options, grades, seen)
    if options.output != "text" and not final:
        return last
    text = _text(options, grades, seen)
    if text == last:
        return last
    if last and sys.stdout.isatty():
        width = os.get_terminal_size(sys.stdout.fileno()).columns
        print(report.erase(last, width), end="")
    elif last and not final:
        print(report.as_line(grades, _look(options)), flush=True)
        return text
    print(text, flush=True)
    return text


def _overview(options: argparse.Namespace) -> int:
    from validator import progress

    seen = _snapshot(options)
    grades = grade(seen, options.exercises)
    _remember(options, grades, seen)
    if options.output != "text":
        _report(options, grades, seen)
        return EXIT_CODES[Verdict.DONE]
    before = {} if options.source else progress.days(_progress(), _place(options))
    place = f"namespace {seen.namespace}"
    print(overview(grades, place, _look(options), before, seen.flags), flush=True)
    return EXIT_CODES[Verdict.DONE]


def _remember(options: argparse.Namespace, grades: list[Grade], seen: Snapshot) -> None:
    """Keep what is done, for the overview after a clean-up; not of a file."""
    if options.source or not any(g.verdict is Verdict.DONE for g in grades):
        return
    from validator import progress

    progress.remember(_progress(), _place(options), grades, seen)


def _progress() -> Path:
    """The learner's progress; tests name a file of their own."""
    return Path(os.environ.get("WORKSHOP_PROGRESS") or PROGRESS)


def _place(options: argparse.Namespace) -> str:
    """Which kubeconfig, context and namespace: progress in one says nothing of another."""
    files = [str(path.resolve()) for path in candidates(options.kubeconfig)]
    connection = _connection(options)
    return " ".join([*files, connection.context, connection.namespace])


def _take_snapshot(options: argparse.Namespace) -> int:
    from validator.handin import files

    connection = _connection(options)
    data = files.taken(connection, _chosen(options), options.name or "")
    text = json.dumps(data, indent=1) + "\n"
    if options.target == "-":
        sys.stdout.write(text)
        return 0
    if not _written(options.target, text):
        return EXIT_CODES[Verdict.COULD_NOT_CHECK]
    print(f"Wrote {options.target}. This command grades it:")
    print(f"python -m validator grade {options.target}")
    return 0


def _grade_class(options: argparse.Namespace) -> int:
    from validator.classroom.html import as_html
    from validator.classroom.room import classroom
    from validator.classroom.tables import as_csv, as_json, as_text
    from validator.handin import files

    rows = (
        files.class_of_cluster(_connection(options))
        if options.all_namespaces
        else files.class_of_files(options.files)
    )
    room = classroom(rows)
    shown = {"csv": as_csv, "json": as_json, "html": as_html}.get(options.output)
    text = shown(room) if shown else as_text(room, _look(options))
    code = room.exit_code
    if not options.target or options.target == "-":
        print(text.rstrip("\n"))
        return code
    if not _written(options.target, text):
        return EXIT_CODES[Verdict.COULD_NOT_CHECK]
    print(f"Wrote {options.target}.")
    return code


def _written(target: str, text: str) -> bool:
    """Write a file whole or not at all. Returns: whether it could be written."""
    path = Path(target).resolve()
    # A device or a pipe is written to; only a file may be put in another's place.
    whole = path.is_file() or not path.exists()
    beside = path.with_name(f".{path.name}.part") if whole else path
    try:
        beside.write_text(text)
        if whole:
            beside.replace(path)
    except OSError as error:
        if whole and beside.is_file():
            beside.unlink()
        print(f"Cannot write {target}: {error.strerror}.", file=sys.stderr)
        return False
    return True


def _solve(options: argparse.Namespace) -> int:
    import tempfile

    from validator import actions

    connection = _connection(options)
    seen = Snapshot(cluster.read(connection, _chosen(options)))
    with tempfile.TemporaryDirectory(prefix="tfjob-workshop-") as folder:
        try:
            commands, reason = actions.solve_commands(seen, _chosen(options), Path(folder))
        except actions.Failed as failure:
            print(f"{failure}.", file=sys.stderr)
            return EXIT_CODES[Verdict.COULD_NOT_CHECK]
        if reason:
            print(f"Blocked: {reason}. Install the operator first:")
            print("python -m validator solve module5 --exercise 0")
            return EXIT_CODES[Verdict.BLOCKED]
        if not commands:
            print("Nothing to do: it is done.")
            return 0
        return _confirmed(options, commands, seen, connection, EXIT_CODES[Verdict.NOT_STARTED])


def _reset(options: argparse.Namespace) -> int:
    from validator import actions

    connection = _connection(options)
    seen = Snapshot(cluster.read(connection, _chosen(options)))
    commands = actions.reset_commands(seen, _chosen(options), options.operator)
    if not commands:
        print(f"Nothing to delete in namespace {connection.namespace}.")
        return 0
    return _confirmed(options, commands, seen, connection, 0)


def _confirmed(
    options: argparse.Namespace,
    commands: list[list[str]],
    seen: Snapshot,
    connection: Connection,
    if_refused: int,
) -> int:
    """Show the commands, ask, and run them. Returns: the exit code."""
    from validator import actions

    if not options.yes and not _agreed(actions.shown(commands, seen, connection)):
        print("Nothing was changed.")
        return if_refused
    try:
        actions.run_all(commands, seen, connection, lambda words: print(words, flush=True))
    except actions.Failed as failure:
        print(f"{failure}.", file=sys.stderr)
        return EXIT_CODES[Verdict.COULD_NOT_CHECK]
    return 0


def _agreed(shown: str) -> bool:
    print(f"This runs:\n{shown}")
    try:
        return input("Go on? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def _chosen(options: argparse.Namespace) -> list[Exercise]:
    return [EXERCISES[number] for number in options.exercises]


def _connection(options: argparse.Namespace) -> Connection:
    """Resolved once: a login plugin is not asked again. Raises: NoCluster."""
    if getattr(options, "connected", None) is None:
        options.connected = connect(options.kubeconfig, options.context, options.namespace)
    connected: Connection = options.connected
    return connected


def _snapshot(options: argparse.Namespace) -> Snapshot:
    """Live, or from a file. Raises: NoCluster."""
    if not options.source:
        return Snapshot(cluster.read(_connection(options), _chosen(options)))
    from validator.handin import files

    return Snapshot(files.load(Path(options.source)))


def _finding(problem: NoCluster) -> Finding:
    fix = (problem.next_step,)
    return could_not_check("none", str(problem), "a cluster, or a snapshot, to read", *fix)


def _report(options: argparse.Namespace, grades: list[Grade], seen: Snapshot | None) -> int:
    print(_text(options, grades, seen), flush=True)
    return EXIT_CODES[verdict_of(grades)]


def _text(options: argparse.Namespace, grades: list[Grade], seen: Snapshot | None) -> str:
    notes = _notes(options, grades, seen)
    look = _look(options)
    if options.output == "json":
        return report.as_json(grades, notes, _place_data(options, grades, seen), look.root)
    if options.output == "junit":
        taken = (
            seen.taken.isoformat() if seen else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        )
        return report.as_junit(grades, taken, time.process_time(), look.root)
    return report.as_text(grades, notes, look)


def _place_data(
    options: argparse.Namespace, grades: list[Grade], seen: Snapshot | None
) -> dict[str, Any]:
    """Where it was read; the exit code is the process's own."""
    place: dict[str, Any] = {
        "namespace": seen.namespace if seen else "",
        "context": seen.context if seen else "",
        "taken": seen.taken.isoformat() if seen else "",
    }
    if options.action == "overview" and seen:
        place["exit_code"] = EXIT_CODES[Verdict.DONE]
    return place


def _notes(options: argparse.Namespace, grades: list[Grade], seen: Snapshot | None) -> list[str]:
    """What missing permissions disable, and what was read from a file."""
    missing = seen.data["missing"] if seen else {}
    kinds = [k for k, why in missing.items() if isinstance(why, dict) and why.get("status") == 403]
    asked = frozenset[str]().union(*(g.exercise.reads for g in grades))
    needed = sorted(kind for kind in kinds if kind in asked)
    notes = []
    if needed:
        words = f"no permission to read {', '.join(needed)}; checks that need them say so"
        notes.append(words)
    if options.watch and seen:
        notes += seen.data.get("notes", [])
    if options.source and seen:
        from validator.handin import files

        notes += files.notes(seen.data)
    return notes


def _look(options: argparse.Namespace) -> report.Look:
    """Colours for terminals that want them; symbols wherever they can be encoded."""
    terminal = sys.stdout.isatty()
    width = os.get_terminal_size(sys.stdout.fileno()).columns if terminal else 100
    encoding = (sys.stdout.encoding or "ascii").lower()
    return report.Look(
        width=min(width, 100) or 100,
        root=_root(),
        colour=terminal and not options.plain and not os.environ.get("NO_COLOR"),
        symbols=not options.plain and encoding.startswith("utf"),
    )


def _root() -> str:
    """From the current folder to the checkout: "" in it."""
    try:
        relative = os.path.relpath(CHECKOUT)
    except (OSError, ValueError):
        return f"{CHECKOUT}/"
    return "" if relative == "." else f"{relative}/"


_COMMANDS = {
    "overview": _overview,
    "check": _check,
    "solve": _solve,
    "reset": _reset,
    "snapshot": _take_snapshot,
    "grade": _grade_class,
}

if __name__ == "__main__":
    sys.exit(main())
