"""Play the cases on a real cluster, and record what the validator reads there.

    python -m tests.validator.record [--on NAME] [--operator] [CASE...]

Takes about ten minutes. Run it after a change of what the reader reads, of the
operator's objects, or of the cases. Its cluster, named ``record``, is stopped at
the end; with --on, a running local cluster of that name is used, and stays. With
cases, such as 5.1-solution, only those are recorded again; with --operator only
those that install the operator, each of which starts from what the one before
left. The exit code is 1 if the validator said something else of a case, which is
recorded all the same.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from cluster.workshop import table
from tests.conftest import Cluster, with_images
from tests.validator import stage
from tests.validator.all_cases import ALL, PLAYED, TYPED_CHEATS
from tests.validator.cases import INSTALL, OPERATOR, Case
from tests.validator.cases_module1 import MODULE1
from validator.engine import grade
from validator.handin.whitelist import whitelisted
from validator.redaction import redact
from validator.snapshot import Snapshot

NAME = "record"
# What the cluster's runtime puts before a name without a registry, and where it
# would look for it: no learner wrote either.
DEFAULT_REGISTRY = re.compile("docker" + r"\.io/")
REGISTRY_HOST = re.compile(r"[\w-]+\.docker" + r"\.io")
# Trainings at a time on two cores; what does not train mostly waits.
TRAININGS = 2
OTHERS = 4
# How often the moment before the operator looks is tried.
ATTEMPTS = 10
_PRINTING = threading.Lock()


def main() -> int:
    """Play and record the cases. Returns: 1 if the validator surprised us with any."""
    parser = argparse.ArgumentParser(prog="python -m tests.validator.record")
    parser.add_argument("--on", metavar="NAME", help="a running local cluster")
    parser.add_argument("--operator", action="store_true", help="only those of the operator")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    options = parser.parse_args()
    unknown = set(options.cases) - {case.title for case in (*ALL, *TYPED_CHEATS)}
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    if options.on:
        return _record_all(Cluster(options.on), options)
    with with_images(NAME) as cluster:
        return _record_all(cluster, options)


def _record_all(cluster: Cluster, options: argparse.Namespace) -> int:
    cluster.kubectl("create", "namespace", stage.OPERATOR_NAMESPACE, check=False)
    stage.run_for_operator(cluster, INSTALL)
    surprises = [] if options.operator else _played_side_by_side(cluster, options.cases)
    of_images = [case.title for case in MODULE1 if case.title in options.cases]
    if not options.operator and (of_images or not options.cases):
        from tests.validator import record_images

        surprises += record_images.play(str(cluster.kubeconfig), of_images)
    if options.operator or not options.cases:
        surprises += _play_the_operators(cluster, options.cases)
    print(f"{len(surprises)} surprises: {', '.join(surprises)}" if surprises else "no surprises")
    return 1 if surprises else 0


def _played_side_by_side(cluster: Cluster, titles: list[str]) -> list[str]:
    chosen = [c for c in (*PLAYED, *TYPED_CHEATS) if c.title in titles or not titles]
    if any(case.exercise.startswith("8.") for case in chosen):
        load = [sys.executable, "-m", "cluster", "load", "--name", cluster.name]
        cluster.run(*load, *table.ON_DEMAND, timeout=600)
    with ThreadPoolExecutor(TRAININGS) as training, ThreadPoolExecutor(OTHERS) as other:
        beside = [c for c in chosen if not c.alone]
        jobs = [(c, (training if c.trains else other).submit(_record, cluster, c)) for c in beside]
    alone = [case.title for case in chosen if case.alone and _record(cluster, case)]
    return _surprising(jobs) + alone


def _play_the_operators(cluster: Cluster, titles: list[str]) -> list[str]:
    """One after the other; the operator is installed as before at the end."""
    chosen = [c for c in OPERATOR if c.title in titles or not titles]
    gone = ("helm", "uninstall", "tf-job", "--wait", "--ignore-not-found")
    stage.run_for_operator(cluster, gone)
    try:
        return [case.title for case in chosen if _record(cluster, case)]
    finally:
        stage.run_for_operator(cluster, INSTALL)


def _surprising(jobs: Iterable[tuple[Case, Future[bool]]]) -> list[str]:
    return [case.title for case, job in jobs if job.result()]


def _record(cluster: Cluster, case: Case) -> bool:
    """Play a case, keep what was read, say how it went. Returns: whether it was a surprise."""
    try:
        answer = _play(cluster, case)
    except pytest.fail.Exception as failure:
        print(f"SURPRISE {case.title}: {failure}", flush=True)
        return True
    kept = _kept(answer.data)
    case.snapshot.write_text(written(kept))
    (of_file,) = grade(Snapshot(kept), [case.exercise])
    fits = stage.fits(case, answer.grade) and not answer.accused
    same = (of_file.verdict, of_file.finding) == (answer.grade.verdict, answer.grade.finding)
    with _PRINTING:
        print(f"{'recorded' if fits and same else 'SURPRISE'} {case.title}: {answer}", flush=True)
        if answer.accused:
            print(f"    said wrongly on the way: {', '.join(answer.accused)}", flush=True)
        if not same:
            print(f"    but of the file: {of_file.verdict.value} {of_file.finding}", flush=True)
    return not (fits and same)


def _play(cluster: Cluster, case: Case) -> stage.Answer:
    for _ in range(ATTEMPTS if case.at_once else 1):
        with stage.played(cluster, case) as where:
            stage.apply(cluster, case, where)
            answer = stage.ask(cluster, case, where)
        if stage.fits(case, answer.grade):
            break
    return answer


def written(data: dict[str, Any]) -> str:
    """A recorded world as a file: a line for each of its parts, since there are many worlds."""
    parts = (f"{json.dumps(key)}: {json.dumps(data[key])}" for key in data)
    return "{" + ",\n".join(parts) + "}\n"


def _kept(data: dict[str, Any]) -> dict[str, Any]:
    """What ``python -m validator snapshot`` writes of this, without any registry's host.

    Who recorded it is left out: no verdict depends on it.
    """
    text = REGISTRY_HOST.sub("registry.example", json.dumps(redact(whitelisted(data))))
    found: dict[str, Any] = json.loads(DEFAULT_REGISTRY.sub("", text))
    return found


if __name__ == "__main__":
    sys.exit(main())
