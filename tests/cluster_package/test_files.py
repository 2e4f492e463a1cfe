"""A file is the old one or the new one, whole."""

import ast
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cluster import files, paths

CLUSTER = Path(paths.__file__).parent
# These write where nobody reads after an interruption: kernel files, a root in memory, a scratch
# folder, and what each start of a node writes again before it is read.
OTHERS = {
    "images/unpacking.py",
    "lifecycle/api.py",
    "lifecycle/export.py",
    "lifecycle/start.py",
    "node/__main__.py",
    "node/attempts.py",
    "node/cgroups.py",
    "node/drivers.py",
    "programs/binaries.py",
    "programs/golang.py",
    "workshop/engine.py",
}


def test_a_file_is_replaced_with_its_mode(tmp_path):
    path = tmp_path / "key"
    path.write_text("old")
    files.write(path, "new", 0o600)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_a_text_may_hold_a_path_that_is_not_utf_8(tmp_path):
    files.write(tmp_path / "activate", os.fsdecode(b"cd /lab\xff"))
    assert (tmp_path / "activate").read_bytes() == b"cd /lab\xff"


def test_a_link_is_there_at_every_moment(tmp_path):
    """A shell of the learner reads .lab/kubeconfig while another `make lab` writes it."""
    link = tmp_path / "kubeconfig"
    files.link(link, Path("0"))
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(lambda: [link.readlink() for _ in range(2000)])
        for number in range(2000):
            files.link(link, Path(str(number)))
    assert len(read.result()) == 2000
    assert link.readlink() == Path("1999")
    assert list(tmp_path.iterdir()) == [link]


def test_an_interruption_leaves_the_old_file_and_the_next_write_succeeds(tmp_path, monkeypatch):
    path = tmp_path / "options.json"
    files.write(path, "old")

    def full(_):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(paths, "to_disk", full)
        with pytest.raises(OSError):
            files.write(path, "new")
    assert path.read_text() == "old"
    files.write(path, "newer")
    assert path.read_text() == "newer"
    assert list(tmp_path.iterdir()) == [path]


def writes_in_place(source: str) -> bool:
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = {call.attr for call in calls if isinstance(call, ast.Attribute)}
    return bool(names & {"write_text", "write_bytes"})


def test_whoever_writes_a_file_for_later_writes_it_whole():
    found = {
        str(path.relative_to(CLUSTER))
        for path in CLUSTER.rglob("*.py")
        if writes_in_place(path.read_text())
    }
    assert found == OTHERS
