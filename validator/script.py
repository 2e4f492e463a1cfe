"""What a command line or a shell's script runs: a program of the image, its options, what besides.

Only scripts of plain commands are read. Of any other, nothing is said but that.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

ENTRY_POINT = "fashion_mnist.train"
_SHELLS = ("sh", "bash", "dash", "ash")
_WRAPPERS = ("exec", "env", "nice", "time", "tini", "dumb-init", "stdbuf", "--")
# Besides the program, a script may do these: they print nothing that looks like its log.
_SAY_NOTHING = {"cd", "set", "export", "sleep", "true", ":", "wait", "ulimit", "umask", "test"}
_TELL_ABOUT_THE_NODE = {"[", "id", "nvidia-smi", "df", "free", "nproc", "uname", "chmod", "exit"}
# What these print has to stand there in plain words.
_PRINTING = {"echo", "ls", "mkdir", "touch", "date", "pwd", "hostname"}
_HARMLESS = _SAY_NOTHING | _TELL_ABOUT_THE_NODE | _PRINTING
_IMAGE_BINARIES = ("/opt/venv/bin", "/usr/local/bin", "/usr/bin", "/bin")
_IMAGE_FOLDER = "/opt/fashion-mnist"
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
# What ends Python's own options: -c and -m, also as the last of a group such as -Bc.
_CODE = re.compile(r"-[bBdEhiIOPqsSuvVx]*[cm]")
_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")
_PYTHON = re.compile(r"python[\d.]*")
_NOWHERE = re.compile(r"\d?&?>>?(?:&\d|/dev/(?:null|stdout|stderr))$")


def file_of(module: str) -> str:
    """Where a module of the image is, below the folder of its programs."""
    return f"{module.replace('.', '/')}.py"


def options_of(line: list[str], module: str) -> list[str] | str:
    """The options that a command line gives this module; else why they are not known."""
    line = _unwrapped(line)
    name = _program(line)
    if name in _SHELLS:
        return _in_script(line, module)
    if _PYTHON.fullmatch(name):
        return _of_python(line[1:], module)
    return f"what `command` runs around {module} cannot be read"


def file_run(line: list[str]) -> str:
    """The file that Python runs by a command line; "" for anything else."""
    line = _unwrapped(line)
    rest = _without_flags(line[1:]) if _PYTHON.fullmatch(_program(line)) else []
    return rest[0] if rest and not rest[0].startswith("-") else ""


def _without_flags(line: list[str]) -> list[str]:
    """Without the options of Python itself."""
    while line and line[0].startswith("-") and not _CODE.match(line[0]):
        line = line[2:] if line[0] in _WITH_VALUE else line[1:]
    return line


def _of_python(line: list[str], module: str) -> list[str] | str:
    line = _without_flags(line)
    if line[:2] == ["-m", module]:
        return line[2:]
    if line[:1] in ([f"-m{module}"], [f"{_IMAGE_FOLDER}/{file_of(module)}"]):
        return line[1:]
    return f"python runs more than the image's {module}"


def _in_script(line: list[str], module: str) -> list[str] | str:
    """The options of the last run of the module in a shell's script of plain commands."""
    flags = [word for word in line[1:] if word.startswith(("-", "+"))]
    rest = line[1 + len(flags) :]
    if not any(re.fullmatch(r"-[a-z]*c", flag) for flag in flags) or not rest:
        return "what the script does cannot be read"
    runs: list[list[str]] = []
    for statement in _statements(rest[0], module):
        if (
            not runs
            and (statement or [""])[0] in ("exit", "exec")
            and not any(module in word for word in statement or ())
        ):
            return f"the script may end before it runs {module}"
        found = _statement(statement, module)
        if isinstance(found, str):
            return found
        runs += [found] if found is not None else []
    if not runs:
        return f"the script never runs {module}"
    # The log of a training says what it was asked for. For another program only its words do.
    unknown = len(runs) > 1 or any("$" in word for word in runs[-1])
    if module != ENTRY_POINT and unknown:
        return f"the script runs {module} more than once, or with a variable"
    return runs[-1]


def _statements(script: str, module: str) -> Iterator[list[str] | None]:
    """The words of each plain command; None for what is no plain command."""
    joined = script.replace("\\\n", " ")
    if re.search(r"`|\$\(|<|\$'|\beval\b", joined):
        yield None
        return
    for part in re.split(r"\n|;|&&|\|\||(?<![>&])&(?!>|\d)", joined):
        command, *pipes = part.split("|")
        try:
            statement = shlex.split(command, comments=True)
            piped = [shlex.split(pipe) for pipe in pipes]
        except ValueError:
            yield None
            return
        runs = module in statement or f"-m{module}" in statement
        if any(pipe[:1] != ["tee"] for pipe in piped) or (piped and not runs):
            yield None
        elif statement:
            yield statement


def _statement(statement: list[str] | None, module: str) -> list[str] | str | None:
    """The options of a run of the module; None for a harmless command."""
    line = _unwrapped(statement or [])
    if statement and not line and all(_ASSIGNMENT.match(word) for word in statement):
        return None
    name = _program(line)
    if name in _HARMLESS and not _prints_or_writes(name, line):
        return None
    if _PYTHON.fullmatch(name):
        redirected = next((i for i, w in enumerate(line) if re.match(r"\d?&?>", w)), len(line))
        return _of_python(line[1:redirected], module)
    return f"the script does more than run {module}"


def _program(line: list[str]) -> str:
    """The name of the program that a command runs; with its folder where that is not the image's.

    A name without a folder is the image's, unless PATH says otherwise.
    """
    folder, slash, name = line[0].rpartition("/") if line else ("", "", "")
    return name if not slash or folder in _IMAGE_BINARIES else f"{folder}/{name}"


def _prints_or_writes(name: str, line: list[str]) -> bool:
    """Whether a command may print other words than those that stand in it, or write a file."""
    if any(re.match(r"\d?&?>", word) and not _NOWHERE.match(word) for word in _joined(line)):
        return True
    if name in ("set", "export"):
        return len(line) == 1 or "-p" in line
    return name in _PRINTING and any(
        w in ("-n", "-e", "-ne", "-en") or w[:1] == "+" or re.search(r"[$\\]", w) for w in line
    )


def _joined(line: list[str]) -> list[str]:
    """With a redirection and its file as one word; one within a word is cut off."""
    spaced = " ".join(line).replace("> ", ">")
    return re.sub(r"(\d?&?>)", r" \1", spaced).split()


def _unwrapped(line: list[str]) -> list[str]:
    """Without what only starts another command, and without variables set for it."""
    while line and (_program(line) in _WRAPPERS or _ASSIGNMENT.match(line[0])):
        wrapper = line[0]
        line = line[1:]
        while wrapper in ("nice", "stdbuf", "env") and line and line[0].startswith("-"):
            line = line[2:] if line[0] in ("-n", "-u") else line[1:]
    return line
