"""The copy in which pages run: whole enough for every command, and nothing of the learner's."""

import os
import subprocess

import pytest

from modules import workplace
from modules.runner import run_page
from modules.shell import Shell
from modules.workplace import copy_of

PAGE = """\
```console
$ cat my-module5-ex1.yaml 2>/dev/null || cp modules/starter.yaml my-module5-ex1.yaml
$ cat my-module5-ex1.yaml
starter
$ echo changed > modules/starter.yaml
$ rm my-module5-ex1.yaml
```
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout as a learner has it: in the middle of the work, without git."""
    folder = tmp_path / "checkout"
    for path, content in {
        "README.md": "page",
        "modules/starter.yaml": "starter\n",
        "modules/__pycache__/page.pyc": "",
        "cluster/paths.py": "",
        "my-module5-ex1.yaml": "the learner's work\n",
        "my-chart/Chart.yaml": "the learner's work\n",
        ".lab/clusters/lab/kubeconfig": "",
        ".venv/bin/python": "",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    return folder


def contents(folder):
    return {path: path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_page_neither_sees_nor_touches_the_work_of_the_learner(checkout):
    before = contents(checkout)
    with copy_of(checkout) as copy, Shell(folder=copy) as shell:
        complaints = [outcome.complaint for outcome in run_page(PAGE, shell)]
    assert complaints == [None] * 4
    assert contents(checkout) == before


def test_the_copy_is_small(checkout):
    with copy_of(checkout) as copy:
        assert sorted(os.listdir(copy)) == ["README.md", "cluster", "modules"]
        assert os.listdir(copy / "modules") == ["starter.yaml"]


def test_the_cluster_is_found_where_it_is(checkout):
    with copy_of(checkout) as copy:
        assert (copy / "cluster" / "paths.py").resolve() == checkout / "cluster" / "paths.py"


def test_the_copy_is_removed_even_after_an_error(checkout):
    with pytest.raises(RuntimeError), copy_of(checkout) as copy:
        raise RuntimeError
    assert not copy.exists()


def test_programs_of_the_workshop_run_from_any_folder_of_the_copy():
    with copy_of() as copy:
        done = subprocess.run(
            ["python", "-c", "import validator, modules; print(validator.__path__[0])"],
            cwd=copy / "modules",
            env=workplace.environment(copy),
            capture_output=True,
            text=True,
        )
        assert done.stdout.strip() == str(copy / "validator"), done.stderr


def test_a_cluster_that_is_given_is_used(tmp_path):
    given = {"PATH": os.environ["PATH"], "KUBECONFIG": "mine"}
    assert workplace.environment(tmp_path, given)["KUBECONFIG"] == "mine"
