"""python -m bench.operator.clients: what the choice of a client library costs.

Each library does the operator's two chores at once, in a process and against an API server of its
own: create Services with 20 in flight, and keep a cache of all of them by a watch, until it has
the last. lightkube is not among the workshop's requirements: `pip install lightkube` before.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sized
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.operator.control_plane import ControlPlane, binaries, exit_on_sigterm
from bench.operator.ours import CHECKOUT

COUNT, IN_FLIGHT, MARK = 2000, 20, {"bench": "clients"}
SELECTOR = "bench=clients"


def body(name: str) -> dict:
    spec = {"clusterIP": "None", "selector": {"name": name}, "ports": [{"port": 2222}]}
    meta = {"name": name, "namespace": "default", "labels": MARK}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def official(kubeconfig: str, names: list[str]) -> float:
    """The official client and its informer: typed objects, threads."""
    from kubernetes import client, config
    from kubernetes.informer import SharedInformer

    config.load_kube_config(kubeconfig)
    settings = client.Configuration.get_default_copy()
    settings.connection_pool_maxsize = IN_FLIGHT + 1
    api = client.CoreV1Api(client.ApiClient(settings))
    informer = SharedInformer(api.list_service_for_all_namespaces, label_selector=SELECTOR)
    informer.start()
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        list(pool.map(lambda name: api.create_namespaced_service("default", body(name)), names))
    created = time.monotonic()
    while len(informer.cache.list_keys()) < COUNT:
        time.sleep(0.01)
    return created


def official_aio(kubeconfig: str, names: list[str]) -> float:
    """The official client's asyncio variant, its answers read as raw JSON."""
    import orjson
    from kubernetes.aio import client, config

    async def work() -> float:
        settings, cache = client.Configuration(), {}
        settings.connection_pool_maxsize = IN_FLIGHT + 1
        await config.load_kube_config(kubeconfig, client_configuration=settings)
        async with client.ApiClient(settings) as connection:
            api = client.CoreV1Api(connection)

            async def create(name: str) -> None:
                answer = await api.create_namespaced_service_without_preload_content(
                    "default", body(name)
                )
                orjson.loads(await answer.read())

            async def follow() -> None:
                answer = await api.list_service_for_all_namespaces_without_preload_content(
                    label_selector=SELECTOR, watch=True
                )
                async for line in answer.content:
                    obj = orjson.loads(line)["object"]
                    cache[obj["metadata"]["uid"]] = obj

            return await both(create, follow, cache, names)

    return asyncio.run(work())


def ours(kubeconfig: str, names: list[str]) -> float:
    """The operator's own: the official client's session, uvloop, raw JSON, small views."""
    sys.path.insert(0, str(CHECKOUT / "operator"))
    import uvloop

    from kube_runtime.index import Index
    from kube_runtime.kube import SERVICES, Kube
    from kube_runtime.reflector import Reflector
    from kube_runtime.transport import HttpTransport, load_settings

    async def work() -> float:
        async with HttpTransport(await load_settings(kubeconfig)) as transport:
            kube = Kube(transport, IN_FLIGHT)
            index = Index(
                lambda obj: obj["metadata"]["name"],
                lambda obj: obj["metadata"]["uid"],
                lambda *_: None,
            )
            reflector = Reflector(kube, "", SERVICES, {"labelSelector": SELECTOR}, index)
            cache = index._by_owner
            return await both(
                lambda name: kube.create(SERVICES, body(name)), reflector.run, cache, names
            )

    return uvloop.run(work())


def lightkube(kubeconfig: str, names: list[str]) -> float:
    """lightkube: typed dataclasses over httpx."""
    from lightkube import AsyncClient, KubeConfig
    from lightkube.resources.core_v1 import Service

    async def work() -> float:
        client, cache = AsyncClient(KubeConfig.from_file(kubeconfig)), {}

        async def follow() -> None:
            async for _, service in client.watch(Service, namespace="*", labels=MARK):
                cache[service.metadata.uid] = service

        return await both(
            lambda name: client.create(Service.from_dict(body(name))), follow, cache, names
        )

    return asyncio.run(work())


async def both(create: Any, follow: Any, cache: Sized, names: list[str]) -> float:
    """Create all while the cache follows; gives the time when all were created."""
    gate, watch = asyncio.Semaphore(IN_FLIGHT), asyncio.create_task(follow())

    async def one_of(name: str) -> None:
        async with gate:
            await create(name)

    await asyncio.gather(*(one_of(name) for name in names))
    created = time.monotonic()
    while len(cache) < COUNT:
        await asyncio.sleep(0.01)
    watch.cancel()
    return created


CLIENTS = {
    "official": official,
    "official-aio": official_aio,
    "ours": ours,
    "lightkube": lightkube,
}


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
                "cache_behind_seconds": round(end - created, 2),
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
