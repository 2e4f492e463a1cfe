"""Make a change to a file by hand, as a page shows it.

    python -m modules.edit my-file.yaml < CHANGE            change lines of a file
    python -m modules.edit --write my-file.yaml < CONTENT   write a whole file

A change is written as `diff` writes it. Lines that begin with a space are there and stay, those
with `-` go, those with `+` come; a line that begins with `@@` stands between two places. The old
lines of each place must be in the file exactly once. White space at the end of a line is ignored.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path


class EditError(ValueError):
    """The change is not one, or does not fit the file; the message says why."""


@dataclass(frozen=True)
class Hunk:
    """One place: the lines that are there before, and those that are there after."""

    old: tuple[str, ...]
    new: tuple[str, ...]


def hunks(lines: list[str]) -> list[Hunk]:
    """Read a change. Raises: EditError if it says nothing, or not where."""
    places: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("@@"):
            places.append([])
        else:
            places[-1].append(line)
    return [_hunk(place) for place in places if place] or [_hunk([])]


def _hunk(lines: list[str]) -> Hunk:
    for line in lines:
        if line and line[0] not in " +-":
            raise EditError(f"`{line}` begins neither with a space nor with - or +")
    if not any(line[:1] in ("+", "-") for line in lines):
        raise EditError("changes nothing: no line begins with - or +")
    old = tuple(line[1:] for line in lines if line[:1] != "+")
    if not any(line.strip() for line in old):
        raise EditError("does not say where: no line of the file stands next to the new ones")
    return Hunk(old, tuple(line[1:] for line in lines if line[:1] != "-"))


def applied(content: str, change: list[Hunk]) -> str:
    """The content after the change. Raises: EditError if a place is not there exactly once."""
    lines = content.splitlines()
    for hunk in change:
        at = _place(lines, hunk.old)
        lines[at : at + len(hunk.old)] = hunk.new
    return "\n".join(lines) + "\n"


def _place(lines: list[str], old: tuple[str, ...]) -> int:
    wanted = [line.rstrip() for line in old]
    there = [line.rstrip() for line in lines]
    starts = range(len(there) - len(wanted) + 1)
    found = [at for at in starts if there[at : at + len(wanted)] == wanted]
    if len(found) != 1:
        times = "not there" if not found else f"there {len(found)} times, not once"
        raise EditError(f"these lines are {times}:\n" + "\n".join(old))
    return found[0]


def main(arguments: list[str] | None = None) -> int:
    """Apply the change on standard input. Returns: 0, or 1 after a message."""
    parser = argparse.ArgumentParser(prog="python -m modules.edit")
    parser.add_argument("file", type=Path)
    parser.add_argument("--write", action="store_true", help="standard input is the whole file")
    options = parser.parse_args(arguments)
    text = sys.stdin.read()
    try:
        if options.write:
            options.file.parent.mkdir(parents=True, exist_ok=True)
        else:
            text = applied(options.file.read_text(), hunks(text.splitlines()))
        options.file.write_text(text)
    except (OSError, EditError) as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
