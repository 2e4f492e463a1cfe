"""The command line: ask a server that speaks TensorFlow Serving's REST API about test images.

    python -m fashion_mnist.ask http://localhost:8501/v1/models/fashion-mnist
    python -m fashion_mnist.ask http://localhost:8501/v1/models/fashion-mnist --seconds 60
    python -m fashion_mnist.ask --help

What it prints: sample-image/README.md. It needs no TensorFlow.
"""

import os
import sys

from fashion_mnist import stopping

if __name__ == "__main__":
    stopping.listen()  # before NumPy, which starts threads
    stopping.phase("before all was asked: there is nothing to save")

import argparse
import contextlib
import http.client
import json
import re
import signal
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fashion_mnist import characters, data, report, settings
from fashion_mnist.failure import Failure, exit_code_of

PATIENCE_SECONDS = 10
PAUSE_SECONDS = 0.5  # after a question without an answer
LARGEST_ANSWER = 2**20  # bytes
LONGEST_LOAD_SECONDS = 3600
MODEL_PATH = re.compile(r"/v1/models/[!-9;-~]+")  # no space, and no colon


@dataclass(frozen=True)
class Options:
    """The options of `python -m fashion_mnist.ask`, under the same names."""

    url: urllib.parse.SplitResult
    images: int = 5
    seconds: float | None = None
    data_dir: Path = data.FOLDER


def main(arguments: list[str] | None = None) -> int:
    """Ask what the command line wants to know. Returns: its exit code."""
    options = parse(arguments)
    return exit_code_of(lambda: run(options))


def parse(arguments: list[str] | None = None) -> Options:
    """Read the command line. Exits with code 2 and a sentence if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m fashion_mnist.ask",
        description="Ask a model server about test images, or keep it busy for some time.",
    )
    add, default = parser.add_argument, Options(urllib.parse.urlsplit(""))
    add("url", type=_model_url, metavar="URL",
        help="the model's, such as http://HOST:8501/v1/models/fashion-mnist")  # fmt: skip
    add("--images", type=settings.image_count, default=default.images,
        help="how many of the test images to ask about [%(default)s]")  # fmt: skip
    add("--seconds", type=_seconds,
        help="ask again and again for so long instead, one question at a time")  # fmt: skip
    add("--data-dir", type=settings.folder, default=default.data_dir,
        help="folder of the four IDX files [%(default)s]")  # fmt: skip
    return Options(**vars(parser.parse_args(arguments)))


def _model_url(text: str) -> urllib.parse.SplitResult:
    try:
        url = urllib.parse.urlsplit(text.removesuffix(":predict"))
        is_complete = url.scheme == "http" and bool(url.hostname) and url.port != 0
    except ValueError:  # a port that is none, half an IPv6 address
        is_complete = False
    if not is_complete or not MODEL_PATH.fullmatch(url.path):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not the URL of a model, such as http://HOST:8501/v1/models/fashion-mnist"
        )
    return url


def _seconds(text: str) -> float:
    wanted = f"a number above 0, at most {LONGEST_LOAD_SECONDS}"
    return settings.checked(text, float, lambda each: 0 < each <= LONGEST_LOAD_SECONDS, wanted)


def run(options: Options) -> None:
    """Show images with the server's answers, or make load. Raises: Failure."""
    images = data.load_test(options.data_dir).images
    server = Server(options.url)
    if options.seconds is not None:
        return load(server, images, options.seconds)
    for image in images[: options.images]:
        probabilities = server.ask(image)
        choice = int(np.argmax(probabilities))
        report.say("\n" + characters.picture(image))
        report.answer(data.CLASSES[choice], probabilities[choice])
    return None


def load(server: "Server", images: np.ndarray, seconds: float) -> None:
    """Ask one question after the other. Raises: Failure if not even the first is answered."""
    report.say(f"asks {server.url} for {seconds:g} seconds")
    answered = unanswered = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            server.ask(images[answered % len(images)])
            answered += 1
        except Failure:
            if not answered:
                raise
            unanswered += 1  # a Pod that ends, and another takes over
            time.sleep(min(PAUSE_SECONDS, max(0, end - time.monotonic())))
    report.say(f"{answered} answers in {seconds:g} seconds, {unanswered} questions without one")


class Server:
    """One connection to a server, made again when it was lost."""

    def __init__(self, url: urllib.parse.SplitResult):
        self.url, self._path = url.geturl(), f"{url.path}:predict"
        port = url.port or http.client.HTTP_PORT
        self._connection = http.client.HTTPConnection(url.hostname, port)

    def ask(self, image: np.ndarray) -> list[float]:
        """Ten probabilities for uint8 [28, 28, 1]. Raises: Failure with the server's words."""
        body = json.dumps({"instances": [(image / 255).round(4).tolist()]})
        try:
            with _time_limit(PATIENCE_SECONDS):
                status, answer = self._post(body)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            self._connection.close()  # the next question makes a new one
            raise Failure(
                f"Cannot ask {self.url}: {_reason(error)}; see whether the server is ready, and"
                " whether host and port are its Service's."
            ) from error
        if status != http.HTTPStatus.OK:
            raise Failure(f"{self.url} answers {status}: {_error(answer)}")
        return self._probabilities(answer)

    def _post(self, body: str) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", self._path, body, headers)
        response = self._connection.getresponse()
        answer = response.read(LARGEST_ANSWER)
        if not response.isclosed():  # there is more, and nobody wants it
            self._connection.close()
        return response.status, answer

    def _probabilities(self, answer: bytes) -> list[float]:
        try:
            [probabilities] = json.loads(answer)["predictions"]
            numbers = [float(each) for each in probabilities]
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
            numbers = []
        if len(numbers) != len(data.CLASSES):
            raise Failure(
                f"{self.url} answers without ten probabilities: ask a server whose model"
                " fashion_mnist.train has saved."
            )
        return numbers


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeoutError after so long.

    A socket's own limit begins again with each byte that a slow server sends.
    """

    def give_up(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _reason(error: Exception) -> str:
    """In few words; what a server that speaks no HTTP has said is not repeated."""
    if isinstance(error, UnicodeError):
        return "its name is none that DNS knows"
    if isinstance(error, ConnectionError):  # some are an HTTPException too
        return error.strerror or "the connection was closed"
    if isinstance(error, http.client.HTTPException):
        return "its answer is not HTTP"
    if isinstance(error, TimeoutError):
        return f"no answer in {PATIENCE_SECONDS} seconds"
    return getattr(error, "strerror", None) or type(error).__name__


def _error(answer: bytes) -> str:
    """The server's own words, in one line of a sane length."""
    try:
        words = str(json.loads(answer)["error"])
    except (ValueError, TypeError, KeyError, RecursionError):
        words = answer.decode("utf-8", "replace")
    # A terminal obeys control characters.
    shown = "".join(each if each.isprintable() else "?" for each in " ".join(words.split()))
    return shown[:200] or "nothing"


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
