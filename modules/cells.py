"""Make the cells of a notebook from a page: prose, and one cell for each command.

A cell holds the page's own command. What the page says about it in the fence becomes a line that a
learner can read: see `_source`. The functions used there are in `notebook.sh`. Used by `notebooks`.
"""

import re

from modules.page import TIMEOUT_SECONDS, Block, Step, Text, parse

COMMENT = re.compile(r"^<!-- (?:include: \S+|end of include) -->\n?", re.MULTILINE)

# Commands on a page are run from the checkout's root; a notebook starts in its own folder. The
# checkout may be a ZIP without git.
SETUP = """\
until [ -e modules/notebook.sh ] || [ "$PWD" = / ]; do cd ..; done
source modules/notebook.sh"""
SETUP_TEXT = """\
*This notebook is made from README.md by `make notebooks`: edit that. Its cells are run by bash, \
in one shell from top to bottom. The first one goes to the checkout and puts the lab's cluster and \
tools within reach. A cell that begins with `if by_hand` is your turn: it does nothing unless \
Jupyter was started with `WORKSHOP_BY_HAND=solution`.*"""
END = "end_background"
END_OF_PAGE = "END-OF-PAGE"


def cells(markdown: str) -> list[dict]:
    """All cells of a page's notebook. The title comes first, as on the page."""
    page = _Cells()
    found = [cell for piece in parse(markdown) for cell in page.of(piece)]
    title = 1 if found and found[0]["cell_type"] == "markdown" else 0
    found[title:title] = [_prose(SETUP_TEXT), _code(SETUP)]
    if page.logs:
        found.append(_code(END))
    runs = 0
    for number, cell in enumerate(found, 1):
        cell["id"] = f"cell-{number}"
        if cell["cell_type"] == "code":
            runs += 1
            cell["execution_count"] = runs
    return found


class _Cells:
    """Makes cells in order: what one holds may depend on the command before it."""

    def __init__(self) -> None:
        self.logs = 0
        self._last_code = 0

    def of(self, piece: Text | Block | Step) -> list[dict]:
        if isinstance(piece, Text):
            return [_prose(COMMENT.sub("", piece.markdown))]
        if isinstance(piece, Step):
            return [self._command(piece)]
        if piece.skip is not None:
            return [_prose(f"*Not run here: {piece.skip}.*\n\n{piece.markdown}")]
        return [self._command(step) for step in piece.steps]

    def _command(self, step: Step) -> dict:
        self.logs += step.background
        source = _source(step, self._last_code, self.logs)
        self._last_code = step.exit_code
        return _code(source, step.expected)


def _source(step: Step, last_code: int, log: int) -> str:
    """The text of one cell.

    exit        a line that tests `$?`, so that an unexpected success fails as well
    retry       the function `again`, with the block as on the page
    background  `&`, and a log that `again` waits for if the page shows output
    by hand     inside `if by_hand`
    only        inside `if here`
    timeout     a comment: a notebook has no limit of its own
    """
    source = _checked(step, log)
    # A cell begins with 0 in `$?`.
    if last_code and "$?" in step.command:
        source = f"(exit {last_code})  # as the cell above ended\n{source}"
    if step.timeout_seconds != TIMEOUT_SECONDS:
        source = f"# This may take up to {_duration(step.timeout_seconds)}.\n{source}"
    if step.hidden:
        source = _if(f'by_hand "{_task(step)}"', source)
    return _if(f"here {step.only}", source) if step.only else source


def _checked(step: Step, log: int) -> str:
    if step.background:
        return _in_background(step, f'"$LOGS/{log}"')
    if step.retry_seconds:
        return _again(step, step.command, step.expected)
    if step.exit_code:
        return f"{step.command}\n[ $? -eq {step.exit_code} ]  # the page says so"
    return step.command


def _in_background(step: Step, log: str) -> str:
    start = f"{{ {step.command}\n}} >{log} 2>&1 &"
    if not re.search(r"[\n;|&<>]", step.command):
        start = f"{step.command} >{log} 2>&1 &"
    if not step.expected:
        return start
    # What it prints later is not on the page.
    return f"{start}\n{_again(step, f'cat {log}', (*step.expected, '...'))}"


def _again(step: Step, command: str, expected: tuple[str, ...]) -> str:
    # A tab would complete names; the comparison takes white space for white space.
    shown = [line.replace("\t", " ") for line in expected]
    block = "\n".join([f"$ {_continued(command)}", *shown])
    seconds = f"{step.retry_seconds:g}"
    return f"again {seconds} {step.exit_code} <<'{END_OF_PAGE}'\n{block}\n{END_OF_PAGE}"


def _continued(command: str) -> str:
    """A command of several lines as a page shows it."""
    first, *rest = command.split("\n")
    return "\n".join([first, *(f"> {line}" for line in rest)])


def _duration(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds > 60 else f"{seconds:g} seconds"


def _task(step: Step) -> str:
    return f"edit {step.edit} as shown above" if step.edit else "do by hand what the text asks for"


def _if(condition: str, source: str) -> str:
    return f"if {condition}; then\n{source}\nfi"


def _prose(markdown: str) -> dict:
    return {"cell_type": "markdown", "id": "", "metadata": {}, "source": _lines(markdown)}


def _code(source: str, expected: tuple[str, ...] = ()) -> dict:
    """One command. The output is the page's: the tests of the page compare it with a real run."""
    text = "".join(f"{line}\n" for line in expected)
    shown = {"name": "stdout", "output_type": "stream", "text": _lines(text)}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": "",
        "metadata": {},
        "outputs": [shown] if text else [],
        "source": _lines(source),
    }


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
