"""Read a lab's README: prose, and the commands of its console blocks in order.

`notebooks` makes cells of what is found here, `runner` executes it. A page is written like this:

    ```console                        every line after `$ ` is run and must exit with 0
    $ kubectl get pods
    No resources found in default namespace.
    ```
    ```console exit="3"               the last command of the block exits with 3
    ```console skip="a reason"        not run, and why
    ```console retry="30s"            the last command is repeated until it shows this
    ```console timeout="20m"          each command may take so long (11 minutes without it)
    ```console only="gpu"             run only where the cluster has GPUs; also "no-gpu",
                                      "gpu-2017" and "gpu-today" (by the resource's name)
    ```console only="local"           run only on the workshop's local cluster
    ```console only="gpu local"       run only where both hold
    ```console background             runs on beside the next commands, and ends with the page;
                                      what the page shows is waited for, 30 s or `retry`
    ```diff edit="my-file.yaml"       the learner makes this change in an editor (see `edit`)
    ```yaml edit="my-file.yaml"       the learner writes this file
    ```text case="5.1-too-many-gpus"  part of the validator's report on this recorded case
    <!-- under test: COMMAND -->      what the learner does by hand (edits a file); not shown

A command goes on after a `\\` at the end of its line, and on lines that begin with `> `.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from modules.edit import EditError, hunks
from modules.fence import FENCE, LAB, Fence, closes, read_fence

UNDER_TEST = re.compile(r"<!-- under test: (?P<command>.+) -->\s*")
# Longer than any wait of a page for a phase (`kubectl wait --timeout=10m`).
TIMEOUT_SECONDS = 660
# How long a command in the background has to print what the page shows.
BACKGROUND_SECONDS = 30
END_OF_EDIT = "END-OF-EDIT"


class PageError(ValueError):
    """The page breaks a rule above; the message names the line."""


@dataclass(frozen=True)
class Text:
    """A piece of Markdown that is not run."""

    markdown: str


@dataclass(frozen=True)
class Step:
    """One command and what the page shows below it; `line` counts from 1 in the page.

    A hidden step is what a learner does by hand: its output is not compared. `edit` names the
    file if the page shows the change.
    """

    command: str
    expected: tuple[str, ...] = ()
    line: int = 0
    exit_code: int = 0
    hidden: bool = False
    retry_seconds: float = 0
    timeout_seconds: float = TIMEOUT_SECONDS
    only: str | None = None
    background: bool = False
    edit: str | None = None


@dataclass(frozen=True)
class Block:
    """One console block. `skip` is the reason why it is not run, or None."""

    steps: tuple[Step, ...]
    skip: str | None = None
    markdown: str = field(default="", compare=False)


def parse(markdown: str) -> list[Text | Block | Step]:
    """Cut a page into prose, console blocks and hidden steps, in order.

    Raises: PageError for a fence without its end; a console block or an edit that is indented or
    inside <details> (no notebook can show it); an attribute that `fence` refuses; output before a
    command; an edit that changes nothing; a tab in a command or an edit (a notebook's bash takes
    it for the key that completes names).
    """
    page = _Pieces()
    for start, lines in chunks(markdown):
        page.add(start, lines)
    page.end_prose()
    return page.found


class _Pieces:
    """Collects the pieces of one page, in order."""

    def __init__(self) -> None:
        self.found: list[Text | Block | Step] = []
        self._prose: list[str] = []
        self._folded = 0

    def add(self, start: int, lines: list[str]) -> None:
        """Take one fenced block, or one line of prose."""
        fence = _fence(start, lines[0])
        if not fence:
            self._add_line(start, lines[0])
        elif fence.language == "console":
            self._refuse_if_folded(start, lines[0], "a console block")
            self._add_step(_block(start, lines, fence))
        else:
            self._prose += _without_attributes(lines, fence)
            if fence.edit:
                self._refuse_if_folded(start, lines[0], "an edit")
                self._add_step(_edit(start, lines[1:-1], fence))

    def end_prose(self) -> None:
        text = "\n".join(self._prose).strip("\n")
        if text:
            self.found.append(Text(text))
        self._prose = []

    def _add_line(self, start: int, line: str) -> None:
        self._folded += line.count("<details") - line.count("</details")
        hidden = _under_test(start, line)
        if hidden:
            self._add_step(hidden)
        else:
            self._prose.append(line)

    def _add_step(self, step: Block | Step) -> None:
        self.end_prose()
        self.found.append(step)

    def _refuse_if_folded(self, start: int, line: str, what: str) -> None:
        if self._folded or line[:1].isspace():
            raise PageError(f"line {start}: {what} inside <details> or a list")


def steps_to_run(markdown: str, abilities: frozenset[str] = LAB) -> list[Step]:
    """All commands of a page that are run on a cluster with these abilities, in order."""
    found: list[Step] = []
    for piece in parse(markdown):
        if isinstance(piece, Step):
            found.append(piece)
        elif isinstance(piece, Block) and piece.skip is None:
            found.extend(piece.steps)
    return [step for step in found if abilities.issuperset((step.only or "").split())]


def skip_reasons(markdown: str) -> list[str]:
    """Why blocks of this page are not run, one reason for each."""
    blocks = (piece for piece in parse(markdown) if isinstance(piece, Block))
    return [block.skip for block in blocks if block.skip is not None]


def shown_cases(markdown: str) -> list[tuple[str, list[str], int]]:
    """The recorded cases that the page quotes: (case, the lines shown, the fence's line)."""
    found = []
    for start, lines in chunks(markdown):
        fence = _fence(start, lines[0])
        if fence and fence.case:
            found.append((fence.case, lines[1:-1], start))
    return found


def chunks(markdown: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (first line's number, lines): a whole fenced block, or one line of prose.

    Git on Windows may end lines with a carriage return; it is not part of any line here.
    """
    lines = markdown.replace("\r\n", "\n").split("\n")
    at = 0
    while at < len(lines):
        fence = FENCE.fullmatch(lines[at])
        end = _end_of_fence(lines, at, fence["marks"]) if fence else at
        yield at + 1, lines[at : end + 1]
        at = end + 1


def _end_of_fence(lines: list[str], start: int, marks: str) -> int:
    for at in range(start + 1, len(lines)):
        if closes(lines[at], marks):
            return at
    raise PageError(f"line {start + 1}: this block has no end")


def _fence(start: int, line: str) -> Fence | None:
    match = FENCE.fullmatch(line)
    try:
        return read_fence(match["info"]) if match else None
    except ValueError as error:
        raise PageError(f"line {start}: {error}") from None


def _under_test(start: int, line: str) -> Step | None:
    match = UNDER_TEST.fullmatch(line)
    if match:
        _refuse_tabs(start, [line])
    if not match and line.lstrip().startswith("<!-- under"):
        raise PageError(f"line {start}: write <!-- under test: COMMAND --> on a line of its own")
    return Step(match["command"], line=start, hidden=True) if match else None


def _refuse_tabs(start: int, lines: list[str]) -> None:
    for number, line in enumerate(lines, start):
        if "\t" in line:
            raise PageError(f"line {number}: a tab, which no notebook can hand to bash; use spaces")


def _without_attributes(lines: list[str], fence: Fence) -> list[str]:
    """The block as a notebook shows it: attributes are for the tests."""
    opening = FENCE.fullmatch(lines[0])
    assert opening
    return [opening["indent"] + opening["marks"] + fence.language, *lines[1:]]


def _edit(start: int, lines: list[str], fence: Fence) -> Step:
    """The step that does what the learner is shown."""
    _refuse_tabs(start + 1, lines)
    option = "" if fence.language == "diff" else "--write "
    try:
        if not option:
            hunks(lines)
    except EditError as error:
        raise PageError(f"line {start}: this edit {error}") from None
    text = "\n".join(lines)
    command = (
        f"python -m modules.edit {option}{fence.edit} <<'{END_OF_EDIT}'\n{text}\n{END_OF_EDIT}"
    )
    return Step(command, line=start, hidden=True, only=fence.only, edit=fence.edit)


def _block(start: int, lines: list[str], fence: Fence) -> Block:
    steps = _steps(start + 1, lines[1:-1], fence)
    if fence.background and len(steps) != 1:
        raise PageError(f"line {start}: a block in the background holds exactly one command")
    return Block(steps, fence.skip, "\n".join(lines))


def _steps(start: int, lines: list[str], fence: Fence) -> tuple[Step, ...]:
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
    for number, command, _ in found:
        _refuse_tabs(number, command)
    last = len(found) - 1
    return tuple(
        _step(fence, nth == last, "\n".join(command), tuple(output), number)
        for nth, (number, command, output) in enumerate(found)
    )


def _step(fence: Fence, is_last: bool, command: str, output: tuple[str, ...], line: int) -> Step:
    """One command of a block; `exit` and `retry` belong to the last."""
    retry_seconds = fence.retry_seconds or (BACKGROUND_SECONDS if fence.background else 0)
    return Step(
        command,
        output,
        line,
        exit_code=fence.exit_code if is_last else 0,
        retry_seconds=retry_seconds if is_last else 0,
        timeout_seconds=fence.timeout_seconds or TIMEOUT_SECONDS,
        only=fence.only,
        background=fence.background,
    )


def _goes_on(command: str, line: str) -> bool:
    return command.endswith("\\") or line.startswith("> ")
