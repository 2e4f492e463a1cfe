from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from cluster import paths
from cluster.lifecycle import health, load


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


def test_a_list_of_loaded_archives_that_is_cut_off_is_written_again(cluster, tmp_path):
    archive = tmp_path / "image.tar"
    archive.write_bytes(b"one")
    load.remember(cluster, archive)
    listed = cluster.var / "lib" / "loaded.json"
    listed.write_text(listed.read_text()[:-3])
    assert not load.is_loaded(cluster, archive)
    load.remember(cluster, archive)
    assert load.is_loaded(cluster, archive)


def test_what_ends_at_once_is_remembered_together(cluster, tmp_path):
    images = [tmp_path / f"{number}.tar" for number in range(30)]
    for image in images:
        image.touch()
    with ThreadPoolExecutor(len(images)) as pool:
        list(pool.map(lambda image: load.remember(cluster, image), images))
    assert all(load.is_loaded(cluster, image) for image in images)


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
    waiting, known = reported(monkeypatch, cluster, *answers)
    assert waiting.startswith("Waiting until the node names it")
    assert known == "The node has localhost/a:1"


def test_an_image_that_the_api_names_is_not_waited_for(monkeypatch, cluster):
    assert reported(monkeypatch, cluster, node_with("localhost/a:1")) == [
        "The node has localhost/a:1"
    ]


def test_it_is_not_waited_for_without_end(monkeypatch, cluster):
    _, line = reported(monkeypatch, cluster, node_with())
    assert line.startswith("The API does not name localhost/a:1 yet")
