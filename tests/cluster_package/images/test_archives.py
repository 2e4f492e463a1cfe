import json
import os
import tarfile

import pytest

from cluster.images import archives, builders


@pytest.fixture
def context(tmp_path):
    folder = tmp_path / "context"
    (folder / "package").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "package" / "main.py").write_text("print()\n")
    return folder


def test_a_scratch_image_holds_its_program_and_runs_it(tmp_path):
    program = tmp_path / "hello"
    program.write_bytes(b"\x7fELF")
    archive = tmp_path / "hello.tar"
    archives.scratch_archive(archive, "registry.example/hello:1", program)
    with tarfile.open(archive) as outer:
        [entry] = json.load(outer.extractfile("manifest.json"))
        config = json.load(outer.extractfile(entry["Config"]))
        [layer] = [outer.extractfile(name) for name in entry["Layers"]]
        with tarfile.open(fileobj=layer) as inner:
            [member] = inner.getmembers()
            assert (member.name, member.mode) == ("hello", 0o755)
    assert entry["RepoTags"] == ["registry.example/hello:1"]
    assert config["config"]["Entrypoint"] == ["/hello"]


def change_content(folder):
    (folder / "package" / "main.py").write_text("print(1)\n")


def rename(folder):
    (folder / "package" / "main.py").rename(folder / "package" / "other.py")


def make_executable(folder):
    (folder / "package" / "main.py").chmod(0o755)


def compile_python(folder):
    (folder / "package" / "__pycache__").mkdir()
    (folder / "package" / "__pycache__" / "main.pyc").write_bytes(b"x")


def touch(folder):
    (folder / "Dockerfile").touch()


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        pytest.param(change_content, True, id="another content is another image"),
        pytest.param(rename, True, id="another name is another image"),
        pytest.param(make_executable, True, id="another mode is another image"),
        pytest.param(compile_python, False, id="what Python compiles does not count"),
        pytest.param(touch, False, id="times do not count"),
    ],
)
def test_context_digest(context, change, differs):
    before = archives.context_digest(context)
    change(context)
    assert (archives.context_digest(context) != before) is differs


def test_an_image_that_was_built_is_not_built_again(context, tmp_path, monkeypatch):
    monkeypatch.setattr(archives.paths, "CHECKOUT", tmp_path)
    monkeypatch.setattr(archives.paths, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(archives, "CONTEXTS", {"localhost/x:1.0.0": "context"})
    monkeypatch.setenv("PATH", str(tmp_path))  # no builder at all
    archive = archives.archive_of("localhost/x:1.0.0")
    archive.parent.mkdir(parents=True)
    archive.write_text("archive")
    assert archives.build("localhost/x:1.0.0") == archive


@pytest.fixture
def based(context, tmp_path, monkeypatch):
    """The archive's name of an image, and of one that is built on it; changes with the files."""
    monkeypatch.setattr(archives.paths, "CHECKOUT", tmp_path)
    monkeypatch.setattr(archives.paths, "CACHE", tmp_path / "cache")
    (tmp_path / "notebook").mkdir()
    (tmp_path / "notebook/Dockerfile").write_text("FROM localhost/x:1.0.0 AS x\nFROM x\n")
    known = {"localhost/x:1.0.0": "context", "localhost/notebook:1.0.0": "notebook"}
    monkeypatch.setattr(archives, "CONTEXTS", known)
    return lambda: [archives.archive_of(image).name for image in known]


def test_an_image_changes_with_the_one_that_it_is_built_on(context, based):
    base, notebook = based()
    change_content(context)
    assert [a == b for a, b in zip(based(), (base, notebook), strict=True)] == [False, False]


def test_an_image_does_not_change_with_the_one_that_is_built_on_it(tmp_path, based):
    base, notebook = based()
    (tmp_path / "notebook/Dockerfile").write_text("FROM localhost/x:1.0.0\n")
    assert [a == b for a, b in zip(based(), (base, notebook), strict=True)] == [True, False]


def test_a_base_of_the_workshop_comes_from_its_archive(based, monkeypatch):
    ran = []
    archive = archives.archive_of("localhost/x:1.0.0")
    archive.parent.mkdir(parents=True)
    archive.write_text("archive")
    monkeypatch.setattr(archives, "builder", lambda: "docker")
    monkeypatch.setattr(archives, "USUAL_BUILD", {"notebook": "a minute"})
    monkeypatch.setattr(archives.builders, "run", lambda command, what: ran.append(command))
    monkeypatch.setattr(
        archives.builders, "export", lambda tool, image, to: to.write_text("archive")
    )
    archives.build("localhost/notebook:1.0.0", report=lambda line: None)
    assert [command[:2] for command in ran] == [["docker", "load"], ["docker", "build"]]
    assert str(archive) in ran[0]


def test_make_lab_builds_no_image_of_one_module_alone():
    assert set(archives.ON_DEMAND) == set(archives.CONTEXTS) - set(archives.WORKSHOP)
    assert not set(archives.ON_DEMAND) & set(archives.WORKSHOP)


def test_of_earlier_builds_the_last_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(builders, "export", lambda tool, image, to: to.write_text("archive"))
    for age, digest in enumerate(["aaaaaaaaaaaa", "bbbbbbbbbbbb"]):
        old = tmp_path / f"x-1.0.0-{digest}.tar"
        old.touch()
        os.utime(old, (age, age))
    archives.export("docker", "localhost/x:1.0.0", tmp_path / "x-1.0.0-cccccccccccc.tar")
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"x-1.0.0-bbbbbbbbbbbb.tar", "x-1.0.0-cccccccccccc.tar"}


def test_a_nodes_archive_that_an_earlier_version_named_otherwise_is_made_again(
    tmp_path, monkeypatch
):
    for name in ("pause", "coredns"):
        (tmp_path / name).write_bytes(b"a program")
    before = archives.node_archives(tmp_path)
    monkeypatch.setattr(archives.components, "PAUSE_IMAGE", "registry.example/pause:1.0.0")
    after = archives.node_archives(tmp_path)
    assert before[0] != after[0]
    assert before[1] == after[1]
