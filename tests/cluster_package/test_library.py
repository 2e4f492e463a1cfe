import subprocess

import pytest

from cluster import library, paths
from cluster.errors import CannotGoOn


@pytest.fixture
def verbs(monkeypatch):
    """The verbs of `python -m cluster` that were called. `load` fails."""
    called = []

    def run(command, **given):
        called.append((command[3], given["env"].get(paths.STATE_VARIABLE)))
        return subprocess.CompletedProcess(command, 1 if command[3] == "load" else 0)

    monkeypatch.setattr(library.subprocess, "run", run)
    monkeypatch.delenv(paths.STATE_VARIABLE, raising=False)
    return called


def test_a_cluster_is_down_after_its_block_whatever_happens_in_it(verbs, tmp_path):
    with pytest.raises(ZeroDivisionError), library.Cluster("x", state=tmp_path):
        raise ZeroDivisionError
    assert verbs == [("up", str(tmp_path)), ("down", str(tmp_path))]


def test_a_cluster_whose_images_cannot_be_had_does_not_stay(verbs):
    with (
        pytest.raises(CannotGoOn, match="cluster load` failed"),
        library.Cluster("x", images=["localhost/none:1"]),
    ):
        pytest.fail("the block runs without its images")
    assert verbs == [("up", None), ("load", None), ("down", None)]


def test_a_cluster_that_is_kept_is_not_taken_down(verbs):
    with library.Cluster("x", keep=True):
        pass
    assert verbs == [("up", None)]


def test_what_a_program_said_is_in_the_error():
    with pytest.raises(CannotGoOn, match=r"(?s)exit 3.*no such thing"):
        library.Cluster("x").run("sh", "-c", "echo no such thing >&2; exit 3")
