import gzip
import os

import pytest

from cluster import __main__ as command
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


def test_the_learners_images_are_exported_before_root_is_asked_for(monkeypatch):
    order = []
    monkeypatch.setattr(command.load, "running", lambda _: None)
    monkeypatch.setattr(command.learner, "export", lambda name: order.append(name) or "a.tar")
    monkeypatch.setattr(command.privilege, "become_root", order.append)
    monkeypatch.setattr(command, "as_root", lambda *_: None)
    command.main(["load", "localhost/model:1"])
    assert order == ["localhost/model:1", ["load", "--name", "lab", "a.tar"]]
