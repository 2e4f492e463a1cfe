"""A bare HTTP client for the benchmark: create with so many in flight, and raw watches.

Nothing here retries or caches, so that what it costs is the floor that the operator is compared to.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import aiohttp
import orjson

Handle = Callable[[str, dict[str, Any], float], None]
Created = Callable[[str, float], None]


def trusting(certificate: Path) -> ssl.SSLContext:
    """What trusts the certificate that an API server made for itself, with every Python."""
    tls = ssl.create_default_context(cafile=str(certificate))
    tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return tls


class Api:
    """An administrator's connection to one control plane; an async context manager."""

    def __init__(self, url: str, certificate: Path):
        self.url, self._certificate = url, certificate
        self._watches: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Api":
        tls = trusting(self._certificate)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=tls),
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"Authorization": "Bearer admin-token", "Content-Type": "application/json"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        await self._session.close()

    async def create(self, path: str, body: bytes) -> None:
        """Raises: RuntimeError with the API's answer."""
        async with self._session.post(self.url + path, data=body) as answer:
            if answer.status != 201:
                raise RuntimeError(f"{answer.status} {(await answer.text())[:300]}")

    async def create_all(
        self, items: Iterable[tuple[str, str, bytes]], created: Created, in_flight: int = 20
    ) -> float:
        """Create (name, path, body) items; ``created(name, answered at)``; gives the seconds."""
        queue, start = iter(list(items)), time.monotonic()

        async def worker() -> None:
            for name, path, body in queue:
                await self.create(path, body)
                created(name, time.monotonic())

        await asyncio.gather(*(worker() for _ in range(in_flight)))
        return time.monotonic() - start

    async def watch(self, path: str, handle: Handle) -> None:
        """Begin to call ``handle(type, object, seen at)`` for what happens from now on."""
        async with self._session.get(self.url + path, params={"limit": "1"}) as answer:
            version = orjson.loads(await answer.read())["metadata"]["resourceVersion"]
        self._watches.append(asyncio.create_task(self._follow(path, version, handle)))

    async def _follow(self, path: str, version: str, handle: Handle) -> None:
        while True:
            query = {"watch": "true", "resourceVersion": version, "timeoutSeconds": "3000"}
            async with self._session.get(self.url + path, params=query) as answer:
                tail = b""
                async for chunk in answer.content.iter_any():
                    seen = time.monotonic()
                    *lines, tail = (tail + chunk).split(b"\n")
                    for line in filter(None, lines):
                        event = orjson.loads(line)
                        if event["type"] == "ERROR":
                            raise RuntimeError(f"watch of {path}: {event['object']}")
                        version = event["object"]["metadata"]["resourceVersion"]
                        handle(event["type"], event["object"], seen)

    def check(self) -> None:
        """Raise what ended a watch: without its watches a measurement means nothing."""
        for watch in self._watches:
            if watch.done():
                watch.result()
