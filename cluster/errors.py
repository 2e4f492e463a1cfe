"""The one exception that a user reads, and the one place where it is printed."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator


class CannotGoOn(Exception):
    """What cannot be done, why not, and what to do about it.

    `why` may be the words of a program that failed, also on several lines.
    """

    def __init__(self, what: str, why: str = "", fix: str = "") -> None:
        super().__init__(what, why, fix)
        self.what, self.why, self.fix = what, why.strip(), fix

    def __str__(self) -> str:
        short, long = (self.why, "") if "\n" not in self.why else ("", f":\n{self.why}")
        sentence = f"{self.what}: {short}" if short else self.what
        return (f"{sentence}; {self.fix}" if self.fix else sentence) + long


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Run a command of the user's: what stops it becomes one sentence and exit code 1."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A path may hold letters that this terminal has not; ASCII does not even have "…".
        sys.stdout.reconfigure(errors="replace")
    try:
        yield
        sys.stdout.flush()
    except CannotGoOn as error:
        sys.exit(f"Cannot go on: {error}")
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or f"exit {error.returncode}").strip()
        sys.exit(f"Cannot go on: `{' '.join(map(str, error.cmd))}` failed: {said}")
    except BrokenPipeError:
        _forget_output()
        sys.exit(141)  # as a program that SIGPIPE ends: whoever read has seen enough
    except OSError as error:
        sys.exit(f"Cannot go on: {describe(error)}")
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; the same command goes on from here.")


def describe(error: OSError) -> str:
    """An error of the system as a sentence, with the fix where there is one for all."""
    where = f": {error.filename}" if error.filename else ""
    text = f"{(error.strerror or str(error)).lower()}{where}"
    return f"{text}; free some space" if error.errno == 28 else text


def _forget_output() -> None:
    """Python flushes standard output at its end, and would complain again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
