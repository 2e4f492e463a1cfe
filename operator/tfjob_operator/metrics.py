"""Prometheus metrics, and the HTTP server of /metrics and /healthz.

``apply`` and the controller count; ``__main__`` starts the server.
"""

from collections.abc import Callable

import prometheus_client as prometheus
from aiohttp import web

from . import conditions

BUCKETS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0)


class Metrics:
    """All metrics; they count from the start of the process."""

    def __init__(self) -> None:
        # No …_created series: the creation time of each counter, which nobody reads.
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = prometheus.CollectorRegistry()

        def counter(name: str, about: str) -> prometheus.Counter:
            return prometheus.Counter(f"tfjob_{name}", about, registry=self.registry)

        self._by_reason = {
            conditions.SUCCESSFUL_CREATE: counter("created", "TfJobs that got their children"),
            conditions.SUCCEEDED: counter("succeeded", "TfJobs that succeeded"),
        }
        failed = counter("failed", "TfJobs that failed")
        self._by_reason |= dict.fromkeys(conditions.FAILURES, failed)
        about = "Pods of TfJobs that failed or were disrupted, and are tried again"
        self.restarted = counter("restarted", about)
        self.dropped_events = counter("dropped_events", "Events that could not be sent")
        name, about = "tfjob_reconcile_duration_seconds", "One pass over one TfJob"
        self.duration = prometheus.Histogram(name, about, buckets=BUCKETS, registry=self.registry)
        about = "TfJobs that wait for a pass"
        self.depth = prometheus.Gauge("tfjob_queue_depth", about, registry=self.registry)

    def count(self, reason: str) -> None:
        """Count a condition that a status write has changed, by its reason."""
        if reason in self._by_reason:
            self._by_reason[reason].inc()


async def serve(
    port: int,
    metrics: Metrics,
    problems: Callable[[], list[str]],
    warnings: Callable[[], list[str]] = list,
) -> web.AppRunner:
    """Answer GET /metrics and /healthz (503 with sentences when something is stuck)."""

    async def numbers(_: web.Request) -> web.Response:
        headers = {"Content-Type": prometheus.CONTENT_TYPE_LATEST}
        return web.Response(body=prometheus.generate_latest(metrics.registry), headers=headers)

    async def health(_: web.Request) -> web.Response:
        stuck = problems()
        lines = [*(stuck or ["ok"]), *warnings()]
        return web.Response(text="\n".join(lines) + "\n", status=503 if stuck else 200)

    app = web.Application()
    app.add_routes([web.get("/metrics", numbers), web.get("/healthz", health)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner
