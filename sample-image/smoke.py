"""The sample image's own smoke test, in the build: train, save, load, predict, paint and serve.

The Dockerfile runs it once after it has thrown away what it takes for unused.
"""

import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import tensorflow as tf

from fashion_mnist import ask, predict, train
from painting import train as painter

TENSORBOARD = Path(sys.executable).with_name("tensorboard")
SCALARS = "http://localhost:6006/data/plugin/scalars/tags"
MODEL = "http://localhost:8501/v1/models/model"
PATIENCE_SECONDS = 120


def answers(server: list, url: str, wanted: bytes, then=lambda: True) -> bool:
    """Start a server and ask it until the answer has what is ``wanted``; ``then`` do the rest."""
    process = subprocess.Popen(server)
    end = time.monotonic() + PATIENCE_SECONDS
    try:
        while time.monotonic() < end:
            time.sleep(0.5)
            try:
                if wanted in urllib.request.urlopen(url, timeout=5).read():
                    return then()
            except OSError:
                pass
        return False
    finally:
        process.terminate()
        process.wait()


with tempfile.TemporaryDirectory() as folder:
    assert train.main(["--max-steps", "20", "--log-every", "10", "--save-dir", folder]) == 0
    assert predict.main([f"{folder}/model", "--images", "1", "--test"]) == 0
    assert painter.main(["--max-steps", "20", "--log-dir", f"{folder}/logs/painting"]) == 0
    model = tf.saved_model.load(f"{folder}/model")
    assert model(tf.zeros([1, 28, 28, 1])).shape == (1, 10)
    assert tf.distribute.experimental.ParameterServerStrategy
    tensorboard = [TENSORBOARD, "--logdir", f"{folder}/logs", "--port", "6006"]
    assert answers(tensorboard, SCALARS, b"accuracy"), "TensorBoard shows no accuracy"
    (Path(folder) / "versions").mkdir()
    (Path(folder) / "versions/1").symlink_to(f"{folder}/model")
    serve = [sys.executable, "-m", "fashion_mnist.serve", "--model-base-path", f"{folder}/versions"]
    assert answers(serve, MODEL, b"AVAILABLE", lambda: ask.main([MODEL, "--images", "1"]) == 0)
