"""TensorFlow Serving's REST API, for one model: paths, answers and errors as published.

    GET  /v1/models/NAME[/versions/N]             is a version AVAILABLE?
    GET  /v1/models/NAME[/versions/N]/metadata    its inputs and outputs
    POST /v1/models/NAME[/versions/N]:predict     {"instances": …} → {"predictions": …}
    GET  /monitoring/prometheus/metrics           how many predictions, by status

Whatever is asked, the answer is JSON, an error `{"error": …}`. One thread predicts, so that many
clients do not make many copies of the model's intermediate results.
"""

import asyncio
import collections
import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp import web

from fashion_mnist import report, tensors
from fashion_mnist.failure import first_line
from fashion_mnist.servable import Loaded, Servable
from fashion_mnist.tensors import InvalidArgument

METRICS_PATH = "/monitoring/prometheus/metrics"
MODEL_PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/([0-9]{1,18}))?(:predict|/metadata)?")
REQUEST_COUNT = ":tensorflow:serving:request_count"
LARGEST_BODY = 4 * 2**20  # some 600 images
SHUTDOWN_SECONDS = 0.5


class NotFound(Exception):
    """There is no such model, version or path."""


STATUSES = {InvalidArgument: "INVALID_ARGUMENT", NotFound: "NOT_FOUND"}


def make_runner(servable: Servable) -> web.AppRunner:
    """What listens and answers. It logs nothing: every error is the client's, and answered."""
    app = web.Application(client_max_size=LARGEST_BODY)
    app.router.add_route("*", "/{path:.*}", Api(servable).answer)
    quiet = logging.getLogger("fashion_mnist.rest_api")
    quiet.disabled = True  # aiohttp's, which shows a traceback for a request that is not HTTP
    return web.AppRunner(app, access_log=None, logger=quiet, shutdown_timeout=SHUTDOWN_SECONDS)


class Api:
    """Answers requests for one model, and counts its predictions."""

    def __init__(self, servable: Servable):
        self._servable = servable
        self._counts: collections.Counter[str] = collections.Counter()
        self._pool = ThreadPoolExecutor(max_workers=1)

    async def answer(self, request: web.Request) -> web.Response:
        """Any request. Whatever is wrong with it is answered, not raised."""
        try:
            return await self._route(request)
        except InvalidArgument as error:
            return _error(400, str(error))
        except NotFound as error:
            return _error(404, str(error))
        except Exception as error:  # a bug of ours or of a library: seen, and not fatal
            report.say(f"{request.method} failed: {type(error).__name__}: {first_line(error)}")
            return _error(500, "Internal error; the server's log has the reason")

    async def _route(self, request: web.Request) -> web.Response:
        if (request.method, request.path) == ("GET", METRICS_PATH):
            return web.Response(text=self._metrics())
        match = MODEL_PATH.fullmatch(request.path)
        if match is None and not request.path.startswith("/v1/"):
            raise NotFound(f"There is nothing at {request.path[:80]}; models are below /v1/models/")
        wanted_method = "POST" if match and match[3] == ":predict" else "GET"
        if match is None or request.method != wanted_method:
            raise InvalidArgument(f"Malformed request: {request.method} {request.path[:80]}")
        name, version, what = match.groups()
        if what == ":predict":
            return await self._predict(request, name, version)
        return _json(self._metadata(name, version) if what else self._status(name, version))

    def _status(self, name: str, version: str | None) -> dict[str, Any]:
        states = self._servable.states() if name == self._servable.name else {}
        if version is not None:
            states = {number: state for number, state in states.items() if number == int(version)}
        if not states:
            which = "any versions" if version is None else f"version {version}"
            raise NotFound(f"Could not find {which} of model {name[:80]}")
        return {"model_version_status": list(states.values())}

    def _metadata(self, name: str, version: str | None) -> dict[str, Any]:
        loaded = self._find(name, version)
        return {
            "model_spec": {"name": name, "signature_name": "", "version": str(loaded.number)},
            "metadata": {"signature_def": {"signature_def": loaded.metadata}},
        }

    def _find(self, name: str, version: str | None) -> Loaded:
        loaded = self._servable.loaded if name == self._servable.name else None
        if loaded is None or version not in (None, str(loaded.number)):
            which = (
                f"Latest({name[:80]})" if version is None else f"Specific({name[:80]}, {version})"
            )
            raise NotFound(f"Servable not found for request: {which}")
        return loaded

    async def _predict(self, request: web.Request, name: str, version: str | None) -> web.Response:
        status = "OK"
        try:
            loaded, body = self._find(name, version), await _body(request)
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._pool, _answer, loaded, body)
            return web.Response(body=answer, content_type="application/json")
        except Exception as error:
            status = STATUSES.get(type(error), "INTERNAL")
            raise
        finally:
            if name == self._servable.name:  # not any name: a client could invent millions
                self._counts[status] += 1

    def _metrics(self) -> str:
        lines = [f"# TYPE {REQUEST_COUNT} counter"]
        for status, count in sorted(self._counts.items()):
            labels = f'model_name="{self._servable.name}",status="{status}"'
            lines.append(f"{REQUEST_COUNT}{{{labels}}} {count}")
        return "\n".join(lines) + "\n"


async def _body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise InvalidArgument(f"The request is larger than {LARGEST_BODY} bytes") from error
    except (web.RequestPayloadError, ConnectionError) as error:
        raise InvalidArgument("The request's body is damaged or cut short") from error


def _answer(loaded: Loaded, body: bytes) -> bytes:
    return json.dumps(loaded.predict(tensors.parse(body))).encode() + b"\n"


def _json(content: dict[str, Any], status: int = 200) -> web.Response:
    text = json.dumps(content, indent=1) + "\n"
    return web.Response(text=text, status=status, content_type="application/json")


def _error(status: int, message: str) -> web.Response:
    return _json({"error": message}, status)
