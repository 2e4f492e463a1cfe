"""What a new node gets of the store. The containerd behind it: tests/cluster/test_store.py."""

import json
import os
from pathlib import Path

import pytest

from cluster.host import folders
from cluster.images import store

LAYER = f"{store.SHARED[1]}/1/fs/bin/tool"
BLOB = f"{store.SHARED[0]}/sha256/ab"
DATABASES = (
    "io.containerd.metadata.v1.bolt/meta.db",
    "io.containerd.snapshotter.v1.overlayfs/metadata.db",
)
ON_ANOTHER_DISK = Path("/dev/shm")
ATTRIBUTE = "trusted.layer"  # as those of an overlay, which /tmp may be itself


@pytest.fixture
def source(tmp_path):
    for name in (LAYER, BLOB, *DATABASES):
        path = tmp_path / "store" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "store"


@pytest.fixture
def containers(tmp_path):
    (tmp_path / "node").mkdir()
    folder = tmp_path / "node" / "containerd"
    folder.mkdir()
    return folder


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "image.tar"
    path.write_text("an image")
    return path


def test_a_node_shares_what_no_node_changes_and_gets_copies_of_the_rest(source, containers):
    store.link(source, containers)
    for name in (LAYER, BLOB):
        assert os.path.samefile(source / name, containers / name)
    for name in DATABASES:
        (containers / name).write_text("changed by the node")
        assert (source / name).read_text() == name
    assert list(containers.parent.iterdir()) == [containers]


def test_what_a_node_deletes_stays_in_the_store(source, containers):
    store.link(source, containers)
    folders.remove(containers)
    assert (source / LAYER).read_text() == LAYER


def test_an_interrupted_call_is_no_obstacle(source, containers):
    half = store.unfinished_of(containers) / "io.containerd.metadata.v1.bolt"
    half.mkdir(parents=True)
    (half / "meta.db").write_text("half")
    store.link(source, containers)
    assert {name: (containers / name).read_text() for name in DATABASES} == dict(
        zip(DATABASES, DATABASES, strict=True)
    )


def test_a_layer_keeps_what_an_overlay_reads(source, containers):
    """A folder that hides those below it, a link to a folder, and other owners."""
    layer = source / store.SHARED[1] / "1" / "fs"
    os.setxattr(layer / "bin", ATTRIBUTE, b"y")
    os.chown(layer / "bin", 12, 34)
    (layer / "bin").chmod(0o1770)
    (layer / "sbin").symlink_to("bin")
    store.link(source, containers)
    linked = containers / store.SHARED[1] / "1" / "fs"
    status = (linked / "bin").stat()
    assert os.getxattr(linked / "bin", ATTRIBUTE) == b"y"
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (12, 34, 0o1770)
    assert os.readlink(linked / "sbin") == "bin"


def test_a_cache_in_which_root_may_not_write_has_no_store(tmp_path, containers, monkeypatch):
    def squashed(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", squashed)
    assert not store.can_link(tmp_path / "cache" / "image-store", containers)


def test_links_lead_to_the_same_file_system_alone(tmp_path, containers):
    assert store.can_link(tmp_path / "cache" / "image-store", containers)
    assert list(containers.parent.iterdir()) == [containers]
    assert list((tmp_path / "cache" / "image-store").iterdir()) == []
    assert not store.can_link(tmp_path / "cache" / "image-store", ON_ANOTHER_DISK / "containerd")


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(None, id="a node that is to have no images"),
        pytest.param(ON_ANOTHER_DISK / "containerd", id="a node on another disk"),
    ],
)
def test_such_a_node_is_given_nothing(tmp_path, containers, archive, target):
    archives = [archive] if target else []
    folder = tmp_path / "cache" / "image-store"
    assert not store.lend(archives, tmp_path, target or containers, print, folder)
    assert not store.root(folder).exists()


def test_a_store_holds_what_its_list_names_in_full(tmp_path, archive):
    listed = tmp_path / "archives.json"
    assert not store.holds([archive], tmp_path)
    listed.write_text(json.dumps([store.fingerprint(archive)]))
    assert store.holds([archive], tmp_path)
    archive.write_text("another image")
    assert not store.holds([archive], tmp_path)


@pytest.mark.parametrize("content", ["", "[", "{}", "\0" * 64])
def test_a_list_that_is_not_whole_names_nothing(tmp_path, archive, content):
    (tmp_path / "archives.json").write_text(content)
    assert not store.holds([archive], tmp_path)
