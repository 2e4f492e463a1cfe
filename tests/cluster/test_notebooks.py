"""The notebooks pass under nbval as an instructor runs them, and a broken cell does not."""

import json
import os
import subprocess
import sys

import pytest

from modules.notebooks import notebook
from tests.cluster import lab_runs

CHECKOUT = lab_runs.CHECKOUT
NOTEBOOKS = sorted((CHECKOUT / "modules").glob("*/lab.ipynb"))


def nbval(path, environment, activate):
    """Run one notebook with the bash kernel. Returns: the finished pytest."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider",
         "--nbval-cell-timeout=660", str(path)],
        cwd=CHECKOUT,
        env={**os.environ, **environment, "WORKSHOP_ACTIVATE": str(activate)},
        capture_output=True,
        text=True,
    )  # fmt: skip


@pytest.fixture
def bash_kernel(tmp_path, monkeypatch):
    """The kernel's description, wherever this Python was set up."""
    subprocess.run(
        [sys.executable, "-m", "bash_kernel.install", "--prefix", str(tmp_path / "kernels")],
        check=True,
        capture_output=True,
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "kernels" / "share" / "jupyter"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.parent.name)
@pytest.mark.usefixtures("bash_kernel")
def test_the_notebook_passes(cluster, path, tmp_path):
    with lab_runs.place(cluster, path, tmp_path, "notebook") as place:
        activate = lab_runs.activation(place.environment, tmp_path)
        done = nbval(path, place.environment, activate)
    assert done.returncode == 0, done.stdout


PAGE = """\
# A page

```console
$ number=7
$ COMMAND
```

<!-- under test: echo edited > edited.txt -->

```console
$ grep edited edited.txt
```
"""


@pytest.fixture
def small(tmp_path):
    """Run a small notebook, made like every other, that needs no cluster."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / "lab").mkdir()

    def run(command):
        path = tmp_path / "lab" / "lab.ipynb"
        path.write_text(json.dumps(notebook(PAGE.replace("COMMAND", command))))
        activate = tmp_path / "activate"
        activate.write_text("")
        return nbval(path, {}, activate)

    return run


@pytest.mark.usefixtures("bash_kernel")
def test_a_sound_notebook_passes_in_one_shell_with_what_is_done_by_hand(small):
    done = small('[ "$number" = 7 ]')
    assert done.returncode == 0, done.stdout


@pytest.mark.usefixtures("bash_kernel")
def test_a_broken_cell_fails(small):
    done = small('[ "$number" = 8 ]')
    assert done.returncode == 1
    assert "1 failed" in done.stdout


@pytest.mark.usefixtures("bash_kernel")
def test_a_command_that_is_not_there_fails(small):
    done = small("no-such-command")
    assert done.returncode == 1
    assert "1 failed" in done.stdout
