"""Read a lab's README: prose, and the commands of its console blocks in order.

`notebooks` makes cells of what is found here, `runner` executes it. A page is written like this:

    ```console                        every line after `$ ` is run and must exit with 0
    $ kubectl get pods
    No resources found in default namespace.
    ```
    ```console exit="3"               the last command of the block exits with 3
    ```console skip="a reason"        not run, and why
    <!-- under test: COMMAND -->      what the learner does by hand (edits a file); not shown

A command goes on after a `\\` at the end of its line, and on lines that begin with `> `.
"""

import re
from dataclasses import dataclass, field

FENCE = re.compile(r"(?P<indent>\s*)(?P<marks>```+)(?P<info>.*)")
UNDER_TEST = re.compile(r"<!-- under test: (?P<command>.+) -->\s*")
ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


class PageError(ValueError):
    """The page breaks a rule above; the message names the line."""


@dataclass(frozen=True)
class Text:
    """A piece of Markdown that is not run."""

    markdown: str


@dataclass(frozen=True)
class Step:
    """One command and what the page shows below it; `line` counts from 1 in the page."""

    command: str
    expected: tuple[str, ...] = ()
    line: int = 0
    exit_code: int = 0
    hidden: bool = False


@dataclass(frozen=True)
class Block:
    """One console block. `skip` is the reason why it is not run, or None."""

    steps: tuple[Step, ...]
    skip: str | None = None
    markdown: str = field(default="", compare=False)


def parse(markdown: str) -> list[Text | Block | Step]:
    """Cut a page into prose, console blocks and hidden steps, in order.

    Raises: PageError for a fence without its end, a console block that is indented or inside
    <details> (no notebook can show it), an attribute that is not known, output before a command.
    """
    pieces: list[Text | Block | Step] = []
    prose: list[str] = []
    folded = 0

    def end_prose() -> None:
        text = "\n".join(prose).strip("\n")
        if text:
            pieces.append(Text(text))
        prose.clear()

    for start, lines in _chunks(markdown):
        fence = FENCE.fullmatch(lines[0])
        under_test = UNDER_TEST.fullmatch(lines[0])
        if fence and fence["info"].split()[:1] == ["console"]:
            if folded or fence["indent"]:
                raise PageError(f"line {start}: a console block inside <details> or a list")
            end_prose()
            pieces.append(_block(start, lines, fence["info"]))
        elif under_test:
            end_prose()
            pieces.append(Step(under_test["command"], line=start, hidden=True))
        else:
            if not fence:
                folded += lines[0].count("<details") - lines[0].count("</details")
            prose.extend(lines)
    end_prose()
    return pieces


def steps_to_run(markdown: str) -> list[Step]:
    """All commands of a page that are run, in order."""
    found: list[Step] = []
    for piece in parse(markdown):
        if isinstance(piece, Step):
            found.append(piece)
        elif isinstance(piece, Block) and piece.skip is None:
            found.extend(piece.steps)
    return found


def skip_reasons(markdown: str) -> list[str]:
    """Why blocks of this page are not run, one reason for each."""
    blocks = (piece for piece in parse(markdown) if isinstance(piece, Block))
    return [block.skip for block in blocks if block.skip is not None]


def _chunks(markdown: str):
    """Yield (first line's number, lines): a whole fenced block, or one line of prose."""
    lines = markdown.split("\n")
    at = 0
    while at < len(lines):
        fence = FENCE.fullmatch(lines[at])
        end = _end_of_fence(lines, at, fence["marks"]) if fence else at
        yield at + 1, lines[at : end + 1]
        at = end + 1


def _end_of_fence(lines: list[str], start: int, marks: str) -> int:
    for at in range(start + 1, len(lines)):
        if lines[at].strip() == marks:
            return at
    raise PageError(f"line {start + 1}: this block has no end")


def _block(start: int, lines: list[str], info: str) -> Block:
    attributes = dict(ATTRIBUTE.findall(info))
    unknown = ATTRIBUTE.sub("", info.replace("console", "", 1)).strip()
    if unknown or set(attributes) - {"exit", "skip"}:
        raise PageError(f"line {start}: `{info.strip()}` is more than console, exit and skip")
    steps = _steps(start + 1, lines[1:-1], int(attributes.get("exit", "0")))
    return Block(steps, attributes.get("skip"), "\n".join(lines))


def _steps(start: int, lines: list[str], exit_code: int) -> tuple[Step, ...]:
    found: list[tuple[int, list[str], list[str]]] = []
    for number, line in enumerate(lines, start):
        if line.startswith("$ "):
            found.append((number, [line[2:]], []))
        elif not found:
            raise PageError(f"line {number}: output before the first command")
        elif not found[-1][2] and _goes_on(found[-1][1][-1], line):
            found[-1][1].append(line.removeprefix("> "))
        else:
            found[-1][2].append(line)
    last = len(found) - 1
    return tuple(
        Step("\n".join(command), tuple(output), number, exit_code if nth == last else 0)
        for nth, (number, command, output) in enumerate(found)
    )


def _goes_on(command: str, line: str) -> bool:
    return command.endswith("\\") or line.startswith("> ")
