import pytest

from cluster import paths
from cluster.errors import CannotGoOn
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


def test_a_file_that_is_no_archive_is_said(cluster, tmp_path):
    (tmp_path / "text").write_text("hello")
    with pytest.raises(CannotGoOn, match="is not an archive"):
        load.archive_for(cluster, str(tmp_path / "text"))


def test_the_learners_images_are_exported_before_root_is_asked_for(monkeypatch):
    from cluster import __main__ as command

    order = []
    monkeypatch.setattr(command.load, "running", lambda _: None)
    monkeypatch.setattr(command.learner, "export", lambda name: order.append(name) or "a.tar")
    monkeypatch.setattr(command.privilege, "become_root", order.append)
    monkeypatch.setattr(command, "as_root", lambda *_: None)
    command.main(["load", "localhost/model:1"])
    assert order == ["localhost/model:1", ["load", "--name", "lab", "a.tar"]]
