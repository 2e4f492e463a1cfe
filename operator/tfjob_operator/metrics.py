"""Counters for Prometheus, and the one port that serves them beside /healthz.

Written by hand, since a metrics library and a web framework would double the operator's memory.
The controller counts; ``__main__`` serves.
"""

import asyncio
from collections.abc import Callable

from . import status
from .spec import Json

BUCKETS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, float("inf"))
HELP = {
    "created": "TfJobs that got their children",
    "succeeded": "TfJobs that succeeded",
    "failed": "TfJobs that failed",
    "restarted": "TfJobs that began to run a replica again",
}


class Metrics:
    """Numbers since the process began."""

    def __init__(self) -> None:
        self.totals = dict.fromkeys(HELP, 0)
        self._buckets = dict.fromkeys(BUCKETS, 0)
        self._seconds, self._depth = 0.0, 0

    def count(self, name: str) -> None:
        self.totals[name] += 1

    def count_transition(self, old: Json, new: Json) -> None:
        """Count what a status write says for the first time."""
        for kind, name in (
            ("Succeeded", "succeeded"),
            ("Failed", "failed"),
            ("Restarting", "restarted"),
        ):
            was, is_ = (status.condition(s, kind).get("status") == "True" for s in (old, new))
            if is_ and not was:
                self.count(name)

    def observe_pass(self, seconds: float, depth: int) -> None:
        """One reconcile took so long and left so many keys in the queue."""
        self._seconds += seconds
        self._depth = depth
        bucket = next(bound for bound in BUCKETS if seconds <= bound)
        self._buckets[bucket] += 1

    def text(self) -> str:
        """The Prometheus text format."""
        lines = []
        for name, value in self.totals.items():
            metric = f"tfjob_{name}_total"
            lines += [f"# HELP {metric} {HELP[name]}", f"# TYPE {metric} counter"]
            lines.append(f"{metric} {value}")
        metric, passes = "tfjob_reconcile_duration_seconds", 0
        lines += [f"# HELP {metric} One pass over one TfJob", f"# TYPE {metric} histogram"]
        for bound, number in self._buckets.items():
            passes += number
            label = "+Inf" if bound == float("inf") else f"{bound}"
            lines.append(f'{metric}_bucket{{le="{label}"}} {passes}')
        lines += [f"{metric}_sum {self._seconds:.6f}", f"{metric}_count {passes}"]
        metric = "tfjob_queue_depth"
        lines += [f"# HELP {metric} TfJobs that wait for a pass", f"# TYPE {metric} gauge"]
        return "\n".join([*lines, f"{metric} {self._depth}", ""])


async def serve(port: int, metrics: Metrics, problems: Callable[[], list[str]]) -> asyncio.Server:
    """Answer GET /metrics and /healthz (503 with sentences when something is stuck)."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                path = (await reader.readline()).split()[1].decode("latin1")
                writer.write(_page(path, metrics, problems()))
                await writer.drain()
        except (OSError, ValueError, IndexError):
            pass  # the asker has gone, or spoke no HTTP
        finally:
            writer.close()

    return await asyncio.start_server(answer, port=port)


def _page(path: str, metrics: Metrics, problems: list[str]) -> bytes:
    code, body = "404 Not Found", "not found\n"
    if path == "/metrics":
        code, body = "200 OK", metrics.text()
    elif path == "/healthz":
        code = "503 Service Unavailable" if problems else "200 OK"
        body = "\n".join(problems or ["ok"]) + "\n"
    head = f"HTTP/1.1 {code}\r\nContent-Type: text/plain; version=0.0.4\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
