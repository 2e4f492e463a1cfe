"""Whose node a record means. A process with the words of a node's first one stands in for it."""

import shutil
import subprocess
import sys

import pytest

from cluster import paths
from cluster.lifecycle import down, processes, record, status


@pytest.fixture
def cluster(tmp_path):
    """A cluster that runs."""
    found = paths.Cluster("lab", tmp_path / "checkout")
    found.folder.mkdir(parents=True)
    code = "import sys; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, "cluster.node", "lab", "", "", str(found.folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as node:
        node.stdout.readline()
        started = processes.start_time(node.pid)
        record.write(found, record.Record(node.pid, started, "10.213.0.4/30", ""))
        yield found


def test_a_cluster_that_runs_has_a_node(cluster):
    assert record.running(cluster) == record.read(cluster)


def test_down_in_a_copy_of_a_checkout_leaves_the_node_of_the_other(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(down, "clear_leftovers", lambda _: None)
    copy = paths.Cluster(cluster.name, tmp_path / "copy")
    shutil.copytree(cluster.state, copy.state)
    down.down(copy, print)
    assert not copy.folder.exists()
    assert record.running(cluster)


def test_a_checkout_that_was_moved_keeps_its_node(cluster, tmp_path):
    moved = paths.Cluster(cluster.name, tmp_path / "moved")
    cluster.state.rename(moved.state)
    assert record.running(moved)


def test_a_checkout_under_two_names_has_one_node(cluster, tmp_path):
    (tmp_path / "link").symlink_to(cluster.state)
    assert record.running(paths.Cluster(cluster.name, tmp_path / "link"))


def test_a_process_that_is_no_node_has_no_record(cluster, monkeypatch):
    monkeypatch.setattr(processes, "node", lambda _: None)
    assert record.running(cluster) is None


def fail_with(error):
    def fail(*_):
        raise error

    return fail


@pytest.mark.parametrize(
    ("answer", "runs"),
    [
        pytest.param(fail_with(PermissionError()), True, id="another user's process"),
        pytest.param(fail_with(ProcessLookupError()), False, id="no process"),
        pytest.param(lambda *_: None, False, id="root asks, who sees all"),
    ],
)
def test_where_proc_hides_processes_a_signal_tells_whether_the_node_runs(
    cluster, monkeypatch, answer, runs
):
    """As with hidepid=2, and with hidepid=1."""
    with monkeypatch.context() as patch:
        patch.setattr(processes.Path, "read_bytes", fail_with(FileNotFoundError()))
        patch.setattr(processes.os, "kill", answer)
        assert bool(record.running(cluster)) == runs


def test_status_blames_no_component_that_proc_hides(cluster, monkeypatch):
    monkeypatch.setattr(processes, "is_hidden", lambda _: True)
    monkeypatch.setattr(status, "answers", lambda *_: [])
    (part,) = status.parts(cluster, record.read(cluster))
    assert part.well
    assert "/proc hides" in part.state
