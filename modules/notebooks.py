"""Make each module's `lab.ipynb` from its README.md, and put the included files into the README.

    python -m modules.notebooks            write what is stale      (`make notebooks`)
    python -m modules.notebooks --check    fail if anything is stale (the tests)

A file is included between two comments, and is never edited there:

    <!-- include: solution/exercise-1.yaml -->
    <!-- end of include -->
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from modules.page import Block, PageError, Step, Text, parse

MODULES = Path(__file__).resolve().parent
INCLUDE = re.compile(
    r"(?P<start><!-- include: (?P<path>\S+) -->\n).*?(?P<end><!-- end of include -->)", re.DOTALL
)
COMMENT = re.compile(r"^<!-- (?:include: \S+|end of include) -->\n?", re.MULTILINE)
LANGUAGES = {".yaml": "yaml", ".yml": "yaml", ".py": "python", ".sh": "bash", ".json": "json"}

# Commands on a page are run from the checkout's root; a notebook starts in its own folder.
# A test names a file of its own, so that it never meets the learner's cluster.
SETUP = """\
cd "$(git rev-parse --show-toplevel)"
source "${WORKSHOP_ACTIVATE:-.lab/activate}\""""
SETUP_TEXT = """\
*This notebook is made from README.md by `make notebooks`: edit that. Its cells are run by bash, \
in one shell from top to bottom. The first one goes to the checkout and puts the lab's cluster and \
tools within reach.*"""
# Under pytest nobody is there to edit a file.
BY_HAND = '# Your turn: do by hand what the text asks for. (Only a test does it here.)\n\
[ -z "${{PYTEST_VERSION:-}}" ] || {command}'


def included(markdown: str, folder: Path) -> str:
    """The page with every included file as it is now.

    Raises: PageError if a file to include is not there.
    """

    def block(match: re.Match[str]) -> str:
        path = folder / match["path"]
        if not path.is_file():
            raise PageError(f"includes {match['path']}, which is not there")
        language = LANGUAGES.get(path.suffix, "text")
        content = path.read_text().rstrip("\n")
        return f"{match['start']}```{language}\n{content}\n```\n{match['end']}"

    return INCLUDE.sub(block, markdown)


def notebook(markdown: str) -> dict:
    """The notebook (nbformat 4.5) of a page: one cell for each command, prose in between."""
    cells = [_prose(SETUP_TEXT), _code(Step(SETUP))]
    for piece in parse(markdown):
        cells += _cells(piece)
    # The title comes first, as on the page.
    cells = [cells[2], cells[0], cells[1], *cells[3:]] if len(cells) > 2 else cells
    runs = 0
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{number}"
        if cell["cell_type"] == "code":
            runs += 1
            cell["execution_count"] = runs
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Bash", "language": "bash", "name": "bash"},
            "language_info": {"name": "bash", "file_extension": ".sh", "mimetype": "text/x-sh"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cells(piece: Text | Block | Step) -> list[dict]:
    if isinstance(piece, Text):
        return [_prose(COMMENT.sub("", piece.markdown))]
    if isinstance(piece, Step):
        return [_code(Step(BY_HAND.format(command=piece.command)))]
    if piece.skip is not None:
        return [_prose(f"*Not run here: {piece.skip}.*\n\n{piece.markdown}")]
    return [_code(step) for step in piece.steps]


def _prose(markdown: str) -> dict:
    return {"cell_type": "markdown", "id": "", "metadata": {}, "source": _lines(markdown)}


def _code(step: Step) -> dict:
    """One command. The output is the page's: the tests of the page compare it with a real run."""
    text = "\n".join(step.expected)
    shown = {"name": "stdout", "output_type": "stream", "text": _lines(text + "\n")}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": "",
        "metadata": {"tags": ["raises-exception"]} if step.exit_code else {},
        "outputs": [shown] if text else [],
        "source": _lines(step.command),
    }


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def update(folder: Path, check: bool) -> list[Path]:
    """Bring one module's README.md and lab.ipynb up to date, or only look.

    Returns: the files that were stale. Raises: PageError with the page's name.
    """
    readme, stale = folder / "README.md", []
    old = readme.read_text()
    try:
        page = included(old, folder)
        wanted = json.dumps(notebook(page), indent=1, ensure_ascii=False) + "\n"
    except PageError as error:
        raise PageError(f"{readme}: {error}") from None
    lab = folder / "lab.ipynb"
    for path, content in ((readme, page), (lab, wanted)):
        if not path.is_file() or path.read_text() != content:
            stale.append(path)
            if not check:
                path.write_text(content)
    return stale


def main(
    arguments: list[str] | None = None,
    modules: Path = MODULES,
    say: Callable[[str], object] = print,
) -> int:
    """Update every module. Returns: 0, or 1 if --check found a stale file or a page is wrong."""
    parser = argparse.ArgumentParser(prog="python -m modules.notebooks")
    parser.add_argument("--check", action="store_true", help="only say what is stale")
    check = parser.parse_args(arguments).check
    try:
        pages = sorted(modules.glob("*/README.md"))
        stale = [path for page in pages for path in update(page.parent, check)]
    except PageError as error:
        say(str(error))
        return 1
    for path in stale:
        verb = "is stale: run `make notebooks`" if check else "written"
        say(f"{path.relative_to(modules.parent)} {verb}")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
