"""Record the snapshots of all cases on a real cluster of their own.

    python -m tests.validator.record

Takes about three minutes; run it after a change of what the reader reads, of
the operator's objects, or of the cases. The cluster, named ``record``, is
stopped at the end.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.conftest import CHECKOUT, start_cluster
from tests.validator import cases, stage

NAME = "record"
NAMESPACE = "tf-job-system"
# What the cluster's runtime puts before a name without a registry: no learner wrote it.
DEFAULT_REGISTRY = re.compile("docker" + r"\.io/")
PARALLEL = 4


def main() -> int:
    """Play and record every case. Returns: the number of cases that said something else."""
    subprocess.run([sys.executable, "-m", "cluster", "build"], cwd=CHECKOUT, check=True)
    cluster = start_cluster(NAME)
    try:
        cluster.kubectl("create", "namespace", NAMESPACE, check=False)
        return sum(_surprises(cluster))
    finally:
        stop = [sys.executable, "-m", "cluster", "down", "--name", NAME]
        subprocess.run(stop, cwd=CHECKOUT, check=False)


def _surprises(cluster: Any) -> list[bool]:
    surprises = [_record(cluster, cases.BLOCKED)]
    surprises += [_record_operator(cluster, case) for case in cases.OPERATOR]
    repair = ("helm", "upgrade", "--install", *cases.INSTALL[2:], "--wait")
    cluster.run("helm", "uninstall", "tf-job", "--namespace", NAMESPACE, "--wait")
    cluster.run(*repair, "--namespace", NAMESPACE)
    surprises += [_record(cluster, case) for case in cases.TRAINING if case.alone]
    with ThreadPoolExecutor(PARALLEL) as pool:
        together = [case for case in cases.TRAINING if not case.alone]
        return surprises + list(pool.map(lambda case: _record(cluster, case), together))


def _record_operator(cluster: Any, case: cases.Case) -> bool:
    for command in case.commands:
        cluster.run(*command, "--namespace", NAMESPACE)
    return _write(cluster, case, NAMESPACE)


def _record(cluster: Any, case: cases.Case) -> bool:
    with stage.played(cluster, case) as namespace:
        return _write(cluster, case, namespace)


def _write(cluster: Any, case: cases.Case, namespace: str) -> bool:
    """Ask, keep the snapshot, and say how it went. Returns: whether it was a surprise."""
    said = stage.ask(cluster, case, namespace)
    command = [sys.executable, "-m", "validator", "snapshot", "-o", "-", "--namespace", namespace]
    taken = DEFAULT_REGISTRY.sub("", cluster.run(*command).stdout)
    case.snapshot.write_text(json.dumps(json.loads(taken), indent=1) + "\n")
    try:
        stage.expect(case, said)
    except AssertionError:
        print(f"SURPRISE {case.exercise} {case.name}: {said}", flush=True)
        return True
    print(f"recorded {case.exercise} {case.name}: {said.found}", flush=True)
    return False


if __name__ == "__main__":
    sys.exit(main())
