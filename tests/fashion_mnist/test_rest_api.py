"""The REST API as TensorFlow Serving publishes it, and what strangers may send to it."""

import asyncio
import gzip
import http.client
import json
import socket
import threading
from contextlib import contextmanager, suppress

import pytest
from aiohttp import web

from fashion_mnist import rest_api
from fashion_mnist.servable import Servable

MODEL = "/v1/models/half_plus_three"
METRICS = "/monitoring/prometheus/metrics"


@contextmanager
def serving(servable):
    """A server in a thread. Gives its port."""
    loop, runner = asyncio.new_event_loop(), rest_api.make_runner(servable)
    loop.run_until_complete(runner.setup())
    loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", 0).start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield runner.addresses[0][1]
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def port(half_plus_three):
    servable = Servable("half_plus_three", half_plus_three)
    servable.refresh()
    with serving(servable) as port:
        yield port


def ask(port, method, path, body=None, headers=()):
    """Returns: status code, and the JSON of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        assert response.headers["Content-Type"].startswith("application/json")
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def predict(port, body, headers=()):
    return ask(port, "POST", f"{MODEL}:predict", body, headers)


@pytest.mark.parametrize("path", [MODEL, f"{MODEL}/versions/123"])
def test_the_status_is_as_published(port, path):
    assert ask(port, "GET", path) == (
        200,
        {
            "model_version_status": [
                {
                    "version": "123",
                    "state": "AVAILABLE",
                    "status": {"error_code": "OK", "error_message": ""},
                }
            ]
        },
    )


@pytest.mark.parametrize("path", [f"{MODEL}:predict", f"{MODEL}/versions/123:predict"])
def test_a_prediction_is_as_published(port, path):
    answer = ask(port, "POST", path, '{"instances": [1.0,2.0,5.0]}')
    assert answer == (200, {"predictions": [3.5, 4.0, 5.5]})


def test_columns_are_answered_as_published(port):
    body = '{"signature_name": "serving_default", "inputs": [3.0, 4.0]}'
    assert predict(port, body) == (200, {"outputs": [4.5, 5.0]})


def test_metadata_have_the_published_form(port):
    status, metadata = ask(port, "GET", f"{MODEL}/metadata")
    assert status == 200
    assert metadata["model_spec"] == {
        "name": "half_plus_three", "signature_name": "", "version": "123",
    }  # fmt: skip
    signature = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["x"]["tensor_shape"]["dim"] == [{"size": "-1", "name": ""}]
    assert signature["outputs"]["y"]["dtype"] == "DT_FLOAT"


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        pytest.param(
            "POST", "/v1/models/half:predict", "Servable not found for request: Latest(half)",
            id="another model",
        ),
        pytest.param(
            "POST", f"{MODEL}/versions/99:predict",
            "Servable not found for request: Specific(half_plus_three, 99)", id="another version",
        ),
        pytest.param(
            "GET", "/v1/models/half", "Could not find any versions of model half",
            id="the status of another model",
        ),
        pytest.param(
            "GET", f"{MODEL}/versions/99", "Could not find version 99 of model half_plus_three",
            id="the status of another version",
        ),
        pytest.param(
            "GET", "/v1/models/half/metadata", "Servable not found for request: Latest(half)",
            id="the metadata of another model",
        ),
        pytest.param(
            "GET", "/", "There is nothing at /; models are below /v1/models/", id="the root"
        ),
    ],
)  # fmt: skip
def test_what_is_not_there_is_404(port, method, path, error):
    assert ask(port, method, path, '{"instances": [1.0]}') == (404, {"error": error})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/v1/foo", id="nothing of the API"),
        pytest.param("GET", "/v1/models", id="no model"),
        pytest.param("GET", f"{MODEL}:predict", id="a prediction by GET"),
        pytest.param("POST", MODEL, id="a status by POST"),
        pytest.param("POST", f"{MODEL}/versions/HELLO:predict", id="a version that is a word"),
        pytest.param("POST", f"{MODEL}/versions/{2**64}:predict", id="a version beyond all"),
        pytest.param("POST", f"{MODEL}:regress", id="an API that is left out"),
        pytest.param("DELETE", MODEL, id="another method"),
    ],
)
def test_a_malformed_request_is_400(port, method, path):
    status, answer = ask(port, method, path)
    assert status == 400
    assert answer == {"error": f"Malformed request: {method} {path}"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"", "JSON Parse error", id="nothing"),
        pytest.param(b"[" * 1_000_000, "nested too deeply", id="deep JSON"),
        pytest.param(b'{"instances": [NaN]}', "NaN is not a number", id="NaN"),
        pytest.param(b'{"instances": [1e999]}', "too large for float32", id="beyond all numbers"),
        pytest.param(b'{"instances": [[1.0]]}', "has the shape [1, 1]", id="a wrong shape"),
        pytest.param(b'{"instances": ["1.0"]}', "String is not of expected", id="a wrong type"),
        pytest.param(b'{"images": [1.0]}', "`instances` or `inputs`", id="a wrong name"),
        pytest.param(b" " * (5 * 2**20), "larger than 4194304 bytes", id="five megabytes"),
    ],
)
def test_a_request_gets_400_and_a_sentence_for(body, why, port, capfd):
    status, answer = predict(port, body)
    assert status == 400
    assert why in answer["error"]
    assert capfd.readouterr() == ("", "")


def test_a_body_that_unpacks_to_more_than_is_allowed_is_refused(port):
    bomb = gzip.compress(b" " * (50 * 2**20))
    status, answer = predict(port, bomb, {"Content-Encoding": "gzip"})
    assert (status, "larger than" in answer["error"]) == (400, True)


def test_a_body_that_is_not_packed_as_it_says_is_refused(port, capfd):
    status, answer = predict(port, b'{"instances": [1.0]}', {"Content-Encoding": "gzip"})
    assert (status, "damaged" in answer["error"]) == (400, True)
    assert capfd.readouterr() == ("", "")


def test_who_speaks_no_http_or_leaves_early_is_not_worth_a_line(port, capfd):
    head = f"POST {MODEL}:predict HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\n{{"
    for sent in (b"\x16\x03\x01\x02\x00", head.encode(), b"GET / HTTP/1.1\r\nno header\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(sent)
            client.settimeout(0.5)
            with suppress(TimeoutError):
                client.recv(1000)
    assert ask(port, "GET", MODEL)[0] == 200
    assert capfd.readouterr() == ("", "")


def test_predictions_are_counted_by_status_and_strangers_models_are_not(half_plus_three):
    servable = Servable("half_plus_three", half_plus_three)
    servable.refresh()
    with serving(servable) as port:
        for body in ('{"instances": [1.0]}', '{"instances": [2.0]}', "{}"):
            predict(port, body)
        ask(port, "POST", f"{MODEL}/versions/1:predict", "{}")
        ask(port, "POST", "/v1/models/half:predict", "{}")
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", METRICS)
        text = connection.getresponse().read().decode()
        connection.close()
    count = ':tensorflow:serving:request_count{model_name="half_plus_three",status='
    assert text.splitlines() == [
        "# TYPE :tensorflow:serving:request_count counter",
        f'{count}"INVALID_ARGUMENT"}} 1',
        f'{count}"NOT_FOUND"}} 1',
        f'{count}"OK"}} 2',
    ]


def test_a_model_without_a_version_is_404_and_one_that_cannot_be_loaded_says_why(tmp_path):
    servable = Servable("toy", tmp_path)
    with serving(servable) as port:
        servable.refresh()
        assert ask(port, "GET", "/v1/models/toy") == (
            404, {"error": "Could not find any versions of model toy"},
        )  # fmt: skip
        (tmp_path / "1").mkdir()
        servable.refresh()
        [state] = ask(port, "GET", "/v1/models/toy")[1]["model_version_status"]
        assert state["state"] == "END"
        assert "no file saved_model.pb" in state["status"]["error_message"]
        assert ask(port, "POST", "/v1/models/toy:predict", "{}")[0] == 404


def test_a_bug_is_one_line_in_the_log_and_500(port, monkeypatch, capsys):
    monkeypatch.setattr(rest_api, "_answer", lambda loaded, body: 1 / 0)
    status, answer = predict(port, "{}")
    assert (status, list(answer)) == (500, ["error"])
    assert capsys.readouterr().out == "POST failed: ZeroDivisionError: division by zero\n"
