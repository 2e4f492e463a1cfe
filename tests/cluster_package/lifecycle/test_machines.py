import os
import time

import pytest

from cluster import paths
from cluster.lifecycle import machines
from cluster.node import cgroups


@pytest.fixture
def others(tmp_path, monkeypatch):
    """Two clusters of other checkouts, of which one is gone; none of this one."""
    monkeypatch.setattr(paths, "STATE", tmp_path / "state")
    hierarchy = tmp_path / "cgroup"
    for each in ("aaaaaaaa", "bbbbbbbb"):
        (hierarchy / "tfjob-workshop" / each).mkdir(parents=True)
    (tmp_path / "there").mkdir()
    nodes = {1: ("one", "10.213.0.2", tmp_path / "there"), 2: ("two", "10.213.0.6", tmp_path / "x")}
    monkeypatch.setattr(cgroups, "here", lambda: [(hierarchy, True)])
    monkeypatch.setattr(cgroups, "members", lambda group: {1 if group.endswith("a") else 2})
    monkeypatch.setattr(machines.processes, "node", nodes.get)


@pytest.fixture
def removed(monkeypatch):
    """What `down --all` removes: control groups and links."""
    done = []
    monkeypatch.setattr(cgroups, "remove", done.append)
    monkeypatch.setattr(machines.down.network, "disconnect", done.append)
    return done


def test_clusters_of_other_checkouts_are_listed(others):
    said = []
    machines.show(said.append)
    assert [line.split()[:3] for line in said[1:]] == [
        ["one", "running", "10.213.0.2"],
        ["two", "running", "10.213.0.6"],
    ]


def test_a_cluster_of_which_proc_shows_nothing_is_no_leftover(others, monkeypatch):
    monkeypatch.setattr(machines.processes, "node", lambda _: None)
    monkeypatch.setattr(machines.processes, "is_hidden", lambda pid: pid == 1)
    assert [found.state for found in machines.all_of()] == ["running", "leftovers"]


def test_down_all_takes_the_orphan_and_leaves_other_checkouts_alone(others, removed, monkeypatch):
    monkeypatch.setattr(cgroups, "kill", removed.append)
    monkeypatch.setattr(machines.down.folders, "remove", lambda _: None)
    machines.down_all(lambda _: None)
    assert removed == ["tfjob-workshop/bbbbbbbb", "tfjobbbbbbbbb", "tfjob-workshop/bbbbbbbb"]


@pytest.mark.parametrize(
    ("age", "pids", "is_left"),
    [
        pytest.param(3600, set(), True, id="nothing has run there for an hour"),
        pytest.param(1, set(), False, id="an up makes its node just now"),
        pytest.param(3600, {7}, False, id="a process that is no node's first"),
    ],
)
def test_down_all_takes_what_a_killed_node_of_another_checkout_left(
    age, pids, is_left, tmp_path, removed, monkeypatch
):
    monkeypatch.setattr(paths, "STATE", tmp_path / "state")
    group = tmp_path / "tfjob-workshop" / "aaaaaaaa"
    group.mkdir(parents=True)
    (group / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))
    os.utime(group, (time.time() - age,) * 2)
    monkeypatch.setattr(cgroups, "here", lambda: [(tmp_path, True)])
    monkeypatch.setattr(machines.processes, "node", lambda pid: None)
    said = []
    machines.down_all(said.append)
    expected = ["tfjobaaaaaaaa", "tfjob-workshop/aaaaaaaa"]
    assert removed == (expected if is_left else [])
    assert len(said) == is_left
