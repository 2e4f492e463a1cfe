"""The virtual environment of the checkout, and its pinned packages.

`make` calls it with the system's Python, so it needs the standard library alone:

    python3 -m cluster.workshop.venv
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from cluster import files, paths
from cluster.errors import CannotGoOn, explained
from cluster.host import commands, progress
from cluster.host.locks import locked
from cluster.host.machine import VENV

REQUIREMENTS = paths.CHECKOUT / "requirements.txt"
READY = VENV / ".ready"
SCRATCH = VENV / "tmp"


def is_ready() -> bool:
    """Whether all packages are there, for the Python that asks and the pins as they are now."""
    try:
        return READY.read_text() == sys.version and (
            READY.stat().st_mtime >= REQUIREMENTS.stat().st_mtime
        )
    except OSError:
        return False


def ensure(report: Callable[[str], None] | None = None) -> None:
    """Make .venv and install requirements.txt into it; continues where it was interrupted.

    Raises: CannotGoOn with pip's words.
    """
    if is_ready():
        return
    with progress.line("Python packages", report) as say:
        lock = paths.STATE / "venv.lock"
        with locked(lock, lambda: say("waiting for another make")):
            if not is_ready():
                _make(say)


def _make(say: Callable[[str], None]) -> None:
    python = VENV / "bin" / "python"
    if not _fits(python):
        say("making .venv")
        shutil.rmtree(VENV, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(VENV)], "making the virtual environment .venv")
    install(python, REQUIREMENTS, SCRATCH, say)
    kernel = [str(python), "-m", "bash_kernel.install", "--sys-prefix"]
    run(kernel, "making the notebooks' bash kernel")
    files.write(READY, sys.version)


def _fits(python: Path) -> bool:
    """Whether .venv is of this Python; a distribution may have replaced the one it was made of."""
    probe = [str(python), "-c", "import pip, sys; print(sys.version.replace(chr(10), ' '))"]
    try:
        return list(commands.lines(probe))[-1:] == [sys.version.replace("\n", " ")]
    except (OSError, commands.FailedError):
        return False


def install(python: Path, requirements: Path, scratch: Path, say: Callable[[str], None]) -> None:
    """pip install, shown as a count of packages instead of pip's own page of text.

    `scratch` is where pip keeps all that it downloads until it unpacks it: /tmp may be too small.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "TMPDIR": str(scratch)}
    total = sum(1 for line in requirements.read_text().splitlines() if line[:1].isalnum())
    seen = 0
    say(f"0 of about {total}")
    command = [str(python), "-m", "pip", "install", "--requirement", str(requirements)]
    try:
        for line in commands.lines(command, environment):
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                seen += 1
                say(f"{seen} of about {total}")
            elif line.startswith("Installing collected packages"):
                say("unpacking, usually a minute")
    except commands.FailedError as error:
        said = str(error).splitlines()
        why = "\n".join([line for line in said if line.startswith("ERROR")] or said[-3:])
        fix = "is there a network? PIP_INDEX_URL and HTTPS_PROXY tell pip of a firm's own"
        raise CannotGoOn("pip could not install requirements.txt", why, fix) from None
    shutil.rmtree(scratch)


def run(command: list[str], what: str) -> None:
    try:
        list(commands.lines(command))
    except commands.FailedError as error:
        raise CannotGoOn(f"{what} failed", str(error)) from None


if __name__ == "__main__":
    with explained():
        ensure()
