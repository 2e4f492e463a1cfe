import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.programs import binaries, compiling, golang, recipes


@pytest.fixture(scope="module")
def go_caches(tmp_path_factory):
    """One for all tests here: the standard library is compiled once."""
    return tmp_path_factory.mktemp("go") / "go-work"


@pytest.fixture
def sources(tmp_path, monkeypatch, go_caches):
    """A workspace of one program, which Go can build without a network."""
    folder = tmp_path / "go" / "pause"
    folder.mkdir(parents=True)
    (tmp_path / "go" / "go.work").write_text("go 1.21\n\nuse ./pause\n")
    (folder / "go.mod").write_text("module example/pause\n\ngo 1.21\n")
    (folder / "main.go").write_text('package main\n\nfunc main() { println("hello") }\n')
    monkeypatch.setattr(binaries, "SOURCES", tmp_path / "go")
    monkeypatch.setattr(binaries.paths, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(binaries, "NEEDED", ("pause",))
    monkeypatch.setattr(golang, "VERSION", own_go())  # nothing is fetched
    monkeypatch.setattr(binaries, "go_work", lambda: go_caches)
    monkeypatch.setenv("KEEP_BUILD_CACHE", "1")
    # A machine whose /tmp is memory, and full: nothing that Go writes may go there.
    monkeypatch.setenv("TMPDIR", str(tmp_path / "not-there"))
    return folder


def own_go():
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    command = [str(golang.find()), "env", "GOVERSION"]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return found.stdout.strip().removeprefix("go")


def test_a_program_is_built_once(sources, capsys):
    folder = binaries.ensure(["pause"])
    said = subprocess.run([folder / "pause"], capture_output=True, text=True).stderr
    assert said == "hello\n"
    assert "Programs: fetching sources" in capsys.readouterr().out
    binaries.ensure(["pause"])
    assert capsys.readouterr().out == ""


def test_how_far_it_is_is_counted_in_packages(tmp_path, monkeypatch):
    packages = ["runtime", "fmt", "example/pause"]
    monkeypatch.setattr(compiling.Build, "_go", lambda *arguments: packages)
    said = []
    compiling.Build(tmp_path, (), tmp_path, tmp_path / "work", 6).run(said.append)
    counts = re.findall(r"(\d) of (\d) packages", "\n".join(said))
    assert counts == [("0", "3"), ("1", "3"), ("2", "3"), ("3", "3")]
    assert "of usually 6 min" in said[-1]


def test_what_an_earlier_build_compiled_is_not_counted_as_still_to_be_done(sources):
    binaries.ensure(["pause"])
    (sources / "main.go").write_text("package main\n\nfunc main() {}\n")
    said = []
    binaries.ensure(["pause"], said.append)
    first = next(re.search(r"(\d+) of (\d+)", text) for text in said if " of " in text)
    assert first[1] == first[2]


def test_the_builds_caches_go_when_all_is_built(sources, monkeypatch, tmp_path):
    (tmp_path / "go-work").mkdir()
    monkeypatch.setattr(binaries, "go_work", lambda: tmp_path / "go-work")
    monkeypatch.setattr(binaries, "_build", lambda names, say: None)
    monkeypatch.setattr(binaries, "_link", lambda name: None)
    monkeypatch.delenv("KEEP_BUILD_CACHE")
    binaries.ensure(["pause"])
    assert not (tmp_path / "go-work").exists()


def test_changed_sources_make_another_folder_and_keep_the_old_one(sources):
    before = binaries.ensure(["pause"])
    (sources / "main.go").write_text("package main\n\nfunc main() {}\n")
    assert binaries.missing(["pause"]) == ["pause"]
    assert binaries.ensure(["pause"]) != before
    assert (before / "pause").exists()


def test_another_compiler_makes_another_folder(sources, monkeypatch):
    before = binaries.folder()
    monkeypatch.setattr(golang, "VERSION", "1.0.0")
    assert binaries.folder() != before


def test_a_pin_of_one_member_counts_for_all_of_the_workspace(sources, monkeypatch):
    other = sources.parent / "etcd"
    other.mkdir()
    (other / "go.mod").write_text("module other\n")
    monkeypatch.setattr(binaries, "NEEDED", ("pause", "etcd"))
    before = binaries.digest("pause")
    (other / "go.mod").write_text("module other\n\nrequire x v1.0.0\n")
    assert binaries.digest("pause") != before


def test_a_build_that_fails_leaves_nothing_and_says_why(sources):
    (sources / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    with pytest.raises(CannotGoOn, match=r"(?s)building the programs failed:.*undefined"):
        binaries.ensure(["pause"])
    assert binaries.missing(["pause"]) == ["pause"]
    assert list((paths.CACHE / "bin" / "store").iterdir()) == []


@pytest.mark.parametrize("file", ["pause", binaries.SIZES])
def test_a_file_that_a_power_cut_left_empty_is_made_again(sources, file):
    folder = binaries.ensure(["pause"])
    os.truncate(binaries._store("pause") / file, 0)
    assert binaries.missing(["pause"]) == ["pause"]
    binaries.ensure(["pause"])
    assert subprocess.run([folder / "pause"], capture_output=True).stderr == b"hello\n"


def test_a_build_that_is_killed_anywhere_goes_on(sources, go_caches):
    """kill -9 at ten places, then the same command; nothing of the killed ones stays."""
    code = f"""
import pathlib
from cluster.programs import binaries, golang
binaries.SOURCES = pathlib.Path({str(binaries.SOURCES)!r})
binaries.paths.CACHE = pathlib.Path({str(paths.CACHE)!r})
binaries.go_work = lambda: pathlib.Path({str(go_caches)!r})
binaries.NEEDED = ("pause",)
golang.VERSION = {golang.VERSION!r}
binaries.ensure(["pause"])
"""
    for place in range(10):
        build = subprocess.Popen(
            [sys.executable, "-c", code], cwd=paths.CHECKOUT, stdout=subprocess.DEVNULL
        )
        time.sleep(0.1 + 0.25 * place)
        build.send_signal(signal.SIGKILL)
        build.wait()
    folder = binaries.ensure(["pause"])
    assert subprocess.run([folder / "pause"], capture_output=True).stderr == b"hello\n"
    store = {path.name for path in (paths.CACHE / "bin" / "store").iterdir()}
    assert store == {f"pause-{binaries.digest('pause')}"}


def test_gos_scratch_folder_is_in_the_cache_and_the_compiler_is_pinned(tmp_path, monkeypatch):
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    monkeypatch.setenv("GOTOOLCHAIN", "local")
    environment = compiling.Build(binaries.SOURCES, (), tmp_path, tmp_path, 1).environment()
    assert environment["GOTMPDIR"] == str(tmp_path / "tmp")
    assert environment["GOTOOLCHAIN"] == f"go{golang.VERSION}"
    assert environment["GOFLAGS"] == "-mod=readonly -modcacherw"
    assert environment["GOWORK"] == str(binaries.SOURCES / "go.work")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        pytest.param("go: dial tcp: lookup example: no such host", "the network", id="no network"),
        pytest.param("write x: no space left on device", "the disk is full: .*XDG", id="full disk"),
        pytest.param("compile: signal: killed", "want of memory", id="the kernel's choice"),
    ],
)
def test_a_failure_names_its_cause(said, sentence, tmp_path):
    assert re.search(sentence, str(compiling.failure(said, tmp_path)))


