"""SIGTERM: Kubernetes asks a Pod to end, and kills it when its grace period is over.

`listen` splits the program in two processes. The first one only waits for the signal; the second
one does the work, says with `phase` what a SIGTERM would interrupt, and looks at `asked` where it
can save something. One process is not enough:

- The kernel drops a SIGTERM for the first process of a container that has no handler for it yet.
- Python runs a handler between two bytecodes of the main thread. Importing TensorFlow, and waiting
  inside TensorFlow for a replica that does not answer, is one bytecode, and no other thread runs.
- TensorFlow's all-reduce replaces the handler of its process with one that only takes a note.
"""

import json
import os
import select
import signal
import sys
import time
from dataclasses import asdict, dataclass

from fashion_mnist.failure import RETRYABLE

SIGNALS = {signal.SIGTERM, signal.SIGINT}
# To reach the end of a step and write a checkpoint. A Pod's grace period is 30 seconds.
SAVING_SECONDS = 20.0


@dataclass(frozen=True)
class Phase:
    """What the program is doing, as the end of the sentence "Asked to end …".

    ``saving_seconds``: how long it may go on after a SIGTERM, to save something.
    ``exit_code``: what the program returns if it does not end by itself in this time.
    ``limit_seconds``: how long the phase may last when nobody asks the program to end.
    """

    doing: str
    saving_seconds: float = 0.0
    exit_code: int = RETRYABLE
    limit_seconds: float = float("inf")


STARTING = Phase("before the training began: there is nothing to save")

_asked: int | None = None  # a pipe that the first process closes when it gets the signal
_phases: int | None = None  # a pipe on which the second process says what it is doing


def listen() -> None:
    """Go on in a second process; the first one never returns. Call it before threads start."""
    global _asked, _phases
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # for good in the second process
    asked_reader, asked_writer = os.pipe()
    phases_reader, phases_writer = os.pipe()
    if child := os.fork():
        os.close(phases_writer)
        _Guard(child, asked_writer, phases_reader).stand()
    os.close(asked_writer)
    os.close(phases_reader)
    _asked, _phases = asked_reader, phases_writer


def phase(doing: str, *options: float, **named_options: float) -> None:
    """From now on the program is ``doing`` this. The options are those of `Phase`."""
    line = json.dumps(asdict(Phase(doing, *options, **named_options))) + "\n"
    if _phases is not None:
        os.write(_phases, line.encode())


def asked() -> bool:
    """Whether this program was asked to end."""
    return _asked is not None and bool(select.select([_asked], [], [], 0)[0])


def wait() -> None:
    """Return when this program is asked to end."""
    select.select([_asked], [], [])


class _Guard:
    """The first process: ends when the second one does, or when its time is over."""

    def __init__(self, child: int, asked: int, phases: int):
        self._child, self._asked, self._phases = child, asked, phases
        self._phase, self._phase_began, self._asked_at = STARTING, time.monotonic(), None

    def stand(self) -> None:
        """Wait for the end, and exit."""
        signals, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        for each in SIGNALS:
            signal.signal(each, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        while (seconds_left := self._deadline() - time.monotonic()) > 0:
            ready, _, _ = select.select([signals, self._phases], [], [], min(seconds_left, 3600))
            if signals in ready:
                os.read(signals, 64)
                self._pass_on()
            if self._phases in ready and not self._read_phases():
                self._exit_as_the_child()
        self._kill()

    def _deadline(self) -> float:
        limit = self._phase_began + self._phase.limit_seconds
        if self._asked_at is None:
            return limit
        return min(limit, self._asked_at + self._phase.saving_seconds)

    def _pass_on(self) -> None:
        if self._asked_at is None:
            self._asked_at = time.monotonic()
            os.close(self._asked)

    def _read_phases(self) -> bool:
        """Take the newest phase. Returns: False when the second process has ended."""
        lines = os.read(self._phases, 65536).splitlines()
        if lines:
            self._phase, self._phase_began = Phase(**json.loads(lines[-1])), time.monotonic()
        return bool(lines)

    def _exit_as_the_child(self) -> None:
        code = os.waitstatus_to_exitcode(os.waitpid(self._child, 0)[1])
        os._exit(code if code >= 0 else 128 - code)

    def _kill(self) -> None:
        os.kill(self._child, signal.SIGKILL)
        os.waitpid(self._child, 0)
        limit = f"Gave up after {self._phase.limit_seconds:g} seconds"
        why = limit if self._asked_at is None else "Asked to end"
        print(f"{why} {self._phase.doing}.", file=sys.stderr, flush=True)
        os._exit(self._phase.exit_code)
