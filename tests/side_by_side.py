"""How `make test` runs tests beside each other: what must not meet is in one group.

A group runs on one worker of pytest-xdist, in the order of its files. Each worker has a cluster
of its own (`tests/conftest.py`), so groups share no operator, no GPU and no node. They share the
host, of which three things are there once: the ports that pages open, the learner's `docker`,
and what a cluster may leave behind. Whoever uses one that is taken waits for it (`alone`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

from cluster import paths

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
# Two clusters with a training in each, and TensorFlow in both workers.
WORKERS, MEMORY_BYTES = 2, 14 << 30
# Files of one group begin with one of these.
TOGETHER = {
    # These start clusters of their own, and compare the host before and after.
    "clusters": (
        "tests/cluster/test_node.py",
        "tests/cluster/test_library.py",
        "tests/cluster/test_ordinary_user.py",
        "tests/cluster/test_own_cluster.py",
        "tests/cluster_package/",
    ),
}
# The longest come first, so that no worker waits at the end; all others follow. What computes runs
# beside the first pages, which wait, and what waits beside pages 5 to 7, which train. When the
# second worker reaches the other clusters, the first has done the pages that forward the same port.
FIRST = (
    "tests/cluster/test_docs.py",
    "tests/tfjob_operator",
    "clusters",
    "tests/cluster/test_operator_life.py",
    "tests/cluster/test_operator_chaos.py",
    "tests/cluster/test_other_clusters.py",
    "tests/cluster/test_validator.py",
    "tests/fashion_mnist",
)


class Scheduling(LoadScopeScheduling):
    """Give a free worker the next group."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def group(nodeid: str) -> str:
    """The group of a test: one by name, its file in tests/cluster, else its folder."""
    file = nodeid.partition("::")[0]
    for name, beginnings in TOGETHER.items():
        if file.startswith(beginnings):
            return name
    parts = Path(file).parts
    return file if parts[:2] == ("tests", "cluster") else "/".join(parts[:2])


def rank(nodeid: str) -> tuple[int, str]:
    """Sorts tests by group, those of FIRST first; a stable sort keeps the order within a group."""
    name = group(nodeid)
    return (FIRST.index(name) if name in FIRST else len(FIRST)), name


def workers(processors: int, memory_bytes: int) -> int:
    """How many workers a machine has room for."""
    return WORKERS if processors >= WORKERS and memory_bytes >= MEMORY_BYTES else 1


def cluster_name(name: str, worker: str = WORKER) -> str:
    """The cluster of this worker; without workers the name itself."""
    return f"{name}-{worker}" if worker else name


@contextlib.contextmanager
def alone(name: str) -> Iterator[None]:
    """Have what the host has once, such as ``port-8080``; wait while another test has it."""
    paths.make_folder(paths.STATE)
    with (paths.STATE / f"tests-{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def host_alone() -> contextlib.AbstractContextManager[None]:
    """While containers run on the host, no other test compares what is there, and vice versa."""
    return alone("host")
