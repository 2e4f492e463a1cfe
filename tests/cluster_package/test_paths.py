import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster import paths
from cluster.errors import CannotGoOn


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("lab", id="a word"),
        pytest.param("a", id="one letter"),
        pytest.param("ci-2", id="a dash and a digit"),
    ],
)
def test_names_that_will_do(name):
    assert paths.cluster(name).folder.name == name


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="nothing"),
        pytest.param("../x", id="a way out of the folder"),
        pytest.param("Lab", id="capitals"),
        pytest.param("-x", id="a dash in front"),
        pytest.param("x" * 40, id="too long"),
    ],
)
def test_names_that_will_not_do(name):
    with pytest.raises(CannotGoOn, match="cannot name a cluster"):
        paths.cluster(name)


def test_two_clusters_share_neither_link_nor_group():
    one, other = paths.cluster("one"), paths.cluster("other")
    assert one.link != other.link
    assert one.cgroup != other.cgroup


def test_a_folder_whose_name_is_not_utf_8_has_an_id():
    state = Path(os.fsdecode(b"/lab\xff"))
    assert len(paths.cluster("one", state).id) == 8
    assert paths.cluster("one", state).id != paths.cluster("one", Path("/lab")).id


def test_a_links_name_fits_into_the_kernels_fifteen_characters():
    assert len(paths.cluster("x" * 32).link) <= 15


def test_what_sudo_leaves_belongs_to_the_person_at_the_keyboard(monkeypatch, tmp_path):
    monkeypatch.setattr(paths.os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_UID", "1234")
    monkeypatch.setenv("SUDO_GID", "5678")
    given = []
    monkeypatch.setattr(paths.os, "chown", lambda path, *who, **_: given.append((path, *who)))
    paths.hand_to_user(tmp_path)
    assert given == [(tmp_path, 1234, 5678)]


def test_what_another_process_removed_meanwhile_belongs_to_nobody(monkeypatch, tmp_path):
    def removed_just_before(path, *_, **__):
        raise FileNotFoundError(2, "No such file or directory", str(path))

    monkeypatch.setattr(paths.os, "geteuid", lambda: 0)
    monkeypatch.setattr(paths.os, "chown", removed_just_before)
    paths.hand_to_user(tmp_path)


def test_clusters_are_listed_by_name_and_locks_are_not(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "STATE", tmp_path)
    for name in ("b", "a"):
        (tmp_path / "clusters" / name).mkdir(parents=True)
    (tmp_path / "clusters" / ".a.lock").touch()
    assert paths.clusters() == ["a", "b"]


def test_a_folder_that_is_named_from_where_the_user_is_means_the_same_to_root(tmp_path):
    """Root works in the checkout: see `privilege.become_root`."""
    code = "import os; from cluster import paths; from cluster.host import privilege\n"
    code += "print(paths.STATE, paths.CACHE)\n"
    code += "print(os.environ['CLUSTER_STATE'], os.environ['XDG_CACHE_HOME'])\n"
    code += "print(*privilege.sudo_command([], dict(os.environ), ''))"
    named = {"PYTHONPATH": str(paths.CHECKOUT), "CLUSTER_STATE": "s", "XDG_CACHE_HOME": "c"}
    command, environment = [sys.executable, "-c", code], {**os.environ, **named}
    said = subprocess.check_output(command, cwd=tmp_path, env=environment, text=True).split()
    assert said[:2] == [f"{tmp_path}/s", f"{tmp_path}/c/tfjob-workshop"]
    assert said[2:4] == [f"{tmp_path}/s", f"{tmp_path}/c"]
    [kept] = [word for word in said if word.startswith("--preserve-env=")]
    assert {"CLUSTER_STATE", "XDG_CACHE_HOME"} <= set(kept.partition("=")[2].split(","))
