"""The notebooks pass under nbval as an instructor runs them, and a broken cell does not."""

import json
import os
import subprocess
import sys

import pytest

from modules.notebooks import notebook
from modules.page import TIMEOUT_SECONDS, steps_to_run
from tests.cluster import lab_runs

CHECKOUT = lab_runs.CHECKOUT
NOTEBOOKS = sorted((CHECKOUT / "modules").glob("*/lab.ipynb"))
# Every page is run by test_docs.py, and its notebook has the same commands. So a few notebooks are
# enough here; `make test-notebooks` runs all of them.
IN_EVERY_RUN = {0, 2, 5}
ALL = os.environ.get("NOTEBOOKS") == "all"


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


@pytest.fixture
def bash_kernel(tmp_path, monkeypatch):
    """The kernel's description, wherever this Python was set up."""
    subprocess.run(
        [sys.executable, "-m", "bash_kernel.install", "--prefix", str(tmp_path / "kernels")],
        check=True,
        capture_output=True,
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "kernels" / "share" / "jupyter"))


@pytest.fixture
def lab(path, request):
    """The notebook of module 5 runs where GPUs have today's name alone: its page does not."""
    return request.getfixturevalue("today" if lab_runs.number(path) == 5 else "cluster")


@pytest.mark.parametrize(
    "path",
    [path for path in NOTEBOOKS if ALL or lab_runs.number(path) in IN_EVERY_RUN],
    ids=lambda path: path.parent.name,
)
@pytest.mark.usefixtures("bash_kernel")
def test_the_notebook_passes(lab, path, tmp_path):
    steps = steps_to_run((path.parent / "README.md").read_text())
    longest = max(step.timeout_seconds + step.retry_seconds for step in steps)
    with lab_runs.place(lab, path, tmp_path, "notebook") as place:
        activate = lab_runs.activation(place.environment, tmp_path)
        copy = place.folder / path.relative_to(CHECKOUT)
        done = nbval(copy, place.environment, activate, longest)
    assert done.returncode == 0, done.stdout


# From here on no cluster is needed.

SOUND = """\
```console
$ number=7
$ [ "$number" = 7 ] && ls modules/page.py
modules/page.py
```

<!-- under test: printf 'a: 1\\nb: 2\\n' > my-file.txt -->

```diff edit="my-file.txt"
 a: 1
-b: 2
+b: 3
```

```console
$ grep 'b: 3' my-file.txt
b: 3
```

```console
$ [ "a!b" = 'a!b' ]
```

```console exit="3"
$ (exit 3)
```

```console
$ code=$?
$ [ $code = 3 ]
```

```console retry="30s"
$ echo x >>tries; wc -l <tries
3
```

```console background
$ sleep 0.2; echo ready; sleep 600
ready
```

```console
$ jobs | grep -c sleep
1
```

```console only="gpu"
$ false
```
"""
BROKEN = """\
```console
$ [ "$number" = 8 ]
$ no-such-command
```

```console exit="3"
$ true
```

```console exit="3"
$ (exit 1)
```

```console retry="1s"
$ echo 1
2
```
"""


@pytest.fixture
def small(tmp_path):
    """Run a small notebook, made like every other, in a checkout without git or cluster."""
    (tmp_path / "modules" / "1-small").mkdir(parents=True)
    for path in (CHECKOUT / "modules").glob("*.*"):
        (tmp_path / "modules" / path.name).symlink_to(path)
    path = tmp_path / "modules" / "1-small" / "lab.ipynb"
    folders = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    environment = {"PATH": folders, "PYTHONPATH": str(CHECKOUT), "KUBECONFIG": f"{tmp_path}/none"}
    activate = lab_runs.activation(environment, tmp_path)

    def run(page):
        path.write_text(json.dumps(notebook(page)))
        return nbval(path, {}, activate)

    return run


@pytest.mark.usefixtures("bash_kernel")
def test_a_sound_notebook_passes_with_everything_that_a_page_may_hold(small):
    done = small(SOUND)
    assert done.returncode == 0, done.stdout


@pytest.mark.usefixtures("bash_kernel")
def test_each_broken_cell_fails(small):
    """A wrong condition, no such command, a success, another failure, tries that never fit."""
    done = small(BROKEN)
    assert done.returncode == 1
    assert "5 failed, 1 passed" in done.stdout, "the first cell is sound"
