"""The operator as a measured process: its memory, and the requests it made."""

import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from bench.operator.control_plane import OPERATOR_USER, ControlPlane
from bench.operator.subject import Subject

AUDIT_FLUSH_SECONDS = 2.5


class OperatorProcess:
    """A subject's process against one control plane; a context manager."""

    def __init__(self, plane: ControlPlane, subject: Subject, tuned: bool = True):
        self.plane, self.subject, self.tuned = plane, subject, tuned
        self.audit_offset = plane.audit_log.stat().st_size if plane.audit_log.exists() else 0

    def __enter__(self) -> "OperatorProcess":
        command = self.subject.command(self.plane, self.tuned)
        with (self.plane.folder / "log" / "operator.log").open("ab") as log:
            self.started = time.monotonic()
            self.process = subprocess.Popen(
                command.arguments, stdout=log, stderr=log, env=command.environment
            )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Until it works, by its own log."""
        log, end = self.plane.folder / "log" / "operator.log", time.monotonic() + seconds
        while self.subject.ready_line not in log.read_text():
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"the operator did not start: see {log}")
            time.sleep(0.05)

    def peak_rss_mb(self) -> float:
        """The most memory that it ever held, in MiB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        peak = next(line for line in lines if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 1024

    def requests(self) -> Counter[str]:
        """ "verb resource" → how often, since the start."""
        counts: Counter[str] = Counter()
        for event in self._audited():
            where = event.get("objectRef") or {}
            parts = [where.get("resource", ""), where.get("subresource", "")]
            counts[f"{event['verb']} {'/'.join(filter(None, parts))}"] += 1
        return counts

    def refused(self) -> int:
        """Requests that the API server has refused with 403, since the start."""
        codes = ((event.get("responseStatus") or {}).get("code") for event in self._audited())
        return sum(code == 403 for code in codes)

    def _audited(self) -> list[dict[str, Any]]:
        """The operator's requests in the API server's audit log, since the start."""
        time.sleep(AUDIT_FLUSH_SECONDS)
        with self.plane.audit_log.open("rb") as log:
            log.seek(self.audit_offset)
            return [orjson.loads(line) for line in log]


def grant_everything(plane: ControlPlane) -> None:
    """The benchmark is about speed; what rights the operator needs, tests/ prove."""
    binding = {
        "metadata": {"name": "bench-operator"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "cluster-admin",
        },
        "subjects": [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": OPERATOR_USER}
        ],
    }
    plane.request("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
