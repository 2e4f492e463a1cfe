import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.images.scratch import scratch_archive
from cluster.workshop import engine, learner, table


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        pytest.param("module1-ex1:v1", "docker tag module1-ex1:v1 localhost/module1-ex1:v1",
                     id="no registry"),
        pytest.param("module1-ex1", "docker tag module1-ex1 localhost/module1-ex1:v1",
                     id="neither registry nor version"),
        pytest.param("ann/x:1", "docker tag ann/x:1 localhost/ann/x:1", id="a folder, no registry"),
        pytest.param("localhost/x", "docker tag localhost/x localhost/x:v1", id="no version"),
        pytest.param("localhost/x:latest", "docker tag localhost/x:latest localhost/x:v1",
                     id="no version but latest"),
    ],
)  # fmt: skip
def test_a_name_by_which_no_pod_finds_the_image_gets_the_fix(name, fix):
    with pytest.raises(CannotGoOn, match=f"`{fix}`"):
        learner.check_name(name)


@pytest.mark.parametrize(
    "name", ["localhost/x:v1", "registry.example/a/x:1", "localhost/x@sha256:1"]
)
def test_a_whole_name_is_taken(name):
    learner.check_name(name)


@pytest.fixture
def stores(tmp_path, monkeypatch):
    """Two programs that have images: the first has `localhost/one:1`, the second also `two`."""
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    found = []
    for number, names in enumerate((["localhost/one:1"], ["localhost/one:1", "localhost/two:1"])):
        program = tmp_path / f"store{number}"
        known = " ".join(f'test "$last" = {name} && exit 0;' for name in names)
        program.write_text(
            '#!/bin/sh\nfor last in "$@"; do :; done\n'
            f'if [ "$1" = save ]; then echo {number} $last; exit 0; fi\n{known} exit 1\n'
        )
        program.chmod(0o755)
        found.append((f"store {number}", [str(program)]))
    monkeypatch.setattr(learner, "stores", lambda: iter(found))


@pytest.mark.parametrize(("name", "number"), [("localhost/one:1", 0), ("localhost/two:1", 1)])
def test_an_image_comes_from_the_first_store_that_has_it(stores, name, number):
    archive = learner.export(name)
    assert archive.read_text() == f"{number} {name}\n"
    learner.remove_exported([archive])
    assert not archive.exists()


def test_an_archive_of_the_users_stays(stores, tmp_path):
    (tmp_path / "mine.tar").touch()
    learner.remove_exported([tmp_path / "mine.tar"])
    assert (tmp_path / "mine.tar").exists()


def test_what_an_interrupted_command_exported_is_removed_by_the_next(stores):
    running = learner.export("localhost/one:1")
    ended = subprocess.Popen(["true"])
    ended.wait()
    left_over = running.with_name(f"0-{ended.pid}.tar")
    left_over.touch()
    learner.export("localhost/two:1")
    assert not left_over.exists()
    assert running.exists()


def test_an_image_that_no_store_has_says_where_it_was_looked_for(stores):
    with pytest.raises(CannotGoOn, match="store 0, store 1; build it first"):
        learner.export("localhost/three:1")


def test_the_layers_of_an_archive_are_those_of_its_image(tmp_path):
    (tmp_path / "program").write_text("x")
    scratch_archive(tmp_path / "x.tar", "localhost/x:1", tmp_path / "program")
    with tarfile.open(tmp_path / "x.tar") as tar:
        name = json.load(tar.extractfile("manifest.json"))[0]["Config"]
        wanted = json.load(tar.extractfile(name))["rootfs"]["diff_ids"]
    assert learner.layers_of(tmp_path / "x.tar") == wanted


def test_the_learners_docker_is_looked_into_first(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "STATE", tmp_path)
    engine.folder().mkdir()
    engine.link().touch()
    assert next(learner.stores()) == ("docker", [str(engine.link())])


def test_an_archive_is_found_from_the_folder_where_root_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.tar").touch()
    assert learner.exported(["x.tar", table.SAMPLE]) == [str(tmp_path / "x.tar"), table.SAMPLE]


def test_a_folder_that_is_called_as_an_image_is_no_archive(stores, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "localhost/one:1").mkdir(parents=True)
    (found,) = learner.exported(["localhost/one:1"])
    assert Path(found).parent == paths.CACHE / "exported"
