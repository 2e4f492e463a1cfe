"""The notebooks pass under nbval as an instructor runs them, and a broken cell does not."""

import json
import os
import sys

import pytest

from modules.notebooks import notebook
from tests.cluster import lab_runs, notebook_runs

CHECKOUT = lab_runs.CHECKOUT
PAGES = sorted(path.with_name("README.md") for path in CHECKOUT.glob("modules/*/lab.ipynb"))
# Every page is run by test_docs.py, and its notebook has the same commands. So the first notebook
# is enough here, and that of module 5 in test_other_clusters.py, which has nearly everything that
# a page may hold; `make test-notebooks` runs all of them.
IN_EVERY_RUN = {0}
ALL = os.environ.get("NOTEBOOKS") == "all"


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if ALL or lab_runs.number(page) in IN_EVERY_RUN],
    ids=lambda page: page.parent.name,
)
@pytest.mark.usefixtures("bash_kernel")
def test_the_notebook_passes(cluster, page, tmp_path):
    done = notebook_runs.run_module(cluster, page, tmp_path)
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
        return notebook_runs.nbval(path, {}, activate)

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
