"""What the first cell gives to the others, run by bash as a notebook's kernel does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modules.cells import END, SETUP, cells
from modules.workplace import CHECKOUT

EDIT = """\
```yaml edit="my-file.yaml"
a: 1
```
```diff edit="my-file.yaml"
-a: 1
+a: 2
```
"""


@pytest.fixture
def checkout(tmp_path):
    """What a ZIP of the repository holds, after `make lab`."""
    (tmp_path / "modules" / "1-small").mkdir(parents=True)
    for path in (CHECKOUT / "modules").glob("*.*"):
        (tmp_path / "modules" / path.name).symlink_to(path)
    (tmp_path / ".lab").mkdir()
    python = Path(sys.executable).parent
    (tmp_path / ".lab" / "activate").write_text(
        f'export PATH={python}:$PATH PYTHONPATH={CHECKOUT} KUBECONFIG={tmp_path}/none\n'
        'echo activated\n'
    )  # fmt: skip
    return tmp_path


@pytest.fixture
def bash(checkout):
    """Run cells one after the other. Returns: exit code of the last, and all output."""

    def run(*sources, **variables):
        environment = {name: os.environ[name] for name in os.environ if name != "PYTEST_VERSION"}
        done = subprocess.run(
            ["bash", "-c", "\n".join(["set -m", *sources])],
            cwd=checkout / "modules" / "1-small",
            env={**environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout.removeprefix("activated\n")

    return run


def sources(page):
    made = cells(page)
    return ["".join(cell["source"]) for cell in made if cell["cell_type"] == "code"]


def test_the_checkout_is_found_without_git(bash, checkout):
    assert bash(SETUP, "pwd") == (0, f"{checkout}\n")


def test_a_folder_of_another_user_is_found_as_well(bash, checkout):
    subprocess.run(["git", "init", "--quiet", str(checkout)], check=True)
    assert bash(SETUP, "pwd", GIT_CONFIG_GLOBAL="/dev/null") == (0, f"{checkout}\n")


def test_without_a_lab_the_first_cell_fails_with_a_sentence(bash, checkout):
    (checkout / ".lab" / "activate").unlink()
    code, said = bash(SETUP)
    assert code == 1
    missing = checkout / ".lab" / "activate"
    assert said == f"There is no lab yet ({missing} is missing): run `make lab` first.\n"


def test_run_all_leaves_to_the_learner_what_is_the_learners(bash, checkout):
    code, said = bash(*sources(EDIT))
    assert code == 0
    line = "Your turn: edit my-file.yaml as shown above. This cell changes nothing; "
    assert said.splitlines() == [line + "set WORKSHOP_BY_HAND=solution to let it."] * 2
    assert not (checkout / "my-file.yaml").exists()


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"WORKSHOP_BY_HAND": "solution"}, id="by request"),
        pytest.param({"PYTEST_VERSION": "9"}, id="under pytest"),
    ],
)
def test_a_notebook_does_the_learners_part(bash, checkout, variables):
    assert bash(*sources(EDIT), **variables) == (0, "")
    assert (checkout / "my-file.yaml").read_text() == "a: 2\n"


@pytest.mark.parametrize(
    ("page", "code"),
    [
        pytest.param('```console exit="3"\n$ (exit 3)\n```', 0, id="as promised"),
        pytest.param('```console exit="3"\n$ true\n```', 1, id="a success"),
        pytest.param('```console exit="3"\n$ (exit 4)\n```', 1, id="another failure"),
    ],
)
def test_an_expected_failure_is_tested(bash, page, code):
    assert bash(*sources(page))[0] == code


def test_an_exclamation_mark_is_only_that(bash):
    assert bash("set -H", SETUP, "echo $-")[1].count("H") == 0


def test_tries_end_when_the_page_is_true(bash):
    page = '```console retry="30s"\n$ n=3; echo x >>tries; wc -l <tries\n2\n```'
    assert bash(*sources(page)) == (0, "2\n")


def test_tries_that_never_fit_end_with_the_last_output_and_a_sentence(bash):
    code, said = bash(*sources('```console retry="1s"\n$ echo 1\n2\n```'))
    assert code == 1
    assert said == "1\nAfter 1 s this is not yet what the page shows (exit code 0).\n"


def test_a_block_for_another_cluster_says_why_it_is_not_run(bash):
    page = '```console only="gpu"\n$ false\n```'
    assert bash(*sources(page)) == (0, "Not run here: this cluster has no GPUs.\n")


def test_the_last_cell_ends_what_runs_in_the_background(bash):
    page = "```console background\n$ echo ready; sleep 600\nready\n```"
    start, end = sources(page)[1:]
    code, said = bash(SETUP, start, "jobs -p >pid", end, "wait; ps -o pid= -g $(cat pid)")
    assert end == END
    assert (code, said.splitlines()[0]) == (1, "ready")
