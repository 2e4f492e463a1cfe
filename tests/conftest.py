"""The real cluster for the tests that need one: started once, called `test`, stopped at the end.

With KEEP_CLUSTER=1 it stays up, so that the next run starts in a second; `make down` stops it.
TEST_CLUSTER=NAME gives it another name.
It is never the learner's: their `lab` and their kubeconfig are not touched.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster import binaries, paths

NAME = os.environ.get("TEST_CLUSTER", "test")
CHECKOUT = paths.CHECKOUT
IMPORT_ROOTS = os.pathsep.join(str(CHECKOUT / d) for d in ("", "operator", "sample-image"))
OPERATOR_NAMESPACE = "tf-job-system"
OPERATOR_RELEASE = "tf-job"


@dataclass(frozen=True)
class Cluster:
    """A running cluster, and an environment in which kubectl and helm speak to it."""

    name: str
    kubeconfig: Path
    env: dict[str, str]

    def run(
        self,
        *argv: str,
        check: bool = True,
        input: str | None = None,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command from the checkout's root; a failure shows what the command said."""
        done = subprocess.run(
            argv,
            input=input,
            timeout=timeout,
            env=self.env,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
        )
        if check and done.returncode:
            pytest.fail(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def kubectl(
        self, *arguments: str, check: bool = True, input: str | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        return self.run("kubectl", *arguments, check=check, input=input, timeout=timeout)


def environment_for(kubeconfig: Path) -> dict[str, str]:
    """What `.lab/activate` would set for this cluster."""
    folders = [str(Path(sys.executable).parent), str(binaries.folder()), os.environ["PATH"]]
    return {
        **os.environ,
        "PATH": os.pathsep.join(folders),
        "KUBECONFIG": str(kubeconfig),
        "PYTHONPATH": IMPORT_ROOTS,
        # What `python -m cluster` of a page means.
        "WORKSHOP_CLUSTER": kubeconfig.parent.name,
        # With the cluster it goes; the learner's own progress is not touched.
        "WORKSHOP_PROGRESS": str(kubeconfig.parent / "progress.json"),
    }


def start_cluster(name: str, *options: str) -> Cluster:
    """Bring a cluster up with the command that users have."""
    command = [sys.executable, "-m", "cluster", "up", "--name", name, *options]
    subprocess.run(command, cwd=CHECKOUT, check=True)
    kubeconfig = paths.kubeconfig(name)
    return Cluster(name, kubeconfig, environment_for(kubeconfig))


def stop_cluster(name: str) -> None:
    command = [sys.executable, "-m", "cluster", "down", "--name", name]
    subprocess.run(command, cwd=CHECKOUT, check=True)


CACHES = (".pytest_cache", ".hypothesis", ".import_linter_cache", ".mypy_cache", ".ruff_cache")


def pytest_unconfigure() -> None:
    """Tests run as root; what they leave in the checkout is for the user who called sudo."""
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
    subprocess.run([sys.executable, "-m", "cluster", "build"], cwd=CHECKOUT, check=True)
    yield start_cluster(NAME)
    if os.environ.get("KEEP_CLUSTER") != "1":
        stop_cluster(NAME)


@pytest.fixture(scope="module")
def today(cluster: Cluster) -> Iterator[Cluster]:
    """A cluster that counts GPUs under today's name alone, as real ones do."""
    yield start_cluster("gpus-today", "--today")
    stop_cluster("gpus-today")


@pytest.fixture(scope="module")
def without_gpus(cluster: Cluster) -> Iterator[Cluster]:
    yield start_cluster("gpus-none", "--gpus", "0")
    stop_cluster("gpus-none")


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
        *("--set", "cloud=azure", "--wait", "--timeout", "2m"),
        timeout=180,
    )
    yield OPERATOR_NAMESPACE
    cluster.run("helm", "uninstall", OPERATOR_RELEASE, *where, "--ignore-not-found", "--wait")
