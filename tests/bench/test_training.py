"""Training is measured as the image does it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("module", ["program", "quick_start"])
def test_tensorflow_computes_with_the_kernels_of_the_image(module):
    environment = {
        **os.environ,
        "PYTHONPATH": f"{CHECKOUT}:{CHECKOUT / 'sample-image'}",
        "TF_CPP_MIN_LOG_LEVEL": "0",
    }
    environment.pop("TF_ENABLE_ONEDNN_OPTS", None)
    done = subprocess.run(
        [sys.executable, "-c", f"import bench.training.{module}"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert "oneDNN custom operations are on" in done.stderr
