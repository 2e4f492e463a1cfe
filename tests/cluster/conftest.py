"""What the tests of notebooks share."""

import subprocess
import sys

import pytest


@pytest.fixture
def bash_kernel(tmp_path, monkeypatch):
    """The kernel's description, wherever this Python was set up."""
    subprocess.run(
        [sys.executable, "-m", "bash_kernel.install", "--prefix", str(tmp_path / "kernels")],
        check=True,
        capture_output=True,
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "kernels" / "share" / "jupyter"))
