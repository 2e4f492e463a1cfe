"""Runs of the sample image's program, as processes, alone and as the replicas of a cluster."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
DATA_DIR = Path("/usr/share/datasets/fashion-mnist")
PATIENCE_SECONDS = 420
STEP_LINE = re.compile(r"^step (\d+)/(\d+) loss (\d+\.\d{4}) accuracy (\d\.\d{4})$", re.MULTILINE)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Fashion-MNIST as Debian's package installs it."""
    if not DATA_DIR.exists():
        pytest.skip(f"no Fashion-MNIST in {DATA_DIR}: install Debian's dataset-fashion-mnist")
    return DATA_DIR


@dataclass
class Run:
    """A process of the program and the file with what it prints, errors included."""

    process: subprocess.Popen
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    @property
    def losses(self) -> dict[int, float]:
        return {int(step): float(loss) for step, _, loss, _ in STEP_LINE.findall(self.log)}

    def wait(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def wait_for(self, text: str) -> None:
        self._wait_until(lambda: text in self.log, text)

    def wait_for_steps(self) -> None:
        self._wait_until(lambda: self.losses, "step line")

    def _wait_until(self, holds, what: str) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert self.process.poll() is None, f"ended without {what!r}:\n{self.log}"
            assert time.monotonic() < end, f"no {what!r} in:\n{self.log}"
            time.sleep(0.05)

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """Kill both processes of the program at once, as the end of a container does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def start(tmp_path, data_dir):
    """start(*options, name=, tf_config=, prefix=) → Run; all are ended after the test."""
    runs: list[Run] = []

    def start(*options, name="alone", tf_config=None, prefix=()) -> Run:
        log_file = tmp_path / f"{name}.log"
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "sample-image")}
        environment.pop("TF_CONFIG", None)
        if tf_config is not None:
            environment["TF_CONFIG"] = tf_config
        command = [*prefix, sys.executable, "-m", "fashion_mnist.train", *map(str, options)]
        with log_file.open("w") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        runs.append(Run(process, log_file))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.kill()


@pytest.fixture
def make_cluster(start):
    """make_cluster(master=1, worker=2, ps=1) → a function that starts one of its replicas."""

    def make_cluster(**counts: int):
        cluster = {kind: [_address() for _ in range(count)] for kind, count in counts.items()}

        def start_replica(kind: str, index: int, *options, prefix=()) -> Run:
            task = {"type": kind, "index": index}
            config = json.dumps({"cluster": cluster, "task": task, "environment": "cloud"})
            return start(*options, name=f"{kind}-{index}", tf_config=config, prefix=prefix)

        return start_replica

    return make_cluster


def _address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"localhost:{probe.getsockname()[1]}"


@pytest.fixture
def another_user():
    """Within ``with another_user():`` this process is the image's user, who is not root."""

    @contextlib.contextmanager
    def another_user():
        os.seteuid(10001)
        try:
            yield
        finally:
            os.seteuid(0)

    if os.geteuid():
        pytest.skip("only root can become another user")
    return another_user


@pytest.fixture
def open_folder():
    """A folder that every user may read, which pytest's own is not."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def half_plus_three(tmp_path_factory) -> Path:
    """The base path of the model that the documentation of TensorFlow Serving asks: version 123."""
    import tensorflow as tf

    module = tf.Module()
    spec = tf.TensorSpec([None], tf.float32, name="x")
    module.compute = tf.function(lambda x: {"y": x / 2 + 3}, input_signature=[spec])
    base_path = tmp_path_factory.mktemp("half_plus_three")
    tf.saved_model.save(module, str(base_path / "123"), signatures=module.compute)
    return base_path