@pytest.mark.parametrize(
    ("package", "program"),
    [
        pytest.param("./kubernetes", "kubernetes", id="a folder"),
        pytest.param("go.etcd.io/etcd/server/v3", "server", id="a major version"),
        pytest.param("a/cmd/training-operator.v1", "training-operator.v1", id="not one"),
    ],
)
def test_what_go_calls_a_program(package, program):
    assert binaries.output_of(package) == program


@pytest.mark.parametrize("name", binaries.RECIPES)
def test_every_program_is_pinned(name):
    folder = binaries.SOURCES / name
    requires = "require" in (folder / "go.mod").read_text()
    assert (folder / "go.sum").exists() is requires


@pytest.mark.parametrize("name", binaries.RECIPES)
def test_every_module_builds_with_the_compiler_that_is_pinned(name):
    text = (binaries.SOURCES / name / "go.mod").read_text()
    version = re.search(r"(?m)^go (\S+)$", text)[1]
    assert tuple(map(int, version.split("."))) <= tuple(map(int, golang.VERSION.split(".")))


def test_the_workspace_has_every_program_that_a_cluster_needs():
    used = re.findall(r"^\t\./(\S+)$", (binaries.SOURCES / "go.work").read_text(), re.MULTILINE)
    assert set(used) == set(recipes.NEEDED)


def test_the_members_of_the_workspace_agree_on_every_version():
    """A dependency in two versions would be compiled twice where a member is built alone."""
    wanted = {}
    for name in recipes.NEEDED:
        text = (binaries.SOURCES / name / "go.mod").read_text()
        for module, version in re.findall(r"(?m)^\s*(?:require )?(\S+\.\S+/\S+) (v\S+)", text):
            wanted.setdefault(module, set()).add(version)
    assert {module: found for module, found in wanted.items() if len(found) > 1} == {}


def test_the_store_knows_the_sizes(sources):
    binaries.ensure(["pause"])
    sizes = json.loads((binaries._store("pause") / binaries.SIZES).read_text())
    assert sizes == {"pause": (binaries.folder() / "pause").stat().st_size}
