import pytest

from cluster import paths
from cluster.lifecycle import load


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "STATE", tmp_path)
    found = paths.cluster("x")
    (found.var / "lib").mkdir(parents=True)
    return found


def test_an_archive_is_loaded_once_and_again_after_it_changed(cluster, tmp_path):
    archive = tmp_path / "image.tar"
    archive.write_bytes(b"one")
    assert not load.is_loaded(cluster, archive)
    load.remember(cluster, archive)
    assert load.is_loaded(cluster, archive)
    archive.write_bytes(b"another")
    assert not load.is_loaded(cluster, archive)
