"""Counters for Prometheus, and the one port that serves them beside /healthz.

``carry_out`` and the controller count; ``__main__`` serves.
"""

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from . import status

BUCKETS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0)


class Metrics:
    """Numbers since the process began."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.created = Counter("tfjob_created", "Got their children", registry=registry)
        self.succeeded = Counter("tfjob_succeeded", "Succeeded", registry=registry)
        self.failed = Counter("tfjob_failed", "Failed for good", registry=registry)
        self.restarted = Counter("tfjob_restarted", "Ran a replica again", registry=registry)
        about = "Seconds of one pass over one TfJob"
        self.duration = Histogram(
            "tfjob_reconcile_duration_seconds", about, buckets=BUCKETS, registry=registry
        )
        self.depth = Gauge("tfjob_queue_depth", "TfJobs that wait for a pass", registry=registry)
        self._by_reason = dict.fromkeys(status.FAILURES, self.failed)
        self._by_reason |= {status.SUCCEEDED: self.succeeded, status.RESTARTING: self.restarted}

    def count(self, reason: str) -> None:
        """Count a condition's reason that a status tells for the first time."""
        if reason in self._by_reason:
            self._by_reason[reason].inc()


async def serve(port: int, metrics: Metrics, problems: Callable[[], list[str]]) -> web.AppRunner:
    """Answer GET /metrics and /healthz (503 with sentences when something is stuck)."""

    async def numbers(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), content_type="text/plain")

    async def health(_: web.Request) -> web.Response:
        stuck = problems()
        return web.Response(text="\n".join(stuck or ["ok"]) + "\n", status=503 if stuck else 200)

    app = web.Application()
    app.add_routes([web.get("/metrics", numbers), web.get("/healthz", health)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner
