"""Snapshots as files: written for whoever grades, loaded to be graded, a class at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from validator import cluster
from validator.classroom.rows import Learner, from_file, learner, unreadable
from validator.engine import EXERCISES, Exercise
from validator.kubeconfig import Connection, NoCluster
from validator.snapshot import Snapshot
from validator.verdicts import Verdict

Data = dict[str, Any]


def taken(connection: Connection, exercises: Sequence[Exercise], name: str) -> Data:
    """What the checks of these exercises read, without what is nobody's business.

    Raises: NoCluster.
    """
    from validator.handin.identity import identify
    from validator.handin.whitelist import whitelisted
    from validator.progress import digest
    from validator.redaction import redact

    data = cluster.read(connection, exercises)
    kept: Data = redact(whitelisted(data))
    kept["identity"] = {**identify(connection, data, name), "digest": digest(kept)}
    return kept


def load(path: Path) -> Data:
    """The data of a file. Raises: NoCluster if it is not a snapshot."""
    try:
        data: Data = json.loads(path.read_text())
        Snapshot(data)
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise NoCluster(
            f"{path} is not a snapshot: {why}",
            "Name a file that `python -m validator snapshot -o FILE` has written.",
        ) from None
    return data


def notes(data: Data) -> list[str]:
    """What to say of a file: who took it, and whether it is as it was written."""
    from validator.handin.identity import digest_matches

    who = data.get("identity")
    who = who if isinstance(who, dict) else {}
    name = who.get("name") or who.get("user")
    said = [f"a snapshot of {name}, taken {data.get('taken')}"] if name else []
    if digest_matches(data) is False:
        said.append("the file was changed after it was written: its digest does not fit")
    return said


def class_of_files(paths: Sequence[str]) -> Iterator[Learner]:
    """A row for each file; what cannot be read becomes a row that says why."""
    for path in paths:
        try:
            yield from_file(path, Path(path).read_bytes())
        except OSError as error:
            yield unreadable(path, error.strerror or "it cannot be read")


def class_of_cluster(connection: Connection) -> Iterator[Learner]:
    """A row for each namespace in which somebody has begun. Raises: NoCluster."""
    exercises = [EXERCISES[number] for number in sorted(EXERCISES)]
    for namespace in _namespaces(connection):
        here = replace(connection, namespace=namespace, other_namespaces=())
        data = cluster.read(here, exercises, here=False)
        row = learner(namespace, data, namespace)
        if any(g.verdict in _BEGUN for g in row.grades if g.exercise.number != "5.0"):
            yield row


_BEGUN = (Verdict.DONE, Verdict.WRONG, Verdict.CONVERGING, Verdict.COULD_NOT_CHECK)


def _namespaces(connection: Connection) -> list[str]:
    """All of the cluster but Kubernetes' own. Raises: NoCluster."""
    names = cluster.namespaces(connection)
    return [name for name in names if not name.startswith("kube-")]
