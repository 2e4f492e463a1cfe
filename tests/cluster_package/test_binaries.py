import re
import subprocess

import pytest

from cluster import binaries


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """One program that Go can build without a network."""
    folder = tmp_path / "go" / "pause"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module example\n\ngo 1.21\n")
    (folder / "main.go").write_text('package main\n\nfunc main() { println("hello") }\n')
    monkeypatch.setattr(binaries, "SOURCES", tmp_path / "go")
    monkeypatch.setattr(binaries.paths, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(binaries, "NEEDED", ("pause",))
    return folder


def test_a_program_is_built_once(sources, capsys):
    folder = binaries.ensure(["pause"])
    said = subprocess.run([folder / "pause"], capture_output=True, text=True).stderr
    assert said == "hello\n"
    assert "Building pause (1 of 1" in capsys.readouterr().out
    binaries.ensure(["pause"])
    assert capsys.readouterr().out == ""


def test_changed_sources_make_another_folder_and_keep_the_old_one(sources):
    before = binaries.ensure(["pause"])
    (sources / "main.go").write_text("package main\n\nfunc main() {}\n")
    assert binaries.missing(["pause"]) == ["pause"]
    assert binaries.ensure(["pause"]) != before
    assert (before / "pause").exists()


def test_a_build_that_fails_leaves_nothing_and_says_which_it_was(sources):
    (sources / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    with pytest.raises(SystemExit, match=r"(?s)building pause .*failed:.*undefined"):
        binaries.ensure(["pause"])
    assert binaries.missing(["pause"]) == ["pause"]


def test_without_a_network_the_sentence_names_it():
    said = binaries._failure("Building etcd", ["go: dial tcp: lookup example: no such host\n"])
    assert "needs the network once" in said


def test_a_full_disk_is_named():
    said = binaries._failure("Building etcd", ["write x: no space left on device\n"])
    assert "the disk is full" in said


@pytest.mark.parametrize("name", binaries.RECIPES)
def test_every_program_is_pinned(name):
    folder = binaries.SOURCES / name
    requires = "require" in (folder / "go.mod").read_text()
    assert (folder / "go.sum").exists() is requires


@pytest.mark.parametrize("name", binaries.RECIPES)
def test_every_module_builds_with_the_go_that_can_be_fetched(name):
    text = (binaries.SOURCES / name / "go.mod").read_text()
    version = re.search(r"(?m)^go (\S+)$", text)[1]
    assert tuple(map(int, version.split("."))) <= (1, 26, 6)
