"""One bash that stays: `cd`, `export` and variables last from command to command.

Used by `runner` to execute a page as one learner would, in one terminal from top to bottom. `$?`
is that of the command before, as in a terminal. Only `set -e` is not: a terminal would close at
the next failure, but here it has no effect, and every failure is reported.
"""

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from modules.page import TIMEOUT_SECONDS

# What a command that took too long has between Ctrl-C and the kill, to print what it still holds.
INTERRUPT_SECONDS = 2


class ShellError(RuntimeError):
    """The shell itself ended, or a command took too long; the message holds its output."""


class Shell:
    """A bash process; use as a context manager. Commands read no standard input.

    What runs in the background may outlive its command (a port-forward), not the shell. Every
    command writes into a file of its own, so that it never writes into the output of a later one.
    """

    def __init__(self, environment: dict[str, str] | None = None, folder: Path | None = None):
        self._files = tempfile.TemporaryDirectory(prefix="page-")
        self._commands = 0
        self._code = 0
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )

    def __enter__(self) -> "Shell":
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()
        self._files.cleanup()

    def run(self, command: str, timeout_seconds: float = TIMEOUT_SECONDS) -> tuple[str, int]:
        """Run one command. Returns: its output (both streams, as they came) and exit code.

        Raises: ShellError if the command ends the shell or does not end in time.
        """
        script, output = self._write_script(command)
        # A condition, so that `set -e` on the page does not end the shell.
        source = f"{{ (exit {self._code}); source {script}; }} </dev/null >{output} 2>&1"
        self._send(f"if {source}; then echo 0; else echo $?; fi\n")
        code = self._answer(time.monotonic() + timeout_seconds)
        if code is None:
            raise ShellError(self._reason_of_end(command, output, timeout_seconds))
        self._code = code
        return _text(output), code

    def start(self, command: str) -> Path:
        """Start a command in the background. Returns: the file that it writes to.

        Raises: ShellError if the shell has ended.
        """
        script, output = self._write_script(command)
        self._send(f"{{ source {script}; }} </dev/null >{output} 2>&1 & echo 0\n")
        if self._answer(time.monotonic() + TIMEOUT_SECONDS) is None:
            raise ShellError(f"the shell has ended before `{command}`")
        self._code = 0
        return output

    def has_ended(self) -> bool:
        """Whether no more commands can be run."""
        return self._process.poll() is not None

    def _write_script(self, command: str) -> tuple[Path, Path]:
        """Write the command to a file, so that no quotes need an escape of ours.

        Returns: that file, and the one for its output, which is there and empty.
        """
        self._commands += 1
        script = Path(self._files.name, f"command-{self._commands}")
        output = Path(self._files.name, f"output-{self._commands}")
        script.write_text(command + "\n")
        output.touch()
        return script, output

    def _send(self, text: str) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(text.encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ShellError("the shell has ended before this command") from None

    def _answer(self, deadline: float) -> int | None:
        """The exit code that bash prints, or None if it ended or the deadline passed."""
        assert self._process.stdout
        answer, stream = b"", self._process.stdout.fileno()
        while not answer.endswith(b"\n"):
            if not select.select([stream], [], [], max(0, deadline - time.monotonic()))[0]:
                return None
            piece = os.read(stream, 100)
            if not piece:
                self._process.wait()
                return None
            answer += piece
        return int(answer)

    def _reason_of_end(self, command: str, output: Path, timeout_seconds: float) -> str:
        """End the shell, and say why with all that the command has printed."""
        reason = "ended the shell"
        if self._process.poll() is None:
            reason = f"took more than {timeout_seconds:g} s"
            self._signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(INTERRUPT_SECONDS)
        self._kill()
        return f"`{command}` {reason}; its output:\n{_text(output)}"

    def _kill(self) -> None:
        """End the shell and everything that it started."""
        self._signal(signal.SIGKILL)
        self._process.communicate()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def _text(output: Path) -> str:
    return output.read_text(errors="replace")
