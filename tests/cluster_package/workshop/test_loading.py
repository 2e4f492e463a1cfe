import gzip
import os
import tarfile

import pytest

from cluster import __main__ as command
from cluster import paths
from cluster.errors import CannotGoOn
from cluster.workshop import loading


def test_a_file_that_is_no_archive_is_said(tmp_path):
    (tmp_path / "text").write_text("hello")
    with pytest.raises(CannotGoOn, match="is not an archive"):
        loading.archive_for(str(tmp_path / "text"))


def test_a_download_that_is_cut_off_is_said(tmp_path):
    (tmp_path / "image.tar.gz").write_bytes(gzip.compress(os.urandom(99_999))[:5000])
    with pytest.raises(CannotGoOn, match="is not a"):
        loading.archive_for(str(tmp_path / "image.tar.gz"))


def test_a_failure_leaves_no_exported_archive(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CACHE", tmp_path)
    monkeypatch.setattr(loading.load, "running", lambda _: None)
    exported = [tmp_path / "exported" / f"{name}-1.tar" for name in "ab"]
    exported[0].parent.mkdir()
    for archive in exported:
        tarfile.open(archive, "w").close()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(loading.load, "load", interrupted)
    with pytest.raises(KeyboardInterrupt):
        loading.load_all(paths.cluster("x"), map(str, exported), print)
    assert not any(archive.exists() for archive in exported)


def test_the_learners_images_are_exported_before_root_is_asked_for(monkeypatch):
    order = []
    monkeypatch.setattr(command.load, "running", lambda _: None)
    monkeypatch.setattr(command.learner, "export", lambda name: order.append(name) or "a.tar")
    monkeypatch.setattr(command.privilege, "become_root", order.append)
    monkeypatch.setattr(command, "as_root", lambda *_: None)
    command.main(["load", "localhost/model:1"])
    assert order == ["localhost/model:1", ["load", "--name", "lab", "a.tar"]]
