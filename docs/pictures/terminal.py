"""Make the picture of the root README: a terminal in which exercise 6.1 is done, from a real run.

Needs a cluster with the operator in the current namespace, and no TfJob module6-ex1::

    python docs/pictures/terminal.py

Types the commands below, waits for the training, and writes docs/pictures/terminal.svg.
"""

import re
import subprocess
from html import escape
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
MANIFEST = "modules/6-distributed-tensorflow/solution/exercise-1.yaml"
LABEL = "tf_job_name=module6-ex1"
# What is shown, and what is waited for before it.
STEPS = (
    (f"kubectl apply -f {MANIFEST}", ""),
    (
        f"kubectl get pods -l {LABEL}",
        f"kubectl wait pods -l {LABEL} --for=condition=Ready --timeout=5m",
    ),
    (
        f"kubectl logs -l {LABEL},job_type=MASTER --tail=4",
        "kubectl wait tfjob/module6-ex1 --for=condition=Succeeded --timeout=10m",
    ),
    ("python -m validator module6 --exercise 1", ""),
)
LINE, MARGIN, COLUMN = 18, 16, 7.85
# Longer lines end in an ellipsis.
COLUMNS = 108
STYLE = """
    text { font-family: ui-monospace, monospace; font-size: 13px; fill: #e6edf3; white-space: pre }
    .typed { fill: #79c0ff; font-weight: 600 } .good { fill: #56d364 }
"""


def main() -> None:
    """Run the steps and draw what they printed."""
    lines: list[str] = []
    for command, before in STEPS:
        if before:
            run(before)
        lines += ["", f"$ {command}", *run(command).splitlines()]
    (Path(__file__).parent / "terminal.svg").write_text(drawn(lines[1:]))


def run(command: str) -> str:
    """What a command prints. Raises: CalledProcessError if it fails."""
    done = subprocess.run(
        command.split(), cwd=CHECKOUT, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def drawn(lines: list[str]) -> str:
    """The lines as the SVG of a terminal."""
    width = round(COLUMNS * COLUMN) + 2 * MARGIN
    height = LINE * len(lines) + 2 * MARGIN
    rows = "\n".join(row(text, number) for number, text in enumerate(lines, 1))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-labelledby="title">\n'
        '  <title id="title">A terminal: a TfJob with four replicas trains, and the validator '
        f"says done</title>\n  <style>{STYLE}</style>\n"
        f'  <rect width="{width}" height="{height}" rx="10" fill="#0d1117"/>\n{rows}\n</svg>\n'
    )


def row(text: str, number: int) -> str:
    """One line of the terminal."""
    short = text if len(text) <= COLUMNS else text[: COLUMNS - 1] + "…"
    kind = "typed" if text.startswith("$ ") else "good" if re.search("✔|: done", text) else ""
    kept = escape(short).replace(" ", "\u00a0")
    return f'  <text class="{kind}" x="{MARGIN}" y="{MARGIN + number * LINE - 5}">{kept}</text>'


if __name__ == "__main__":
    main()
