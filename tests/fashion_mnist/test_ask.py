"""Asking a server: pictures with its answers, a bounded load, and a sentence for what is wrong."""

import itertools
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fashion_mnist import ask, data

BOOT = {"predictions": [[0.0] * 9 + [0.9712]]}
HUGE = json.dumps({"predictions": [[0] * 9 + [10**400]]}).encode()


@pytest.fixture
def server():
    """A server that answers 200 and BOOT, or what its ``answers`` (status, bytes) are next.

    Where the status is None, it sends the bytes alone and closes the connection.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            length = int(self.headers["Content-Length"])
            server.asked.append((self.path, json.loads(self.rfile.read(length))))
            server.clients.add(self.client_address)
            status, answer = next(server.answers)
            if status is None:
                self.send_slowly(answer)
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def send_slowly(self, answer):
            for byte in answer:
                self.wfile.write(bytes([byte]))
                time.sleep(server.byte_seconds)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answers = itertools.repeat((200, json.dumps(BOOT).encode()))
    server.asked, server.clients, server.byte_seconds = [], set(), 0
    server.handle_error = lambda *_: None  # a client that has read enough
    server.url = f"http://127.0.0.1:{server.server_port}/v1/models/fashion-mnist"
    threading.Thread(target=server.serve_forever, args=(0.05,)).start()
    yield server
    server.shutdown()
    server.server_close()


def test_each_image_is_shown_with_the_servers_answer(server, data_dir, capsys):
    assert ask.main([server.url, "--images", "2"]) == 0
    out = capsys.readouterr().out
    assert out.isascii()
    lines = out.splitlines()
    assert len(lines) == 2 * (1 + 14 + 1)
    assert lines[15] == lines[31] == "Ankle boot 0.97"
    assert "@" in out


def test_an_image_is_asked_about_as_the_api_wants_it_over_one_connection(server, data_dir):
    assert ask.main([f"{server.url}:predict", "--images", "3"]) == 0
    assert [path for path, _ in server.asked] == ["/v1/models/fashion-mnist:predict"] * 3
    [image] = server.asked[0][1]["instances"]
    pixels = data.load_test().images[0]
    assert [len(image), len(image[0]), len(image[0][0])] == [28, 28, 1]
    assert image[14][14][0] == pytest.approx(pixels[14, 14, 0] / 255, abs=1e-4)
    assert len(server.clients) == 1


def test_a_load_lasts_as_long_as_asked_for_and_uses_one_connection(server, data_dir, capsys):
    began = time.monotonic()
    assert ask.main([server.url, "--seconds", "0.5"]) == 0
    assert time.monotonic() - began >= 0.5
    first, last = capsys.readouterr().out.splitlines()
    assert first == f"asks {server.url} for 0.5 seconds"
    assert last == f"{len(server.asked)} answers in 0.5 seconds, 0 questions without one"
    assert len(server.asked) > 1
    assert len(server.clients) == 1


def test_a_load_goes_on_when_a_server_was_lost(server, data_dir, capsys, monkeypatch):
    monkeypatch.setattr(ask, "PAUSE_SECONDS", 0.01)
    whole = next(server.answers)
    server.answers = itertools.chain([whole, (None, b"")], itertools.repeat(whole))
    assert ask.main([server.url, "--seconds", "1"]) == 0
    assert capsys.readouterr().out.endswith(" in 1 seconds, 1 questions without one\n")
    assert len(server.clients) == 2


def test_a_load_that_is_never_answered_fails(server, data_dir, capsys):
    server.answers = itertools.repeat((404, b'{"error": "Servable not found"}'))
    assert ask.main([server.url, "--seconds", "5"]) == 1
    assert "answers 404: Servable not found" in capsys.readouterr().err
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 50, id="its headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 300, id="its answer"),
    ],
)
def test_a_server_that_sends_byte_by_byte_is_not_waited_for(
    answer, server, data_dir, capsys, monkeypatch
):
    monkeypatch.setattr(ask, "PATIENCE_SECONDS", 1)
    server.answers, server.byte_seconds = itertools.repeat((None, answer)), 0.02
    assert ask.main([server.url, "--seconds", "2"]) == 1
    assert "no answer in 1 seconds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "answer", "why"),
    [
        pytest.param(404, b'{"error": "Could\\nnot"}', "answers 404: Could not\n", id="an error"),
        pytest.param(502, b"<h1>Bad Gateway</h1>", "502: <h1>Bad Gateway</h1>", id="a proxy's"),
        pytest.param(500, b"x" * 10_000, "x" * 200 + "\n", id="a long error"),
        pytest.param(500, b"", "answers 500: nothing", id="an empty error"),
        pytest.param(500, b'{"error": "\\u001b[2Jno"}', "500: ?[2Jno\n", id="an escape sequence"),
        pytest.param(500, b"\x1b]0;no\x07", "500: ?]0;no?\n", id="a bare escape sequence"),
        pytest.param(200, HUGE, "without ten probabilities", id="a number that is no float"),
        pytest.param(200, b"<html>", "without ten probabilities", id="a web page"),
        pytest.param(200, b"[" * 100_000, "without ten probabilities", id="deep JSON"),
        pytest.param(200, b'{"predictions": [[1, 2]]}', "without ten", id="two classes"),
        pytest.param(200, b'{"predictions": [["a"]]}', "without ten", id="letters"),
        pytest.param(200, b'{"predictions": 7}', "without ten", id="a number"),
        pytest.param(200, b" " * 2**21, "without ten probabilities", id="two megabytes"),
        pytest.param(None, b"", "the connection was closed", id="nothing at all"),
        pytest.param(None, b"SSH-2.0-x\r\n", "its answer is not HTTP", id="another protocol"),
    ],
)
def test_one_sentence_says_what_is_wrong_with_a_server_that_answers(
    status, answer, why, server, data_dir, capsys
):
    server.answers = itertools.repeat((status, answer))
    assert ask.main([server.url]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert server.url in err
    assert why in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("host", "why"),
    [
        pytest.param("127.0.0.1:1", "Connection refused", id="nobody listens"),
        pytest.param("nobody.invalid", "Name or service not known", id="nobody has the name"),
        pytest.param("a" * 64 + ".invalid", "none that DNS knows", id="the name is too long"),
    ],
)
def test_one_sentence_says_that_there_is_no_server_where(host, why, data_dir, capsys):
    assert ask.main([f"http://{host}/v1/models/fashion-mnist"]) == 1
    err = capsys.readouterr().err
    assert why in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["localhost:8501"], id="no URL"),
        pytest.param(["http://localhost:8501"], id="a URL without a model"),
        pytest.param(["http://localhost:8501/v1/models/"], id="a URL without the model's name"),
        pytest.param(["http://h/v1/models/a b"], id="a space"),
        pytest.param(["http:///v1/models/m"], id="no host"),
        pytest.param(["https://h/v1/models/m"], id="another protocol"),
        pytest.param(["http://h:port/v1/models/m"], id="a word for the port"),
        pytest.param(["http://[::1/v1/models/m"], id="half an address"),
        pytest.param(["http://h/v1/models/m", "--seconds", "0"], id="no time"),
        pytest.param(["http://h/v1/models/m", "--seconds", "nan"], id="a time that is none"),
        pytest.param(["http://h/v1/models/m", "--seconds", "3601"], id="more than an hour"),
        pytest.param(["http://h/v1/models/m", "--images", "10001"], id="too many images"),
    ],
)
def test_a_wrong_option_ends_with_code_2_and_is_named(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        ask.main(arguments)
    assert end.value.code == 2
    assert repr(arguments[-1]) in capsys.readouterr().err
