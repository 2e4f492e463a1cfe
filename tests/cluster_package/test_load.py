from types import SimpleNamespace

import pytest

from cluster import health, images, load, paths
from cluster.errors import CannotGoOn


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


def node_with(*names):
    return {"items": [{"status": {"images": [{"names": [name]} for name in names]}}]}


def reported(monkeypatch, cluster, *answers):
    """What `load` prints while the API answers these, one after the other."""
    said, left = [], iter(answers)
    monkeypatch.setattr(load, "running", lambda _: None)
    monkeypatch.setattr(
        health, "api", lambda *_: SimpleNamespace(get=lambda _: next(left, answers[-1]))
    )
    monkeypatch.setattr(load, "POLL_SECONDS", 0)
    monkeypatch.setattr(load, "REPORT_SECONDS", 0.2)
    load.until_reported(cluster, ["localhost/a:1"], said.append)
    return said


def test_a_loaded_image_is_waited_for_until_the_api_names_it(monkeypatch, cluster):
    answers = [None, node_with("localhost/b:1"), node_with("localhost/b:1", "localhost/a:1")]
    assert reported(monkeypatch, cluster, *answers) == ["The node has localhost/a:1"]


def test_it_is_not_waited_for_without_end(monkeypatch, cluster):
    [line] = reported(monkeypatch, cluster, node_with())
    assert line.startswith("The API does not name localhost/a:1 yet")


def test_an_archive_is_called_by_the_names_of_its_images(tmp_path):
    (program := tmp_path / "program").write_bytes(b"x")
    images.scratch_archive(tmp_path / "image.tar", "localhost/a:1", program)
    (tmp_path / "other.tar").write_bytes(b"no archive")
    assert images.names_in(tmp_path / "image.tar") == ["localhost/a:1"]
    assert images.names_in(tmp_path / "other.tar") == []


def test_the_learners_images_are_exported_before_root_is_asked_for(monkeypatch):
    from cluster import __main__ as command

    order = []
    monkeypatch.setattr(command.load, "running", lambda _: None)
    monkeypatch.setattr(command.learner, "export", lambda name: order.append(name) or "a.tar")
    monkeypatch.setattr(command.privilege, "become_root", order.append)
    monkeypatch.setattr(command, "as_root", lambda *_: None)
    command.main(["load", "localhost/model:1"])
    assert order == ["localhost/model:1", ["load", "--name", "lab", "a.tar"]]
