"""The command line: what may be asked for. Nothing is done here."""

from __future__ import annotations

import argparse
import re

from validator.engine import EXERCISES
from validator.modules import exercises_of, modules_with_exercises

ACTIONS = ("solve", "reset", "snapshot", "grade")
OUTPUTS = {"grade": ("text", "csv", "json", "html"), "": ("text", "json", "junit")}
EPILOG = """\
python -m validator                          an overview of all modules
python -m validator module5 --exercise 1     check one exercise
python -m validator module5 --watch          check again on every change, until done
python -m validator solve module5 --exercise 1     apply the given solution (asks first)
python -m validator reset module5            delete what the exercises made (asks first)
python -m validator snapshot -o me.json      what the checks read, to be graded elsewhere
python -m validator module5 --from me.json   grade such a file, without a cluster
python -m validator grade *.json             grade a class, from files
python -m validator grade --all-namespaces   grade a class, on its cluster

exit codes: 0 done, 1 wrong, 2 usage, 3 not started, 4 converging, 5 blocked,
6 could not check; of several exercises the first of 6, 1, 4, 3, 5 that occurs
"""


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Parse a command line; exits with 2 on one that cannot be understood.

    Returns: ``action`` (overview, check, solve, reset, snapshot, grade),
    ``exercises`` (numbers such as "5.1"), ``files`` of grade, and the options.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    words = list(options.words)
    options.action = words.pop(0) if words and words[0] in ACTIONS else ""
    options.files = words if options.action == "grade" else []
    modules = [] if options.action == "grade" else words
    if options.action == "snapshot" and words:
        parser.error("snapshot takes no module: it holds what all of them read")
    options.exercises = _exercises(parser, modules, options.exercise)
    options.action = options.action or ("check" if modules else "overview")
    _refuse_nonsense(parser, options, modules)
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m validator",
        description="Check the exercises of the workshop. Without a module: an overview of all.",
        usage="%(prog)s [solve | reset | snapshot | grade] [moduleN | FILE...] [options]",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "words", nargs="*", metavar="[solve|reset|snapshot|grade] [moduleN|FILE]", help="what to do"
    )
    add("--exercise", metavar="N", help="only this exercise of the module")
    add("--namespace", "-n", metavar="NS", help="instead of the current namespace")
    add("--context", metavar="CTX", help="instead of the current context")
    add("--kubeconfig", metavar="FILE", help="else $KUBECONFIG, .lab, ~/.kube/config")
    add("--watch", action="store_true", help="check again on every change until done")
    add("--timeout", metavar="S", type=_seconds, help="with --watch: end after S seconds")
    add("--output", choices=("text", "json", "junit", "csv", "html"), default="text",
        help="text, json or junit; of grade text, csv, json or html")  # fmt: skip
    add("--plain", action="store_true", help="no colours, ASCII marks")
    add("--from", dest="source", metavar="FILE", help="grade a snapshot file, without a cluster")
    add("-o", dest="target", metavar="FILE", help="where snapshot or grade writes (- for here)")
    add("--name", metavar="NAME", help="with snapshot: who you are, for the instructor's table")
    add("--yes", "-y", action="store_true", help="solve or reset without asking")
    add("--operator", action="store_true", help="with reset: uninstall the operator too")
    add("--all-namespaces", "-A", action="store_true", help="with grade: all of a class cluster")
    return parser


def _seconds(word: str) -> float:
    try:
        seconds = float(word.removesuffix("s"))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{word!a} is not a number of seconds")
    return seconds


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
    action = options.action
    if action in ("solve", "reset") and not words:
        parser.error(f"{action} which module? For example: {action} module5")
    if options.exercise and not words:
        parser.error("--exercise needs a module: module5 --exercise 1")
    if options.source and (options.watch or action not in ("check", "overview")):
        parser.error("--from grades a file: it does not go with --watch or any other command")
    if options.source and (options.namespace or options.context or options.kubeconfig):
        parser.error("--from grades a file: it does not go with --namespace, --context or "
                     "--kubeconfig")  # fmt: skip
    if options.watch and action != "check":
        parser.error("--watch goes with a module: module5 --watch")
    if options.timeout is not None and not options.watch:
        parser.error("--timeout goes with --watch")
    if action == "snapshot" and not options.target:
        parser.error("snapshot needs -o FILE")
    if options.target and action not in ("snapshot", "grade"):
        parser.error("-o belongs to snapshot and grade")
    if options.output not in OUTPUTS.get(action, OUTPUTS[""]):
        known = ", ".join(OUTPUTS.get(action, OUTPUTS[""]))
        parser.error(f"--output {options.output} is not possible here; possible are {known}")
    if action == "grade" and bool(options.files) == options.all_namespaces:
        parser.error("grade takes files, or --all-namespaces: grade *.json")
    for name, belongs in (("operator", "reset"), ("all_namespaces", "grade"), ("name", "snapshot")):
        if getattr(options, name) and action != belongs:
            parser.error(f"--{name.replace('_', '-')} belongs to {belongs}")
    if options.namespace is not None and not re.fullmatch(r"[a-z0-9-]{1,63}", options.namespace):
        parser.error(f"{options.namespace!a} cannot be a namespace")
