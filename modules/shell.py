"""One bash that stays: `cd`, `export` and variables last from command to command.

Used by `runner` to execute a page as one learner would, in one terminal from top to bottom.
"""

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from pathlib import Path


class ShellError(RuntimeError):
    """The shell itself ended, or a command took too long; the message holds its output."""


class Shell:
    """A bash process; use as a context manager. Commands read no standard input.

    What runs in the background may outlive its command (a port-forward), not the shell.
    """

    def __init__(self, environment: dict[str, str] | None = None, folder: Path | None = None):
        self._files = tempfile.TemporaryDirectory(prefix="page-")
        self._command = Path(self._files.name, "command")
        self._output = Path(self._files.name, "output")
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
        self._end()
        self._files.cleanup()

    def run(self, command: str, timeout_seconds: float = 660) -> tuple[str, int]:
        """Run one command. Returns: its output (both streams, as they came) and exit code.

        Raises: ShellError if the command ends the shell or does not end in time.
        """
        # A file, so that quotes and here-documents need no escaping of ours.
        self._command.write_text(command + "\n")
        self._write(f"source {self._command} </dev/null >{self._output} 2>&1; echo $?\n")
        code = self._answer(time.monotonic() + timeout_seconds)
        output = self._output.read_text(errors="replace") if self._output.exists() else ""
        if code is None:
            alive = self._process.poll() is None
            self._end()
            reason = f"took more than {timeout_seconds:g} s" if alive else "ended the shell"
            raise ShellError(f"`{command}` {reason}; its output so far:\n{output}")
        return output, code

    def _write(self, text: str) -> None:
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

    def _end(self) -> None:
        """End the shell and everything that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
