"""The server as Kubernetes sees it: environment, port, log, signals. One process serves all."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from fashion_mnist import ask, model, serve
from fashion_mnist.failure import Failure


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_trained_model_is_served_asked_about_replaced_and_ended(
    tmp_path, free_port, data_dir, capfd
):
    base_path = tmp_path / "models/fashion-mnist"
    model.save(model.Classifier(model.build()), base_path / "1")
    program = subprocess.Popen(
        [sys.executable, "-m", "fashion_mnist.serve", "--rest_api_port", str(free_port)],
        stdout=subprocess.PIPE,
        text=True,
        env={
            "PYTHONPATH": str(Path(serve.__file__).parents[1]),
            "MODEL_NAME": "fashion-mnist",
            "MODEL_BASE_PATH": str(base_path.parent),
        },
    )
    try:
        lines = [program.stdout.readline() for _ in range(2)]
        assert lines == [
            "Successfully loaded servable version {name: fashion-mnist version: 1}\n",
            f"fashion-mnist is served at port {free_port}\n",
        ]
        url = f"http://localhost:{free_port}/v1/models/fashion-mnist"
        assert ask.main([url, "--images", "1"]) == 0
        assert re.search(r"#.*\n[A-Z].* 0\.\d\d\n$", capfd.readouterr().out, re.DOTALL)
        unfinished = shutil.copytree(base_path / "1", tmp_path / "unfinished")
        unfinished.rename(base_path / "2")
        assert "version: 2}" in program.stdout.readline()
        assert b'"version": "2"' in urllib.request.urlopen(url, timeout=30).read()
        asked_at = time.monotonic()
        program.send_signal(signal.SIGTERM)
        assert program.wait(60) == 0
        assert time.monotonic() - asked_at < 2  # it takes less than one on a machine of its own
        assert program.stdout.read() == "fashion-mnist ends: it was asked to.\n"
        assert "Traceback" not in capfd.readouterr().err
    finally:
        program.kill()


def test_a_port_that_is_taken_is_one_sentence(tmp_path):
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Failure) as failure:
            asyncio.run(serve.serve(serve.Options("toy", tmp_path, port)))
    assert str(failure.value) == (
        f"Cannot listen at port {port}: {os.strerror(98)}; choose another one with --rest-api-port."
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "wanted"),
    [
        pytest.param([], {}, ("model", "/models/model", 8501), id="nothing is said"),
        pytest.param(
            [], {"MODEL_NAME": "fashion-mnist"}, ("fashion-mnist", "/models/fashion-mnist", 8501),
            id="the environment names the model",
        ),
        pytest.param(
            [], {"MODEL_NAME": "m", "MODEL_BASE_PATH": "/data"}, ("m", "/data/m", 8501),
            id="the environment names the folder too",
        ),
        pytest.param(
            ["--model_name=m", "--model_base_path=/data", "--rest_api_port=80"],
            {"MODEL_NAME": "other"}, ("m", "/data", 80), id="TensorFlow Serving's options are used",
        ),
    ],
)  # fmt: skip
def test_the_model_and_the_port_are_those_of_tensorflow_serving_where(
    arguments, environment, wanted
):
    name, base_path, port = wanted
    assert serve.parse(arguments, environment) == serve.Options(name, Path(base_path), port)


@pytest.mark.parametrize(
    ("arguments", "environment", "why"),
    [
        pytest.param(["--rest-api-port", "0"], {}, "a port, 1 to 65535", id="port 0"),
        pytest.param(["--rest-api-port", "http"], {}, "a port, 1 to 65535", id="a word for it"),
        pytest.param(["--model-name", "a/b"], {}, "a model's name", id="a path for a name"),
        pytest.param([], {"MODEL_NAME": ""}, "a model's name", id="an empty name"),
        pytest.param([], {"MODEL_NAME": 'a"b'}, "a model's name", id="a quote in the name"),
    ],
)
def test_a_wrong_option_ends_with_code_2_and_says_what_is_wanted(
    arguments, environment, why, capsys
):
    with pytest.raises(SystemExit) as end:
        serve.parse(arguments, environment)
    assert end.value.code == 2
    assert why in capsys.readouterr().err
