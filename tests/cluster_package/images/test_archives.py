import gzip
import io
import lzma
import os
import tarfile

import pytest

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.images import archives, builders, scratch

BASE = "localhost/x:1.0.0"
NOTEBOOK = "localhost/notebook:1.0.0"


@pytest.fixture
def context(tmp_path):
    folder = tmp_path / "context"
    (folder / "package").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "package" / "main.py").write_text("print()\n")
    return folder


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


@pytest.fixture
def images(context, tmp_path, monkeypatch):
    """An image, and one that is built on it."""
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path)
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    (tmp_path / "notebook").mkdir()
    (tmp_path / "notebook/Dockerfile").write_text("FROM localhost/x:1.0.0 AS x\nFROM x\n")
    return archives.Images(
        {BASE: archives.Source("context"), NOTEBOOK: archives.Source("notebook")}
    )


@pytest.fixture
def names(images):
    """The names of both archives; they change with the files."""
    return lambda: [images.archive_of(image).name for image in images]


def test_an_image_that_was_built_is_not_built_again(images, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # no builder at all
    archive = images.archive_of(BASE)
    archive.parent.mkdir(parents=True)
    archive.write_text("archive")
    assert images.build(BASE) == archive


def test_an_image_changes_with_the_one_that_it_is_built_on(context, names):
    base, notebook = names()
    change_content(context)
    assert [a == b for a, b in zip(names(), (base, notebook), strict=True)] == [False, False]


def test_an_image_does_not_change_with_the_one_that_is_built_on_it(tmp_path, names):
    base, notebook = names()
    (tmp_path / "notebook/Dockerfile").write_text("FROM localhost/x:1.0.0\n")
    assert [a == b for a, b in zip(names(), (base, notebook), strict=True)] == [True, False]


def test_a_base_of_ours_comes_from_its_archive(images, monkeypatch):
    ran = []
    archive = images.archive_of(BASE)
    archive.parent.mkdir(parents=True)
    archive.write_text("archive")
    monkeypatch.setattr(builders, "find", lambda: "docker")
    monkeypatch.setattr(builders, "run", lambda command, what: ran.append(command))
    monkeypatch.setattr(builders, "export", lambda tool, image, to: to.write_text("archive"))
    images.build(NOTEBOOK, report=lambda line: None)
    assert [command[:2] for command in ran] == [["docker", "load"], ["docker", "build"]]
    assert str(archive) in ran[0]


def test_of_earlier_builds_the_last_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(builders, "export", lambda tool, image, to: to.write_text("archive"))
    others = tmp_path / "x-gpu-1.0.0-dddddddddddd.tar"
    others.touch()
    for age, build in enumerate(["0.9.0-eeeeeeeeeeee", "1.0.0-aaaaaaaaaaaa", "1.0.0-bbbbbbbbbbbb"]):
        old = tmp_path / f"x-{build}.tar"
        old.touch()
        os.utime(old, (age, age))
    archives.export("docker", "localhost/x:1.0.0", tmp_path / "x-1.0.0-cccccccccccc.tar")
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"x-1.0.0-bbbbbbbbbbbb.tar", "x-1.0.0-cccccccccccc.tar", others.name}


def test_an_archive_is_called_by_the_names_of_its_images(tmp_path):
    (program := tmp_path / "program").write_bytes(b"x")
    scratch.scratch_archive(tmp_path / "image.tar", "localhost/a:1", program)
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.add(program, "program")
    assert archives.names_in(tmp_path / "image.tar") == ["localhost/a:1"]
    assert archives.names_in(tmp_path / "other.tar") == []


def tar_with(*entries):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for entry in entries:
            tar.addfile(entry, io.BytesIO(b"x" * entry.size))
    return buffer.getvalue()


def entry_of(name, **values):
    entry = tarfile.TarInfo(name)
    for key, value in values.items():
        setattr(entry, key, value)
    return entry


LONG = tar_with(entry_of("layer.tar", size=200_000))
LINK = tar_with(entry_of("manifest.json", type=tarfile.SYMTYPE, linkname="manifest.json"))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"no archive", id="a text"),
        pytest.param(LONG[:100_000], id="cut off"),
        pytest.param(gzip.compress(LONG)[:100], id="a download that is cut off"),
        pytest.param(gzip.compress(os.urandom(9999))[:20] + b"\0" * 99, id="gzip, damaged"),
        pytest.param(lzma.compress(LONG)[:50] + b"x" * 50, id="xz, damaged"),
        pytest.param(LINK, id="a manifest that links to itself"),
    ],
)
def test_what_is_no_whole_archive_gets_a_sentence(tmp_path, content):
    (tmp_path / "image.tar").write_bytes(content)
    with pytest.raises(CannotGoOn, match="is not a whole archive; make it again"):
        archives.names_in(tmp_path / "image.tar")
