"""Play the cases of 1.1 in a container engine, and record what the validator reads.

    python -m tests.validator.record_images --on NAME [CASE...]

One after the other, in a store of images of their own (`tests.containers`). --on: a running local
cluster, whose nodes are read. `record` plays them, too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cluster import paths
from cluster.workshop import learner
from tests import containers
from tests.validator import record, stage
from tests.validator.cases_module1 import CHEATS, MODULE1, Built
from validator import cluster as reader
from validator.engine import EXERCISES, grade
from validator.kubeconfig import Connection, connect
from validator.snapshot import Snapshot

NAMESPACE = "case-1-1"
STARTER = paths.CHECKOUT / "modules/1-docker/starter"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.validator.record_images")
    parser.add_argument("--on", metavar="NAME", required=True)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    options = parser.parse_args()
    return 1 if play(str(paths.kubeconfig(options.on)), options.cases) else 0


def play(kubeconfig: str, titles: Iterable[str]) -> list[str]:
    """Play and record the cases. Returns: those of which the validator said something else."""
    chosen = [c for c in (*MODULE1, *CHEATS) if c.title in titles or not titles]
    os.environ.update(containers.environment())
    learner.bring_base(print)
    # Nothing is made in the cluster: its namespace need not be there.
    found = connect(kubeconfig, None, NAMESPACE)
    where = replace(found, other_namespaces=(), flags=(f"--namespace={NAMESPACE}",))
    return [case.title for case in chosen if _is_surprise(case, where)]


def _is_surprise(case: Built, where: Connection) -> bool:
    containers.empty({})
    with tempfile.TemporaryDirectory() as folder:
        prepare(case, Path(folder))
        for line in case.typed:
            _type(line, folder)
    data = reader.read(where, list(EXERCISES.values()))
    case.edit(data)
    kept = record._kept(data)
    case.snapshot.write_text(record.written(kept))
    (live,) = grade(Snapshot(data), ["1.1"])
    (of_file,) = grade(Snapshot(kept), ["1.1"])
    same = (live.verdict, live.finding) == (of_file.verdict, of_file.finding)
    fits = stage.fits(case, live) and same
    print(
        "recorded" if fits else "SURPRISE", f"{case.title}: {stage.Answer(data, live)}", flush=True
    )
    return not fits


def prepare(case: Built, folder: Path) -> None:
    """The learner's folder: a Dockerfile, and the program that is given or another."""
    shutil.copy(STARTER / "main.py", folder)
    if case.program:
        (folder / "main.py").write_text(case.program)
    (folder / "Dockerfile").write_text(case.dockerfile)


def _type(line: str, folder: str) -> None:
    command = line.removeprefix("! ")
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True)
    assert (done.returncode != 0) == line.startswith("! "), f"{line}: {done.stdout}{done.stderr}"


if __name__ == "__main__":
    sys.exit(main())
