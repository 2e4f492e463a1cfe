"""What the function `again` of a notebook needs: see `notebook.sh`, which repeats a command.

    python -m modules.again command < BLOCK        print the command of a console block
    python -m modules.again fits FILE < BLOCK      end with 0 if FILE holds what the block shows

The block is written as on a page: `$ command`, then the output.
"""

import argparse
import sys
from pathlib import Path

from modules import here
from modules.compare import difference, renamed
from modules.page import Step, steps_to_run
from modules.workloads import workloads

PAGES = Path(__file__).resolve().parent


def step_of(block: str) -> Step:
    """The last command of a console block without its fence."""
    fence = "`" * 20
    return steps_to_run(f"{fence}console\n{block.rstrip()}\n{fence}")[-1]


def shows(block: str, output: str, cluster: here.Here, known: set[str]) -> bool:
    """Whether a command printed what the block shows."""
    expected = step_of(block).expected
    lines = renamed(output.splitlines(), cluster.aliases, expected)
    return difference(expected, lines, known) is None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m modules.again")
    parser.add_argument("what", choices=("command", "fits"))
    parser.add_argument("file", type=Path, nargs="?")
    options = parser.parse_args(arguments)
    block = sys.stdin.read()
    if options.what == "command":
        print(step_of(block).command)
        return 0
    known = set().union(*(workloads(page.read_text()) for page in PAGES.glob("*/README.md")))
    output = options.file.read_text(errors="replace")
    return int(not shows(block, output, here.look(), known))


if __name__ == "__main__":
    sys.exit(main())
