"""Runs programs whose output is read while they run, and can end all of them at once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_running: set[subprocess.Popen[str]] = set()
LAST_LINES = 12


class FailedError(Exception):
    """A program that failed; the text is the end of what it wrote."""


def lines(
    command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> Iterator[str]:
    """The lines that a program writes, as it writes them.

    A program whose reader is gone ends at its next line, so a killed caller leaves none behind.
    Raises: FailedError if it fails.
    """
    last: list[str] = []
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as program:
        _running.add(program)
        assert program.stdout is not None
        for line in program.stdout:
            last = [*last[1 - LAST_LINES :], line]
            yield line.rstrip("\n")
    _running.discard(program)
    if program.returncode:
        raise FailedError("".join(last).strip())


def stop_all() -> None:
    """End the programs that run, in whichever thread they were started."""
    for program in list(_running):
        program.terminate()
