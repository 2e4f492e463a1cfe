"""The HTTP server of /metrics and /healthz."""

from collections.abc import Callable

import prometheus_client as prometheus
from aiohttp import web


async def serve(
    port: int,
    registry: prometheus.CollectorRegistry,
    problems: Callable[[], list[str]],
    warnings: Callable[[], list[str]] = list,
) -> web.AppRunner:
    """Answer GET /metrics and /healthz (503 with sentences when something is stuck)."""

    async def numbers(_: web.Request) -> web.Response:
        headers = {"Content-Type": prometheus.CONTENT_TYPE_LATEST}
        return web.Response(body=prometheus.generate_latest(registry), headers=headers)

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
