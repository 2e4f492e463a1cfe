import pytest

from cluster import builders, load, paths
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


@pytest.fixture
def builder(monkeypatch, tmp_path):
    """A builder whose commands are noted; it has the images of the list that is returned."""
    had: list[str] = []

    def export(command, target, what):
        if command[-2] not in had:
            raise CannotGoOn(what, "no such image")
        target.write_text("archive")

    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(builders, "working", lambda: ["podman"])
    monkeypatch.setattr(builders, "export_to", export)
    return had


@pytest.mark.parametrize("known_as", ["localhost/ann/model:1", "ann/model:1"])
def test_a_learners_image_is_found_under_the_name_that_its_builder_gave_it(builder, known_as):
    builder.append(builders.full_reference(known_as))
    assert load.export("ann/model:1").read_text() == "archive"


def test_an_image_that_nobody_has_is_said_with_what_the_builders_said(builder):
    with pytest.raises(CannotGoOn, match=r"(?s)no builder has an image ann/model:1.*no such image"):
        load.export("ann/model:1")


def test_the_learners_images_are_exported_before_root_is_asked_for(monkeypatch):
    from cluster import __main__ as command

    order = []
    monkeypatch.setattr(command.load, "running", lambda _: None)
    monkeypatch.setattr(command.load, "export", lambda name: order.append(name) or "a.tar")
    monkeypatch.setattr(command.privilege, "become_root", order.append)
    monkeypatch.setattr(command, "as_root", lambda *_: None)
    command.main(["load", "ann/model:1"])
    assert order == ["ann/model:1", ["load", "--name", "lab", "a.tar"]]
