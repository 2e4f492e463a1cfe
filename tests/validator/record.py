"""Record the snapshots of all cases on a real cluster of their own.

    python -m tests.validator.record [--on NAME] [CASE...]

Takes about three minutes; run it after a change of what the reader reads, of
the operator's objects, or of the cases. Its cluster, named ``record``, is
stopped at the end; with --on, a running local cluster of that name is used,
and stays. With cases, such as 5.1-solution, only those are recorded again.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from cluster import paths
from tests.conftest import CHECKOUT, Cluster, environment_for, start_cluster
from tests.validator import cases, stage

NAME = "record"
NAMESPACE = "tf-job-system"
# What the cluster's runtime puts before a name without a registry, and where it
# would look for it: no learner wrote either.
DEFAULT_REGISTRY = re.compile("docker" + r"\.io/")
REGISTRY_HOST = re.compile(r"[\w-]+\.docker" + r"\.io")
PARALLEL = 4


def main() -> int:
    """Play and record the cases. Returns: the number of those that said something else."""
    parser = argparse.ArgumentParser(prog="python -m tests.validator.record")
    parser.add_argument("--on", metavar="NAME")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    options = parser.parse_args()
    if options.on:
        folder = paths.kubeconfig(options.on)
        return _surprises(Cluster(options.on, folder, environment_for(folder)), options.cases)
    subprocess.run([sys.executable, "-m", "cluster", "build"], cwd=CHECKOUT, check=True)
    try:
        return _surprises(start_cluster(NAME), options.cases)
    finally:
        stop = [sys.executable, "-m", "cluster", "down", "--name", NAME]
        subprocess.run(stop, cwd=CHECKOUT, check=False)


def _surprises(cluster: Cluster, names: list[str]) -> int:
    surprises = [] if names else _play_the_operators(cluster)
    install = ("helm", "upgrade", "--install", *cases.INSTALL[2:], "--wait")
    cluster.run(*install, "--namespace", NAMESPACE, "--create-namespace")
    played = [*cases.TRAINING, *cases.DISTRIBUTED]
    chosen = [case for case in played if f"{case.exercise}-{case.name}" in names or not names]
    surprises += [_record(cluster, case) for case in chosen if case.alone]
    with ThreadPoolExecutor(PARALLEL) as pool:
        together = [case for case in chosen if not case.alone]
        return sum(surprises) + sum(pool.map(lambda case: _record(cluster, case), together))


def _play_the_operators(cluster: Cluster) -> list[bool]:
    cluster.kubectl("create", "namespace", NAMESPACE, check=False)
    gone = ("helm", "uninstall", "tf-job", "--namespace", NAMESPACE, "--ignore-not-found", "--wait")
    cluster.run(*gone)
    surprises = [_record(cluster, cases.BLOCKED)]
    surprises += [_record_operator(cluster, case) for case in cases.OPERATOR]
    cluster.run(*gone)
    return surprises


def _record_operator(cluster: Cluster, case: cases.Case) -> bool:
    for command in case.commands:
        cluster.run(*command, "--namespace", NAMESPACE)
    return _write(cluster, case, NAMESPACE)


def _record(cluster: Cluster, case: cases.Case) -> bool:
    with stage.played(cluster, case) as namespace:
        return _write(cluster, case, namespace)


def _write(cluster: Cluster, case: cases.Case, namespace: str) -> bool:
    """Ask, keep the snapshot, and say how it went. Returns: whether it was a surprise."""
    said = stage.ask(cluster, case, namespace)
    command = [sys.executable, "-m", "validator", "snapshot", "-o", "-", "--namespace", namespace]
    taken = REGISTRY_HOST.sub("registry.example", cluster.run(*command).stdout)
    taken = DEFAULT_REGISTRY.sub("", taken)
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
