"""Read the line that opens a fenced block: its language and its attributes.

    ```console exit="3" retry="30s"      language console, two attributes
    ```console background                a flag has no value
    ```diff edit="my-file.yaml"          language diff, the attribute edit

`page` gives the attributes their meaning. Here is what each may hold, and which go together.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

FENCE = re.compile(r"(?P<indent>\s*)(?P<marks>```+)(?P<info>[^`]*)")
ATTRIBUTE = re.compile(r'(?<!\S)(\w+)(?:="([^"]*)")?(?!\S)')
DURATION = re.compile(r"([1-9]\d*)([smh])")
SECONDS = {"s": 1, "m": 60, "h": 3600}
# What the workshop's local cluster can do.
LAB = frozenset({"gpu", "gpu-2017", "local"})
# What only another cluster is like: GPUs without the name of 2017, or none.
ABILITIES = LAB | {"gpu-today", "no-gpu"}

CONSOLE = frozenset({"background", "exit", "only", "retry", "skip", "timeout"})
EDIT = frozenset({"edit", "only"})
# What makes no sense together: nothing of a skipped block runs, and a command in the background
# has no exit code and no end.
CONFLICTS = {
    "skip": CONSOLE - {"skip"},
    "background": frozenset({"exit", "timeout"}),
    "case": EDIT,
}


@dataclass(frozen=True)
class Fence:
    """The attributes of one block; those that it does not have are None, 0 or False."""

    language: str
    exit_code: int = 0
    skip: str | None = None
    retry_seconds: float = 0
    timeout_seconds: float | None = None
    only: str | None = None
    background: bool = False
    edit: str | None = None
    case: str | None = None


def read_fence(info: str) -> Fence:
    """Read what stands behind the backquotes.

    Raises: ValueError with a sentence for an attribute that is unknown, given twice, without a
    value that it can have, or next to one that it contradicts.
    """
    language, _, rest = info.strip().partition(" ")
    pairs = ATTRIBUTE.findall(rest)
    names = [name for name, _ in pairs]
    _refuse_unknown(language, names, ATTRIBUTE.sub("", rest).strip())
    values = dict(pairs)
    for name in names:
        if clash := CONFLICTS.get(name, frozenset()) & set(names):
            raise ValueError(f"{name} and {min(clash)} contradict each other")
    return Fence(language, **dict(_read(name, value) for name, value in values.items()))


def closes(line: str, marks: str) -> bool:
    """Whether a line ends the block that `marks` opened: as many backquotes or more."""
    return line.strip().startswith(marks) and not line.strip().strip("`")


def seconds(duration: str) -> int:
    """`30s`, `20m` or `1h` as seconds. Raises: ValueError for anything else."""
    match = DURATION.fullmatch(duration)
    if not match:
        raise ValueError(f'"{duration}" is not a duration such as 30s, 20m or 1h')
    return int(match[1]) * SECONDS[match[2]]


def _refuse_unknown(language: str, names: list[str], rest: str) -> None:
    known = CONSOLE if language == "console" else EDIT | {"case"}
    if rest:
        raise ValueError(f'`{rest}` is not an attribute: write name="value"')
    for name in names:
        if name not in known:
            allowed = ", ".join(sorted(known))
            raise ValueError(f"unknown attribute {name}; a {language} block takes {allowed}")
        if names.count(name) > 1:
            raise ValueError(f"{name} stands there twice")
    if language != "console" and names == ["only"]:
        raise ValueError("only belongs to a console block or an edit")


def _read(name: str, value: str) -> tuple[str, object]:
    """(field of Fence, its value)."""
    if name == "background":
        if value:
            raise ValueError("background takes no value")
        return name, True
    if name in ("retry", "timeout"):
        return f"{name}_seconds", seconds(value)
    if name == "exit":
        if not (value.isdecimal() and int(value) < 256):
            raise ValueError(f'exit="{value}" is not an exit code from 0 to 255')
        return "exit_code", int(value)
    if name == "only" and not ABILITIES.issuperset(value.split()):
        raise ValueError(f'only="{value}" is none of {", ".join(sorted(ABILITIES))}')
    if name == "edit" and not _is_inside(value):
        raise ValueError(f'edit="{value}" does not name a file inside the checkout')
    if not value:
        raise ValueError(f"{name} needs a value")
    return name, value


def _is_inside(path: str) -> bool:
    plain = re.fullmatch(r"[\w.][\w./-]*", path)
    return bool(plain) and ".." not in PurePosixPath(path).parts
