"""How the program ends badly: one sentence and the exit code that says what to do next.

The operator reads the exit code of the container: 1 to 127 is permanent (running
it again would fail again), 128 and above is retryable. `exit_code_of` turns these
exceptions into both.
"""

import os
import re
import sys
from collections.abc import Callable

PERMANENT = 1
RETRYABLE = 143  # what a shell reports of a process that SIGTERM ended
UNREAD = 141  # and of one that SIGPIPE ended


class Failure(Exception):
    """Something the user must fix: what, where, and what to do, in one sentence."""

    exit_code = PERMANENT


class Interruption(Failure):
    """Something that may well go better when the replica is started again."""

    exit_code = RETRYABLE


class Unread(Failure):
    """Nobody reads the standard output any more, as when `head` has ended: there is no sentence."""

    exit_code = UNREAD


def unwritten(error: OSError) -> Failure:
    """What ends a program that cannot write to its standard output any more."""
    # Python flushes what is left at its end, and would complain again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if isinstance(error, BrokenPipeError):
        return Unread()
    return Failure(
        f"Cannot write to the standard output: {error.strerror}; send it elsewhere, then run again."
    )


def exit_code_of(work: Callable[[], None]) -> int:
    """Do a program's work; a failure becomes its sentence. Returns: the exit code."""
    try:
        work()
    except Unread as unread:
        return unread.exit_code
    except Failure as failure:
        print(failure, file=sys.stderr, flush=True)
        return failure.exit_code
    return 0


# What TensorFlow puts before its reason: headings, and where in the program the operation is.
NO_REASON = re.compile(
    r"Graph execution error:|Detected at node|<stack traces unavailable>|File \"|"
    r"\d+ root error\(s\) found"
)
NUMBER = re.compile(r"\(\d+\) [A-Z_]+:\s*")  # before each of several reasons


def first_line(error: Exception) -> str:
    """The reason that TensorFlow, or Python, gives for an error, in one line."""
    lines = filter(None, (line.strip() for line in str(error).splitlines()))
    reasons = (NUMBER.sub("", line, count=1) for line in lines if not NO_REASON.match(line))
    return next(filter(None, reasons), type(error).__name__)
