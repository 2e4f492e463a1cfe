"""The unpacked images that all clusters share, with the containerd that unpacks them."""

import signal
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.images import store
from cluster.library import Cluster
from cluster.lifecycle import load
from cluster.node import addresses
from cluster.programs import binaries
from cluster.workshop import table
from tests.cluster.waits import wait_until

TRAINER, SMALL = table.WORKSHOP
FILL = "from pathlib import Path; from cluster.images import store;"
FILL += "store.fill([Path({archive!r})], Path({programs!r}), print, Path({folder!r}))"


@pytest.fixture
def folder(tmp_path):
    """An empty store, of this test alone."""
    made = tmp_path / "image-store"
    made.mkdir()
    return made


def started(image: str, folder: Path) -> subprocess.Popen[bytes]:
    """A process that fills a store."""
    archive, programs = str(table.IMAGES.build(image)), str(binaries.folder())
    code = FILL.format(archive=archive, programs=programs, folder=str(folder))
    return subprocess.Popen([sys.executable, "-c", code], cwd=paths.CHECKOUT)


def users_of(folder: Path) -> list[str]:
    """Command lines that name the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{folder}/" in words:
            found.append(words)
    return found


def of_host() -> set[str]:
    """What containerd would leave on the machine."""
    return {str(path) for place in ("/run", "/opt") for path in Path(place).glob("*containerd*")}


def test_who_is_killed_while_unpacking_leaves_nothing_that_runs(folder):
    filling = started(TRAINER, folder)
    database = store.root(folder) / "io.containerd.metadata.v1.bolt" / "meta.db"
    wait_until(database.exists)
    filling.send_signal(signal.SIGKILL)
    filling.wait()
    wait_until(lambda: not users_of(folder))
    archive = table.IMAGES.build(SMALL)
    assert not store.holds([table.IMAGES.build(TRAINER)], folder)
    before = of_host()
    store.fill([archive], binaries.folder(), print, folder)
    assert store.holds([archive], folder)
    assert not users_of(folder)
    assert of_host() == before


def test_an_archive_that_cannot_be_imported_is_named(folder, tmp_path):
    broken = tmp_path / "broken.tar"
    with tarfile.open(broken, "w") as tar:
        tar.add(__file__, "nothing")
    with pytest.raises(CannotGoOn, match=r"broken\.tar"):
        store.fill([broken], binaries.folder(), print, folder)
    assert not store.holds([broken], folder)


@pytest.fixture
def beside_the_store():
    """A folder for clusters that links lead to from the store."""
    with tempfile.TemporaryDirectory(dir=paths.CACHE) as folder:
        yield Path(folder)


def inodes(root: Path) -> set[int]:
    """Of the files of unpacked layers."""
    return {path.stat().st_ino for path in (root / store.SHARED[1]).rglob("*") if path.is_file()}


def test_a_cluster_begins_with_the_images_and_leaves_them_to_the_next(cluster, beside_the_store):
    """The first cluster ever fills the store, and what a cluster deletes stays there."""
    ctr = (f"{addresses.BIN}/ctr", "--namespace=k8s.io", "images")
    shell = (sys.executable, "-m", "cluster", "shell", "--name=store", "--")
    with Cluster("store", state=beside_the_store, images=None) as own:
        assert all(load.is_loaded(own.paths, archive) for archive in table.archives())
        unpacked = inodes(store.root())
        assert unpacked <= inodes(own.paths.var / "lib" / "containerd")
        own.run(*shell, *ctr, "rm", "--sync", TRAINER, SMALL)
        assert TRAINER not in own.run(*shell, *ctr, "ls", "--quiet").stdout
    assert not own.paths.folder.exists()
    assert inodes(store.root()) == unpacked
    assert store.holds(table.archives())
