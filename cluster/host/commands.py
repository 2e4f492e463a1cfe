"""Runs programs: those that answer at once, and those whose output is read while they run."""

from __future__ import annotations

import ctypes
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_running: set[subprocess.Popen[str]] = set()
LAST_LINES = 12
END_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_libc = ctypes.CDLL(None)


class FailedError(Exception):
    """A program that failed; the text is the end of what it wrote."""


def output_of(command: Sequence[str], seconds: float) -> str | None:
    """What a program writes to its standard output; None if it fails or takes too long."""
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=seconds, text=True, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def succeeds(command: Sequence[str], seconds: float) -> bool:
    return output_of(command, seconds) is not None


def lines(
    command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> Iterator[str]:
    """The lines that a program writes, as it writes them.

    The program ends with the thread that started it, so a killed caller leaves none behind.
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
        preexec_fn=_end_with_caller,
    ) as program:
        _running.add(program)
        assert program.stdout is not None
        for line in program.stdout:
            last = [*last[1 - LAST_LINES :], line]
            yield line.rstrip("\n")
    _running.discard(program)
    if program.returncode:
        raise FailedError("".join(last).strip())


def _end_with_caller() -> None:
    _libc.prctl(END_WITH_PARENT, signal.SIGKILL)


def last_line(text: str) -> str:
    """The last line of what a program wrote: mostly the reason why it failed."""
    return (text.strip().splitlines() or ["it ended without a word"])[-1]


def stop_all() -> None:
    """End the programs that run, in whichever thread they were started."""
    for program in list(_running):
        program.terminate()
