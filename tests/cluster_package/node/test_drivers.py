import os

import pytest

from cluster.node import drivers

DRIVER = drivers.Driver(
    over=("/usr/lib",),
    beside=("/opt/driver",),
    libraries=("/usr/lib/nvidia/libcuda.so.1", "/opt/driver/lib/libcuda.so.1"),
    tools=("/usr/lib/nvidia/bin/nvidia-smi", "/opt/driver/bin/nvidia-smi"),
)
# Where they are in the cluster's folder.
LIBRARIES = ("usr-lib/nvidia/libcuda.so.1", "opt-driver/lib/libcuda.so.1")
TOOLS = ("usr-lib/nvidia/bin/nvidia-smi", "opt-driver/bin/nvidia-smi")


def test_the_tree_has_every_file_and_says_that_it_is_simulated(tmp_path):
    tool = tmp_path / "tool"
    tool.write_bytes(b"\x7fELF")
    drivers.write(tmp_path / "tree", DRIVER, tool)
    for path in LIBRARIES:
        assert "Simulated" in (tmp_path / "tree" / path).read_text()
    for path in TOOLS:
        assert (tmp_path / "tree" / path).stat().st_mode & 0o777 == 0o755


def test_a_newer_tool_replaces_the_one_of_a_cluster_that_was_there(tmp_path):
    tool = tmp_path / "tool"
    tool.write_bytes(b"old")
    drivers.write(tmp_path / "tree", DRIVER, tool)
    tool.write_bytes(b"new")
    drivers.write(tmp_path / "tree", DRIVER, tool)
    for path in TOOLS:
        assert (tmp_path / "tree" / path).read_bytes() == b"new"
        assert (tmp_path / "tree" / path).stat().st_mode & 0o777 == 0o755


def test_a_tree_that_lost_a_file_is_mended(tmp_path):
    tool = tmp_path / "tool"
    tool.write_bytes(b"")
    drivers.write(tmp_path / "tree", DRIVER, tool)
    lost = tmp_path / "tree" / LIBRARIES[0]
    lost.unlink()
    drivers.write(tmp_path / "tree", DRIVER, tool)
    assert lost.exists()


@pytest.mark.parametrize("umask", [0o027, 0o077])
def test_containers_of_any_user_read_the_tree_whatever_the_umask(tmp_path, umask):
    tool = tmp_path / "tool"
    tool.write_bytes(b"")
    before = os.umask(umask)
    try:
        drivers.write(tmp_path / "tree", DRIVER, tool)
    finally:
        os.umask(before)
    for path in [tmp_path / "tree", *(tmp_path / "tree").rglob("*")]:
        needed = 0o005 if path.is_dir() else 0o004
        assert path.stat().st_mode & needed == needed, path
