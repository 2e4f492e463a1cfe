"""Requests over HTTPS, on the lower layers of the official client.

Those layers read the kubeconfig or the Pod's token, renew it, and handle certificates, proxies and
sessions. The typed calls above them cost twice the CPU and memory of raw JSON (bench/README.md),
so they are not used. ``__main__`` makes one HttpTransport.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import config as kube_config
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from msgspec import json

from .kube import MANAGER, ApiError, Json, Request, Response

HEADERS = {"User-Agent": MANAGER, "Accept": "application/json"}
# trust_env would read proxies and ~/.netrc for each request: 0.3 ms of CPU.
SESSION = {"headers": HEADERS, "read_bufsize": 2**16, "trust_env": False}
ORDINARY = aiohttp.ClientTimeout(total=30)
# A watch sends a bookmark a minute (not of Events: see reflector.WATCH_SECONDS).
STREAMING = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=120)
MAX_LINE_BYTES = 2**24  # one watch event; objects are far smaller


class HttpTransport:
    """``kube.Transport`` for a real API server. Use as an async context manager."""

    def __init__(self, settings: Configuration) -> None:
        settings.connection_pool_maxsize = 0  # without a limit
        settings.client_session_kwargs = SESSION
        self._settings, self._rest = settings, RESTClientObject(settings)

    async def __aenter__(self) -> "HttpTransport":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._rest.close()

    async def send(self, request: Request) -> Response:
        try:
            async with await self._call(request, ORDINARY) as answer:
                return await _response(answer)
        except aiohttp.ClientError as error:
            raise ConnectionError(str(error)) from error

    async def stream(self, request: Request) -> AsyncIterator[Json]:
        try:
            async with await self._call(request, STREAMING) as answer:
                if answer.status != 200:
                    raise ApiError(await _response(answer))
                while line := await answer.content.readline(max_line_length=MAX_LINE_BYTES):
                    yield json.decode(line)
        except (aiohttp.ClientError, ValueError) as error:
            raise ConnectionError(str(error)) from error

    async def _call(self, request: Request, timeout: aiohttp.ClientTimeout) -> Any:
        headers = {"Content-Type": request.content_type}
        if token := await self._settings.get_api_key_with_prefix("BearerToken"):
            headers["Authorization"] = token
        url = f"{self._settings.host}{request.path}?{urlencode(request.query)}"
        answer = await self._rest.request(
            request.method, url, headers, request.body, _request_timeout=timeout
        )
        return answer.response


async def load_settings(kubeconfig: str | None) -> Configuration:
    """Read a kubeconfig or, without one, the Pod's service account.

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
        body = json.decode(raw or b"{}")
    except ValueError:
        body = {"message": raw[:200].decode("utf-8", "replace")}
    return Response(answer.status, body, answer.headers)
