"""Run notebooks as an instructor does: under nbval, with the bash kernel."""

import os
import subprocess
import sys
from pathlib import Path

from modules.page import TIMEOUT_SECONDS, steps_to_run
from tests.cluster import lab_runs


def nbval(path, environment, activate, cell_seconds=TIMEOUT_SECONDS):
    """Run one notebook with the bash kernel. Returns: the finished pytest."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider",
         f"--nbval-cell-timeout={cell_seconds:.0f}", str(path)],
        cwd=path.parent,
        env={**os.environ, **environment, "WORKSHOP_ACTIVATE": str(activate)},
        capture_output=True,
        text=True,
    )  # fmt: skip


def run_module(cluster, page: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the notebook of a page, in a place of its own on a cluster."""
    steps = steps_to_run(page.read_text())
    longest = max(step.timeout_seconds + step.retry_seconds for step in steps)
    with lab_runs.place(cluster, page, folder, "notebook") as place:
        activate = lab_runs.activation(place.environment, folder)
        copy = place.folder / page.with_name("lab.ipynb").relative_to(lab_runs.CHECKOUT)
        return nbval(copy, place.environment, activate, longest)
