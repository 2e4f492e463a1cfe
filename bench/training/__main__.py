"""Measure the sample image's program, and TensorFlow's quick-start beside it.

    python -m bench.training [STEPS]

Prints a Markdown table. Every row is a process of its own; give it the machine alone.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
ACCURACY = re.compile(r"test accuracy (\d\.\d+)")


def main(steps: list[str]) -> None:
    """Run the three processes and print their figures."""
    seconds, accuracy = whole_program(steps)
    program, quick_start = figures("program", *steps), figures("quick_start")
    print(f"On {os.cpu_count()} cores, from the start of the process to the saved model:\n")
    print("| program | seconds | test accuracy |\n| --- | --- | --- |")
    print(f"| python -m fashion_mnist.train | {seconds:.1f} | {accuracy:.4f} |")
    print(
        f"| TensorFlow's quick-start | {quick_start['seconds']:.1f}"
        f" | {quick_start['accuracy']:.4f} |"
    )
    print(f"\n{shares(program)}")


def whole_program(steps: list[str]) -> tuple[float, float]:
    """Run the program as a user does. Returns: seconds and the accuracy that it says."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--save-dir", folder, *(["--max-steps", *steps] if steps else [])]
        before = time.perf_counter()
        output = run("-m", "fashion_mnist.train", *options)
        seconds = time.perf_counter() - before
    return seconds, float(ACCURACY.findall(output)[-1])


def figures(module: str, *arguments: str) -> dict:
    return json.loads(run("-m", f"bench.training.{module}", *arguments).splitlines()[-1])


def run(*arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": f"{CHECKOUT}:{CHECKOUT / 'sample-image'}"}
    environment.pop("TF_CONFIG", None)
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def shares(program: dict) -> str:
    """A table of where the time goes; input and summaries are parts of the steps."""
    parts = program["parts"]
    total = sum(parts.values())
    rows = [*parts.items(), ("of the steps: input", program["input"])]
    rows.append(("of the steps: TensorBoard", program["summaries"]))
    lines = [f"| {name} | {seconds:.1f} | {seconds / total:.1%} |" for name, seconds in rows]
    return "\n".join(["| part | seconds | share |", "| --- | --- | --- |", *lines])


if __name__ == "__main__":
    main(sys.argv[1:])
