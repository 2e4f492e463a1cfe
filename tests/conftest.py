"""The real cluster for the tests that need one: started once, called `test`, stopped at the end.

With KEEP_CLUSTER=1 it stays up, so that the next run starts in a second; `make down` stops it.
TEST_CLUSTER=NAME gives it another name. Where tests run beside each other (`make test`), each
worker has one: `test-gw0`, `test-gw1`.
It is never the learner's: their `lab` and their kubeconfig are not touched.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import library, paths
from tests import side_by_side

NAME = side_by_side.cluster_name(os.environ.get("TEST_CLUSTER", "test"))
CHECKOUT = paths.CHECKOUT
IMPORT_ROOTS = os.pathsep.join(str(CHECKOUT / d) for d in ("", "operator", "sample-image"))
OPERATOR_NAMESPACE = "tf-job-system"
OPERATOR_RELEASE = "tf-job"

# A shell's job in the background ignores Ctrl-C, and so would the programs that tests send it to.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """What `-n auto` means here."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return side_by_side.workers(len(os.sched_getaffinity(0)), memory_bytes)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> side_by_side.Scheduling:
    config.option.loadscopereorder = False
    return side_by_side.Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With workers, the longest groups come first; each worker has the same order."""
    if side_by_side.WORKER:
        items.sort(key=lambda item: side_by_side.rank(item.nodeid))


class Cluster(library.Cluster):
    """A cluster with what `.lab/activate` and a page's shell would set."""

    def environment(self) -> dict[str, str]:
        found = super().environment()
        return {
            **found,
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), found["PATH"])),
            "PYTHONPATH": IMPORT_ROOTS,
            # What `python -m cluster` of a page means.
            "WORKSHOP_CLUSTER": self.name,
            # With the cluster it goes; the learner's own progress is not touched.
            "WORKSHOP_PROGRESS": str(self.kubeconfig.parent / "progress.json"),
        }


def with_images(name: str, *options: str, keep: bool = False) -> Cluster:
    """A cluster with the workshop's images, which are built first where they are not."""
    subprocess.run([sys.executable, "-m", "cluster", "build"], cwd=CHECKOUT, check=True)
    return Cluster(name, images=None, options=options, keep=keep)


CACHES = (".pytest_cache", ".hypothesis", ".import_linter_cache", ".mypy_cache", ".ruff_cache")


def pytest_unconfigure() -> None:
    """Tests run as root; what they leave in the checkout is for the user who called sudo."""
    if side_by_side.WORKER:
        return  # whoever started the workers does it, after their end
    for cache in map(CHECKOUT.joinpath, CACHES):
        for path in (cache, *cache.rglob("*")):
            paths.hand_to_user(path)


@pytest.fixture(scope="session", autouse=True)
def progress(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test writes what the learner has done."""
    os.environ["WORKSHOP_PROGRESS"] = str(tmp_path_factory.mktemp("progress") / "progress.json")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The cluster `test` with the workshop's images."""
    with with_images(NAME, keep=os.environ.get("KEEP_CLUSTER") == "1") as started:
        yield started


@pytest.fixture(scope="module")
def today(cluster: Cluster) -> Iterator[Cluster]:
    """A cluster that counts GPUs under today's name alone, as real ones do."""
    with with_images("gpus-today", "--today") as started:
        yield started


@pytest.fixture(scope="module")
def without_gpus(cluster: Cluster) -> Iterator[Cluster]:
    with with_images("gpus-none", "--gpus", "0") as started:
        yield started


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A fresh namespace, deleted after the test; the deletion is not waited for."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    cluster.kubectl(
        "wait", f"--namespace={name}", "--for=create", "serviceaccount/default", "--timeout=30s"
    )
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def operator_release(cluster: Cluster) -> Iterator[str]:
    """The operator, installed with cloud=azure; gives the namespace that it runs in."""
    where = ("--namespace", OPERATOR_NAMESPACE)
    cluster.run("helm", "uninstall", OPERATOR_RELEASE, *where, "--ignore-not-found", "--wait")
    cluster.run(
        *("helm", "install", OPERATOR_RELEASE, "operator/chart", *where, "--create-namespace"),
        *("--set", "cloud=azure", "--wait"),
    )
    yield OPERATOR_NAMESPACE
    cluster.run("helm", "uninstall", OPERATOR_RELEASE, *where, "--ignore-not-found", "--wait")
