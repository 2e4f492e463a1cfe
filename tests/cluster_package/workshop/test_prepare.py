"""What the disk check asks for."""

import pytest

from cluster import paths
from cluster.images import store
from cluster.workshop import prepare, table


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A machine on which all is built and no cluster runs; the archives of its images."""
    archives = []
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
        archives.append(tmp_path / name)
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(paths, "STATE", tmp_path / "checkout" / ".lab")
    monkeypatch.setattr(prepare.venv, "is_ready", lambda: True)
    monkeypatch.setattr(prepare.binaries, "missing", list)
    monkeypatch.setattr(table.Images, "is_built", lambda *_: True)
    monkeypatch.setattr(table, "archives", lambda: tuple(archives))
    return archives


@pytest.mark.parametrize(
    ("unpacked", "needed"),
    [
        pytest.param(False, prepare.CLUSTER_BYTES, id="the images are to be unpacked"),
        pytest.param(True, prepare.NODE_BYTES, id="they are unpacked for all clusters"),
    ],
)
def test_the_cluster_needs_space_for_what_is_still_to_be_made(built, monkeypatch, unpacked, needed):
    monkeypatch.setattr(store, "holds", lambda archives: unpacked and list(archives) == built)
    assert prepare.space_needed() == [(paths.STATE, needed)]


def test_on_another_disk_the_images_are_unpacked_again(built, monkeypatch):
    monkeypatch.setattr(store, "holds", lambda _: True)
    monkeypatch.setattr(paths, "CACHE", store.Path("/dev/shm/cache"))
    assert prepare.space_needed() == [(paths.STATE, prepare.CLUSTER_BYTES)]
