"""The command line: serve a saved model by TensorFlow Serving's REST API.

    MODEL_NAME=fashion-mnist python -m fashion_mnist.serve
    python -m fashion_mnist.serve --model-name fashion-mnist --model-base-path /tmp/models
    python -m fashion_mnist.serve --help

What it answers: `rest_api`. Options, environment and port are TensorFlow Serving's, so that a
manifest for its image differs by image and command alone.
"""

import os
import sys

from fashion_mnist import stopping

if __name__ == "__main__":
    stopping.listen()  # before NumPy and TensorFlow, which start threads and take seconds
    stopping.phase("before the model was served", exit_code=0)

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import argparse
import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fashion_mnist import report, settings
from fashion_mnist.failure import Failure, exit_code_of

REFRESH_SECONDS = 2.0
ENDING_SECONDS = 0.9
NAME = re.compile(r'[^/:"\\\s]{1,80}')


@dataclass(frozen=True)
class Options:
    """The options of `python -m fashion_mnist.serve`, under the same names."""

    model_name: str
    model_base_path: Path
    rest_api_port: int = 8501


def main(arguments: list[str] | None = None) -> int:
    """Serve until asked to end. Returns: its exit code."""
    options = parse(arguments, os.environ)
    return exit_code_of(lambda: run(options))


def parse(arguments: list[str] | None, environment: Mapping[str, str]) -> Options:
    """Read the command line. Exits with code 2 and a sentence if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m fashion_mnist.serve",
        description="Serve a saved model by TensorFlow Serving's REST API.",
    )
    add = parser.add_argument
    add("--model-name", "--model_name", type=_name, default=environment.get("MODEL_NAME", "model"),
        help="name of the model in URLs [$MODEL_NAME, or model]")  # fmt: skip
    add("--model-base-path", "--model_base_path", type=settings.folder,
        help="folder of the numbered versions [$MODEL_BASE_PATH or /models, and name]")  # fmt: skip
    add("--rest-api-port", "--rest_api_port", type=_port, default=8501,
        help="port to listen at [%(default)s]")  # fmt: skip
    options = vars(parser.parse_args(arguments))
    base = Path(environment.get("MODEL_BASE_PATH", "/models"))
    options["model_base_path"] = options["model_base_path"] or base / options["model_name"]
    return Options(**options)


def _name(text: str) -> str:
    wanted = "a model's name: 1 to 80 characters, no space, slash, colon or quote"
    return settings.checked(text, str, NAME.fullmatch, wanted)


def _port(text: str) -> int:
    return settings.checked(text, int, lambda number: 1 <= number <= 65535, "a port, 1 to 65535")


def run(options: Options) -> None:
    """Serve until asked to end. Raises: Failure if it cannot listen."""
    # One thread, and more replicas instead: so a replica's work follows from its CPU request.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
    asyncio.run(serve(options))


async def serve(options: Options) -> None:
    """Load the model, listen, and look for new versions. Raises: Failure."""
    # Only now: importing TensorFlow takes seconds, and a wrong option should not.
    from fashion_mnist import rest_api
    from fashion_mnist.servable import Servable

    servable = Servable(options.model_name, options.model_base_path)
    servable.refresh()  # before it listens: who is answered finds the model
    runner = rest_api.make_runner(servable)
    await runner.setup()
    await listen(runner, options.rest_api_port)
    report.say(f"{servable.name} is served at port {options.rest_api_port}")
    stopping.phase("while it answered", ENDING_SECONDS, exit_code=0)
    await until_asked_to_end(servable)
    await runner.cleanup()
    report.say(f"{servable.name} ends: it was asked to.")


async def listen(runner, port: int) -> None:
    """Take the port. Raises: Failure if it cannot be had."""
    from aiohttp import web

    try:
        await web.TCPSite(runner, "0.0.0.0", port).start()
    except OSError as error:
        await runner.cleanup()
        raise Failure(
            f"Cannot listen at port {port}: {os.strerror(error.errno)}; choose another one"
            " with --rest-api-port."
        ) from error


async def until_asked_to_end(servable) -> None:
    """Look into the model's folder again and again meanwhile."""
    end = asyncio.create_task(asyncio.to_thread(stopping.wait))
    while not (await asyncio.wait([end], timeout=REFRESH_SECONDS))[0]:
        await asyncio.to_thread(servable.refresh)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
