"""python -m bench.operator.clients: what the choice of a client library costs.

Each library does the operator's two chores against the same API server in a process of its own:
create Services with 20 in flight, then list all of them. lightkube is not among the workshop's
requirements: `pip install lightkube` before.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.operator.control_plane import ControlPlane, binaries, exit_on_sigterm
from bench.operator.ours import CHECKOUT

COUNT, IN_FLIGHT, LISTS = 1000, 20, 5


def body(name: str) -> dict:
    spec = {"clusterIP": "None", "selector": {"name": name}, "ports": [{"port": 2222}]}
    meta = {"name": name, "namespace": "default", "labels": {"bench": "clients"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def official(kubeconfig: str, names: list[str]) -> float:
    """The official client: typed objects, threads."""
    from kubernetes import client, config

    config.load_kube_config(kubeconfig)
    settings = client.Configuration.get_default_copy()
    settings.connection_pool_maxsize = IN_FLIGHT
    api = client.CoreV1Api(client.ApiClient(settings))
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        list(pool.map(lambda name: api.create_namespaced_service("default", body(name)), names))
    created = time.monotonic()
    for _ in range(LISTS):
        api.list_service_for_all_namespaces()
    return created


def ours(kubeconfig: str, names: list[str]) -> float:
    """The operator's transport: the official client's configuration, aiohttp and raw JSON."""
    sys.path.insert(0, str(CHECKOUT / "operator"))
    from tfjob_operator.kube import SERVICES, Kube, Request
    from tfjob_operator.transport import HttpTransport, load_settings

    async def work() -> float:
        async with HttpTransport(await load_settings(kubeconfig)) as transport:
            kube = Kube(transport, IN_FLIGHT)
            await asyncio.gather(*(kube.create(SERVICES, body(name)) for name in names))
            created = time.monotonic()
            for _ in range(LISTS):
                await kube.send(Request("GET", SERVICES.path()))
            return created

    return asyncio.run(work())


def lightkube(kubeconfig: str, names: list[str]) -> float:
    """lightkube: typed dataclasses over httpx."""
    from lightkube import AsyncClient, KubeConfig
    from lightkube.resources.core_v1 import Service

    async def work() -> float:
        client, gate = AsyncClient(KubeConfig.from_file(kubeconfig)), asyncio.Semaphore(IN_FLIGHT)

        async def create(name: str) -> None:
            async with gate:
                await client.create(Service.from_dict(body(name)))

        await asyncio.gather(*(create(name) for name in names))
        created = time.monotonic()
        for _ in range(LISTS):
            async for _service in client.list(Service, namespace="*"):
                pass
        return created

    return asyncio.run(work())


CLIENTS = {"official": official, "ours": ours, "lightkube": lightkube}


def one(name: str, kubeconfig: str) -> None:
    """Work as one client, and print what it took as JSON."""
    names, start = [f"{name}-{i:04d}" for i in range(COUNT)], time.monotonic()
    created = CLIENTS[name](kubeconfig, names)
    end, usage = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "client": name,
                "create_seconds": round(created - start, 2),
                "list_seconds": round((end - created) / LISTS, 3),
                "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
                "rss_mb": usage.ru_maxrss // 1024,
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.operator.clients", description=__doc__)
    parser.add_argument("--bin", help="folder of the programs (default: the workshop's own)")
    parser.add_argument("--client", choices=CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--kubeconfig", help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.client:
        return one(flags.client, flags.kubeconfig)
    exit_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="tfjob-bench-") as base:
        for name in CLIENTS:
            with ControlPlane(binaries(flags.bin), Path(base) / name, nodes=0) as plane:
                me = [sys.executable, "-m", "bench.operator.clients", "--client", name]
                kubeconfig = str(plane.kubeconfig("admin"))
                subprocess.run([*me, "--kubeconfig", kubeconfig], check=False, cwd=CHECKOUT)
    return None


if __name__ == "__main__":
    main()
