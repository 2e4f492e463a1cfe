import pytest

from cluster import load, paths


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


def test_a_file_that_is_no_archive_is_said(cluster, tmp_path):
    (tmp_path / "text").write_text("hello")
    with pytest.raises(ValueError, match="is not an archive"):
        load.archive_for(cluster, str(tmp_path / "text"))
