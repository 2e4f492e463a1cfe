"""Checks that a container runs the driver's nvidia-smi, and what it printed."""

from __future__ import annotations

import re

from validator.engine import Check, Seen
from validator.snapshot import Object, Unreadable, listed, mapping, text
from validator.tfjobs import as_shown, command_line, main_container, words
from validator.verdicts import Finding, could_not_check

PROGRAM = "nvidia-smi"
TABLE = r"NVIDIA-SMI .*Driver Version"
# The sample image's own; where the driver's folder is mounted, the last of them leads to it.
PATH = "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/nvidia/bin"
_ALONE = re.compile(r"\s*(?:exec\s+)?(\S*nvidia-smi)(?:\s+-[\w=.,-]+)*\s*;?\s*")
_SHELL = re.compile(r"(?:\S*/)?(?:ba|da)?sh")
READS = frozenset({"jobs", "pods", "events", "logs", "nodes"})


def runs_nvidia_smi(*example: str) -> Check:
    """Its command is nvidia-smi, and no volume puts another program in its place.

    example: the command that a hint shows.
    """
    shown = ", ".join(f'"{word}"' for word in example or (PROGRAM,))
    fix = f"Set `command: [{shown}]`."

    def judge(seen: Seen) -> Finding | None:
        pod = next((pod for _, pod in seen.templates), {})
        main = main_container(pod)
        line = command_line(main)
        if not words(main, "command"):
            found = "`command` is missing: the image's own program runs"
            return _other(seen, "no-command", found, fix)
        program = _program(line)
        if not program:
            return _another(seen, line, fix)
        return _in_its_place(seen, pod, main, program, fix)

    return Check("program", "It runs nvidia-smi of the driver.", judge)


def _program(line: list[str]) -> str:
    """The word by which the command line calls nvidia-smi and nothing else; "" for any other."""
    first = line[0].split()[:1] if line else []
    if first and first[0].rpartition("/")[2] == PROGRAM:
        return first[0]
    if len(line) == 3 and _SHELL.fullmatch(line[0]) and line[1] == "-c":
        match = _ALONE.fullmatch(line[2])
        return match[1] if match and match[1].rpartition("/")[2] == PROGRAM else ""
    return ""


def _another(seen: Seen, line: list[str], fix: str) -> Finding:
    if not any(PROGRAM in word for word in line):
        return _other(seen, "other", f"the container runs {as_shown(line[:1]) or 'nothing'}", fix)
    return could_not_check(
        "unclear",
        f"it cannot be seen from outside whether nvidia-smi printed the log: {as_shown(line)}",
        "nvidia-smi as the command, with nothing around it",
        "Set `command` to nvidia-smi alone, and run it again:",
        *seen.subject.redo(seen.cluster, seen.object, seen.exercise.file),
    )


def _other(seen: Seen, cause: str, found: str, fix: str) -> Finding:
    wanted = "the driver's nvidia-smi as the command of the container"
    return seen.wrong(cause, found, wanted, fix)


def _in_its_place(seen: Seen, pod: Object, main: Object, program: str, fix: str) -> Finding | None:
    """A volume that is none of the node's, where the program is found first."""
    volumes = {text(v, "name"): v for v in listed(pod, "volumes")}
    for path in _places(main, program):
        mount = _longest(listed(main, "volumeMounts"), path)
        if not mount:
            continue
        if mapping(volumes.get(text(mount, "name"), {}), "hostPath"):
            return None
        return _other(
            seen,
            "not-the-drivers",
            f"{path} comes from the volume {text(mount, 'name')}, and not from the node",
            fix,
        )
    return None


def _places(main: Object, program: str) -> list[str]:
    """Where the program may be found, in this order."""
    if program.startswith("/"):
        return [program]
    given = [text(v, "value") for v in listed(main, "env") if v.get("name") == "PATH"]
    folders = (given[-1] if given else PATH).split(":")
    return [f"{folder.rstrip('/')}/{PROGRAM}" for folder in folders if folder.startswith("/")]


def _longest(mounts: list[Object], path: str) -> Object:
    """The mount that a path is in: the one with the longest folder; {} for none."""
    over = [m for m in mounts if f"{path}/".startswith(text(m, "mountPath").rstrip("/") + "/")]
    return max(over, key=lambda m: len(text(m, "mountPath")), default={})


def shows_the_table() -> Check:
    """Its log is the table of nvidia-smi, with the driver's version."""

    def judge(seen: Seen) -> Finding | None:
        log = _log(seen)
        if any(re.search(TABLE, line) for line in log):
            return None
        listed_only = any(line.startswith("GPU ") for line in log)
        return seen.wrong(
            "list" if listed_only else "none",
            "its log is a list of cards, and not nvidia-smi's table"
            if listed_only
            else "its log does not have nvidia-smi's table",
            "the table that nvidia-smi prints, with the version of the driver",
            "Call nvidia-smi without options.",
        )

    title = "Its log is nvidia-smi's table, with the driver's version."
    return Check("table", title, judge, READS | {f"line {TABLE}"})


def _log(seen: Seen) -> list[str]:
    """The lines of the log. Raises: Unreadable where there is no Pod any more."""
    if not seen.pod:
        raise Unreadable(f"the log of {seen.subject.name}", 0, "its Pod is gone")
    name = text(main_container(mapping(seen.pod, "spec")), "name")
    return [line.text for line in seen.log(seen.pod, name).lines]


def sizes(seen: Seen) -> list[int]:
    """The amounts of memory that the log shows, in MiB. Raises: Unreadable."""
    found = (re.fullmatch(r"\s*(\d+)(?: MiB)?\s*", line) for line in _log(seen))
    return [int(match[1]) for match in found if match]
