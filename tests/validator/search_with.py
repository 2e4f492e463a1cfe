"""Run module 7's search with some of its text replaced: what learners write in place of it.

    python -m tests.validator.search_with 'log=True => log=False' --trials 10

The first words, up to the first that begins with a hyphen, are replacements.
"""

import runpy
import sys
import tempfile
from itertools import takewhile
from pathlib import Path

SEARCH = Path("modules/7-hyper-param-sweeping/solution/search.py")


def main() -> None:
    words = sys.argv[1:]
    replacements = list(takewhile(lambda word: not word.startswith("-"), words))
    text = SEARCH.read_text()
    for each in replacements:
        old, new = each.split(" => ")
        assert text.count(old) == 1, f"{old!a} stands {text.count(old)} times in {SEARCH}"
        text = text.replace(old, new)
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "search.py")
        program.write_text(text)
        sys.argv = [str(program), *words[len(replacements) :]]
        runpy.run_path(str(program), run_name="__main__")


if __name__ == "__main__":
    main()
