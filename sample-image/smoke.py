"""TensorFlow's own smoke, in the build: train, save, load, predict, and serve TensorBoard.

The Dockerfile runs it once after it has thrown away what it takes for unused.
"""

import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import tensorflow as tf

from fashion_mnist import predict, train
from painting import train as painter

PORT = 6006
PATIENCE_SECONDS = 60


def tensorboard_answers(log_dir: Path) -> bool:
    """Start TensorBoard and ask it for the scalars of the run until it has them."""
    program = Path(sys.executable).with_name("tensorboard")
    server = subprocess.Popen([program, "--logdir", log_dir, "--port", str(PORT)])
    end = time.monotonic() + PATIENCE_SECONDS
    try:
        while time.monotonic() < end:
            time.sleep(0.5)
            try:
                url = f"http://localhost:{PORT}/data/plugin/scalars/tags"
                if b"accuracy" in urllib.request.urlopen(url, timeout=5).read():
                    return True
            except OSError:
                pass
        return False
    finally:
        server.terminate()
        server.wait()


with tempfile.TemporaryDirectory() as folder:
    assert train.main(["--max-steps", "20", "--log-every", "10", "--save-dir", folder]) == 0
    assert predict.main([f"{folder}/model", "--images", "1", "--test"]) == 0
    assert painter.main(["--max-steps", "20", "--log-dir", f"{folder}/logs/painting"]) == 0
    model = tf.saved_model.load(f"{folder}/model")
    assert model(tf.zeros([1, 28, 28, 1])).shape == (1, 10)
    assert tf.distribute.experimental.ParameterServerStrategy
    assert tensorboard_answers(Path(folder) / "logs"), "TensorBoard shows no accuracy"
