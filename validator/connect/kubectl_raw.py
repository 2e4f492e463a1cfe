"""The slow way to the API server: ``kubectl get --raw``, for what only kubectl can do.

Those are old login plugins, SOCKS proxies and encrypted keys. A request is a
process of its own. ``--raw`` sends no Accept header, so a list that was to
hold metadata alone is stripped here, before anybody sees it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import datetime
from typing import IO

from validator.connect.answer import Answer, Ask
from validator.connect.connection import Connection, NoCluster
from validator.connect.stream import Stream

PROCESSES = 4
READ_BYTES = 256 * 1024
MOST_ERROR_BYTES = 64 * 1024
TIMEOUT_SECONDS = 10
# The annotation in which kubectl keeps the whole object.
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

STATUS_OF_REASON = {
    "BadRequest": 400,
    "Unauthorized": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "NotAcceptable": 406,
    "Gone": 410,
    "Expired": 410,
    "TooManyRequests": 429,
    "InternalError": 500,
    "ServiceUnavailable": 503,
    "Timeout": 504,
}
_REFUSAL = re.compile(r"^Error from server(?: \((\w+)\))?: (.*)", re.MULTILINE | re.DOTALL)
_UNAUTHORIZED = re.compile(r"^error: You must be logged in to the server.*", re.MULTILINE)


class KubectlTransport:
    """Answers by kubectl, as it reaches the cluster itself."""

    server_time: datetime | None = None  # kubectl does not tell

    def __init__(self, connection: Connection) -> None:
        """Raises: NoCluster if there is no kubectl."""
        self.kubectl = shutil.which("kubectl") or ""
        if not self.kubectl:
            raise NoCluster(
                f"only kubectl can reach this cluster ({connection.by_kubectl}), "
                "and kubectl is not installed or not on PATH",
                "install kubectl, so that `kubectl get pods` works",
            )
        self.environment = {**os.environ, "KUBECONFIG": connection.files}
        self.context = connection.context

    def fetch(self, asks: Sequence[Ask]) -> list[Answer]:
        """Answers in order; a few processes at a time."""
        answers: list[Answer] = []
        for start in range(0, len(asks), PROCESSES):
            group = asks[start : start + PROCESSES]
            processes = [_Process(self._command(ask.path), self.environment) for ask in group]
            try:
                answers += map(_answer, group, processes)
            finally:
                for process in processes:
                    process.stop()
        return answers

    def stream(self, path: str, accept: str) -> Stream:
        """kubectl has no way to say what it accepts: the reader keeps metadata alone."""
        return KubectlStream(_Process(self._command(path, "0"), self.environment))

    def close(self) -> None:
        """Nothing is kept."""

    def _command(self, path: str, timeout: str = f"{TIMEOUT_SECONDS}s") -> list[str]:
        options = [f"--context={self.context}", f"--request-timeout={timeout}"]
        return [self.kubectl, "get", f"--raw={path}", *options]


class _Process:
    """One kubectl. Its errors go to a file, so that it never waits for us to read them."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.started = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=self.errors
        )

    @property
    def output(self) -> IO[bytes]:
        assert self.started.stdout is not None
        return self.started.stdout

    def refusal(self) -> tuple[int, str]:
        """(status, message) of an ended process; (0, ...) if there was no answer."""
        self.errors.seek(0)
        text = self.errors.read(MOST_ERROR_BYTES).decode("utf-8", "replace").strip()
        if _UNAUTHORIZED.search(text):
            return 401, "Unauthorized"
        match = _REFUSAL.search(text)
        if match:
            return STATUS_OF_REASON.get(match[1] or "", 500), match[2].strip()
        last = text.splitlines()[-1] if text else "it says nothing"
        return 0, f"kubectl failed: {last.removeprefix('error: ')}"

    def stop(self) -> None:
        if self.started.poll() is None:
            self.started.kill()
        self.started.wait()
        self.output.close()
        self.errors.close()


def _answer(ask: Ask, process: _Process) -> Answer:
    """Wait for a process, or read as much as is wanted and stop it."""
    if "%2f" in ask.path.lower():
        return Answer(0, message="kubectl cannot ask for a name with a slash in it")
    body = process.output.read(ask.most_bytes + 1 if ask.most_bytes else -1)
    if ask.most_bytes and len(body) > ask.most_bytes:
        return _own_part(ask, Answer(200, body[: ask.most_bytes], cut=True))
    if process.started.wait() == 0:
        return _own_part(ask, Answer(200, body))
    status, message = process.refusal()
    return Answer(status, body, message, is_status=status != 0)


def _own_part(ask: Ask, answer: Answer) -> Answer:
    """The answer as it would be with the Accept header: of metadata alone, where that is asked."""
    if "PartialObjectMetadata" not in ask.accept:
        return answer
    try:
        whole = json.loads(answer.body)
        is_list = "PartialObjectMetadataList" in ask.accept
        part = {"items": [_metadata(i) for i in whole["items"]]} if is_list else _metadata(whole)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Answer(0, message="the answer is not what was asked: is this an API server?")
    return answer._replace(body=json.dumps(part).encode())


def _metadata(item: dict[str, object]) -> dict[str, object]:
    metadata = item.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("annotations"), dict):
        metadata["annotations"].pop(LAST_APPLIED, None)
    return {"metadata": metadata}


class KubectlStream(Stream):
    """A watch or a log that a kubectl process follows."""

    def __init__(self, process: _Process) -> None:
        super().__init__()
        self._process = process
        os.set_blocking(process.output.fileno(), False)

    def fileno(self) -> int:
        return -1 if self.ended else self._process.output.fileno()

    def close(self) -> None:
        super().close()
        self._process.stop()

    def _arrived(self) -> bytes:
        try:
            data = os.read(self._process.output.fileno(), READ_BYTES)
        except BlockingIOError:
            return b""
        if data:
            self.status = 200
            return data
        if self._process.started.wait() == 0:
            self.status = 200
            self.end()
        else:
            self.status, message = self._process.refusal()
            self.end(message)
        return b""
