"""Requests over HTTPS: aiohttp and orjson, with the official client's way to find the cluster.

The official client's own calls cost twice the CPU and memory of raw JSON (bench/README.md), so only
its configuration (in-cluster token that is renewed, kubeconfig, certificates) is used. ``__main__``
makes one HttpTransport.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from kubernetes.aio import config as kube_config
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from .kube import ApiError, Request, Response
from .spec import Json

HEADERS = {"User-Agent": "tf-job-operator", "Accept": "application/json"}
REQUEST_SECONDS = 30
SILENCE_SECONDS = 120  # a watch sends at least a bookmark a minute


class HttpTransport:
    """``kube.Transport`` for a real API server. Use as an async context manager."""

    def __init__(self, settings: Configuration) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> "HttpTransport":
        tls = RESTClientObject(self._settings).ssl_context
        connector = aiohttp.TCPConnector(limit=0, ssl=tls)
        self._session = aiohttp.ClientSession(connector=connector, headers=HEADERS)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def send(self, request: Request) -> Response:
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        try:
            async with await self._call(request, timeout) as answer:
                return await _response(answer)
        except aiohttp.ClientError as error:
            raise ConnectionError(str(error)) from error

    async def stream(self, request: Request) -> AsyncIterator[Json]:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=SILENCE_SECONDS)
        try:
            async with await self._call(request, timeout) as answer:
                if answer.status != 200:
                    raise ApiError(await _response(answer))
                async for line in _lines(answer.content):
                    yield orjson.loads(line)
        except (aiohttp.ClientError, orjson.JSONDecodeError) as error:
            raise ConnectionError(str(error)) from error

    async def _call(self, request: Request, timeout: aiohttp.ClientTimeout) -> Any:
        headers = {"Content-Type": request.content_type}
        token = await self._settings.get_api_key_with_prefix("BearerToken")
        if token:
            headers["Authorization"] = token
        return self._session.request(
            request.method,
            self._settings.host + request.path,
            params=dict(request.query),
            data=None if request.body is None else orjson.dumps(request.body),
            headers=headers,
            timeout=timeout,
        )


async def load_settings(kubeconfig: str | None) -> Configuration:
    """Find the cluster: a kubeconfig if one is named, else the Pod's service account.

    Raises: kubernetes.aio.config.ConfigException with a sentence.
    """
    settings = Configuration()
    if kubeconfig is None:
        kube_config.load_incluster_config(settings)
    else:
        path = str(Path(kubeconfig).expanduser())
        await kube_config.load_kube_config(path, client_configuration=settings)
    return settings


async def _response(answer: aiohttp.ClientResponse) -> Response:
    raw = await answer.read()
    try:
        body = orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError:
        body = {"message": raw[:200].decode("utf-8", "replace")}
    return Response(answer.status, body, answer.headers)


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Lines of any length (aiohttp's own iterator ends at 64 KiB)."""
    tail = b""
    async for chunk in content.iter_any():
        *lines, tail = (tail + chunk).split(b"\n")
        for line in lines:
            if line:
                yield line
        await asyncio.sleep(0)
