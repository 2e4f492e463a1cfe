"""Make each module's `lab.ipynb` from its README.md, and put the included files into the README.

    python -m modules.notebooks            write what is stale      (`make notebooks`)
    python -m modules.notebooks --check    fail if anything is stale (the tests)

A file is included between two comments, and is never edited there:

    <!-- include: solution/exercise-1.yaml -->
    <!-- end of include -->

How a step becomes a cell is in `cells`.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from modules.cells import cells
from modules.page import PageError

MODULES = Path(__file__).resolve().parent
INCLUDE = re.compile(
    r"(?P<start><!-- include: (?P<path>\S+) -->\n).*?(?P<end><!-- end of include -->)", re.DOTALL
)
LANGUAGES = {".yaml": "yaml", ".yml": "yaml", ".py": "python", ".sh": "bash", ".json": "json"}


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
    return {
        "cells": cells(markdown),
        "metadata": {
            "kernelspec": {"display_name": "Bash", "language": "bash", "name": "bash"},
            "language_info": {"name": "bash", "file_extension": ".sh", "mimetype": "text/x-sh"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


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
