from pathlib import Path

import pytest

from cluster.node import cgroups

ROOT = Path("/sys/fs/cgroup")


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        pytest.param(
            "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n", [(ROOT, True)], id="version 2 alone"
        ),
        pytest.param(
            "tmpfs /sys/fs/cgroup tmpfs rw 0 0\n"
            "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
            "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n",
            [(ROOT / "memory", False), (ROOT / "unified", True)],
            id="both versions",
        ),
        pytest.param(
            "cgroup /elsewhere/memory cgroup rw 0 0\n", [], id="somebody else's mount is left out"
        ),
    ],
)
def test_hierarchies(mounts, found):
    assert cgroups.hierarchies(mounts) == found


def test_a_new_group_gets_its_parents_processors(tmp_path):
    parent, child = tmp_path, tmp_path / "child"
    child.mkdir()
    for name, value in (("cpuset.cpus", "0-1"), ("cpuset.mems", "0")):
        (parent / name).write_text(value)
        (child / name).write_text("\n")
    cgroups._inherit_cpuset(child)
    assert (child / "cpuset.cpus").read_text() == "0-1"
    assert (child / "cpuset.mems").read_text() == "0"


def test_processors_that_were_chosen_stay(tmp_path):
    (tmp_path / "child").mkdir()
    (tmp_path / "cpuset.cpus").write_text("0-3")
    (tmp_path / "child" / "cpuset.cpus").write_text("2")
    cgroups._inherit_cpuset(tmp_path / "child")
    assert (tmp_path / "child" / "cpuset.cpus").read_text() == "2"


def test_only_controllers_that_are_there_are_handed_on(tmp_path):
    (tmp_path / "cgroup.controllers").write_text("cpu hugetlb memory rdma")
    (tmp_path / "cgroup.subtree_control").write_text("")
    written = []
    original = Path.write_text
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_text", lambda p, t: written.append(t) or original(p, t))
        cgroups._delegate(tmp_path)
    assert written == ["+cpu", "+hugetlb", "+memory"]


@pytest.mark.parametrize(
    ("kernel", "group", "lacking"),
    [
        pytest.param(
            "cpuset cpu io memory hugetlb pids rdma misc",
            "cpuset cpu io memory pids",
            ["hugetlb"],
            id="Debian 12: the kubelet wants every one of its that the kernel has",
        ),
        pytest.param("cpu memory pids", "cpu memory pids", [], id="a kernel with few"),
        pytest.param("cpu pids", "cpu pids", ["memory"], id="a kernel with too few"),
    ],
)
def test_what_the_kubelet_lacks_on_version_2(tmp_path, kernel, group, lacking):
    (tmp_path / "group").mkdir()
    (tmp_path / "cgroup.controllers").write_text(kernel)
    (tmp_path / "group" / "cgroup.controllers").write_text(group)
    assert cgroups.lacking(tmp_path, tmp_path / "group") == lacking


def test_a_node_is_given_all_that_its_kubelet_wants():
    assert set(cgroups.POD_CONTROLLERS) >= cgroups.KUBELET_CONTROLLERS
