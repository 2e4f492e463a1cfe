"""What make would run, without running it."""

import os
import shutil
import subprocess

import pytest

from cluster import paths


@pytest.fixture
def planned(tmp_path):
    """What `make` prints as its plan, in a checkout that has or has not chosen its own cluster."""
    shutil.copy(paths.CHECKOUT / "Makefile", tmp_path)
    environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}

    def plan(chosen_before, *words):
        if chosen_before:
            (tmp_path / ".lab").mkdir()
            (tmp_path / ".lab/own-cluster.json").write_text("{}")
        (tmp_path / "requirements.txt").touch()
        command = ["make", "--dry-run", "PYTHON=python3", *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    return plan


@pytest.mark.parametrize("chosen_before", [False, True], ids=["a new checkout", "its own cluster"])
@pytest.mark.parametrize(
    ("words", "on_own"),
    [
        pytest.param(["lab", "KUBECONFIG=config"], {False: True, True: True}, id="a file"),
        pytest.param(["lab"], {False: False, True: True}, id="as before"),
        pytest.param(["lab", "KUBECONFIG="], {False: False, True: False}, id="back to local"),
        pytest.param(["test"], {False: False, True: False}, id="tests"),
        pytest.param(["test-browser"], {False: False, True: False}, id="tests with a browser"),
        pytest.param(
            ["test", "KUBECONFIG=config"], {False: False, True: False}, id="tests, a file"
        ),
    ],
)
def test_only_the_lab_uses_the_users_own_cluster(planned, chosen_before, words, on_own):
    plan = planned(chosen_before, *words)
    assert "prepare host" in plan
    assert ("--own-cluster" in plan) is on_own[chosen_before]
