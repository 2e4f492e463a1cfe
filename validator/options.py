"""The command line: what may be asked for. Nothing is done here."""

from __future__ import annotations

import argparse
import re

from validator.engine import EXERCISES
from validator.modules import exercises_of, modules_with_exercises

EPILOG = """\
exit codes: 0 done, 1 wrong, 2 usage, 3 not started, 4 converging, 5 blocked,
6 could not check; of several exercises the first of 6, 1, 4, 3, 5 that occurs
"""


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Parse a command line; exits with 2 on one that cannot be understood.

    Returns: ``action`` (overview, check, solve, reset, snapshot), ``exercises``
    (numbers such as "5.1"), and the options.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    words = list(options.words)
    options.action = words.pop(0) if words and words[0] in ("solve", "reset", "snapshot") else None
    if options.action == "snapshot":
        if words:
            parser.error("snapshot takes no module: it holds what all of them read")
        options.exercises = []
    else:
        options.exercises = _exercises(parser, words, options.exercise)
        options.action = options.action or ("check" if words else "overview")
    _refuse_nonsense(parser, options, words)
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m validator",
        description="Check the exercises of the workshop. Without a module: an overview of all.",
        usage="%(prog)s [solve | reset | snapshot] [moduleN] [options]",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("words", nargs="*", metavar="[solve|reset|snapshot] [moduleN]", help="what to do")
    add("--exercise", metavar="N", help="only this exercise of the module")
    add("--namespace", "-n", metavar="NS", help="instead of the current namespace")
    add("--context", metavar="CTX", help="instead of the current context")
    add("--kubeconfig", metavar="FILE", help="else $KUBECONFIG, .lab, ~/.kube/config")
    add("--watch", action="store_true", help="check again on every change until done")
    add("--output", choices=("text", "json", "junit"), default="text", help="text by default")
    add("--plain", action="store_true", help="no colours, ASCII marks")
    add("--from", dest="source", metavar="FILE", help="grade a snapshot file, without a cluster")
    add("-o", dest="target", metavar="FILE", help="where snapshot writes (- for here)")
    add("--yes", "-y", action="store_true", help="solve without asking")
    return parser


def _exercises(
    parser: argparse.ArgumentParser, words: list[str], exercise: str | None
) -> list[str]:
    """The numbers of the exercises that a command line names; all for none."""
    if len(words) > 1:
        parser.error(f"one module at a time: {' '.join(words)}")
    if not words:
        return sorted(EXERCISES)
    match = re.fullmatch(r"(?:module)?-?([0-9])", words[0])
    mine = [each.number for each in exercises_of(int(match[1]))] if match else []
    if not match or not mine:
        known = ", ".join(f"module{n}" for n in modules_with_exercises())
        parser.error(f"{words[0]!a} has no exercises that can be checked; those that can: {known}")
    if exercise is None:
        return mine
    number = exercise if "." in exercise else f"{match[1]}.{exercise}"
    if number not in mine:
        parser.error(f"no exercise {exercise!a} in module {match[1]}; it has {', '.join(mine)}")
    return [number]


def _refuse_nonsense(
    parser: argparse.ArgumentParser, options: argparse.Namespace, words: list[str]
) -> None:
    """Options that contradict each other are a usage error, not a surprise."""
    if options.action in ("solve", "reset") and not words:
        parser.error(f"{options.action} which module? For example: {options.action} module5")
    if options.exercise and not words:
        parser.error("--exercise needs a module: module5 --exercise 1")
    if options.source and (options.watch or options.action not in ("check", "overview")):
        parser.error("--from grades a file: it does not go with --watch or any other command")
    if options.action == "snapshot" and not options.target:
        parser.error("snapshot needs -o FILE")
    if options.target and options.action != "snapshot":
        parser.error("-o belongs to snapshot")
    if options.namespace is not None and not re.fullmatch(r"[a-z0-9-]{1,63}", options.namespace):
        parser.error(f"{options.namespace!a} cannot be a namespace")
