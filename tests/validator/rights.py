"""Which right each request of the validator takes, and what ``validator/rbac.yaml`` gives.

As Kubernetes reads a request: a list with ``metadata.name=`` in its field
selector counts as one of that name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from validator import cluster
from validator.engine import Check, Exercise
from validator.subjects import Autoscaler, Claim, Deployment, Job, Service, TfJob

FILE = Path(__file__).resolve().parents[2] / "validator" / "rbac.yaml"
_BY_NAME = "metadata.name="
Rule = dict[str, Any]
# Everything that the reader can be asked for, whatever the exercises of today read.
READS = frozenset(
    {*cluster.LISTS, *cluster.OF_OPERATOR, "logs", "near misses", "groups", "answer board:80/data"}
)


def that_read_everything(job: str = "x") -> list[Exercise]:
    """Exercises of every kind of subject: 5.1's TfJob, a Job of this name, and some that miss."""
    subjects = [TfJob("module5-ex1"), Job(job)]
    subjects += [kind("missing") for kind in (TfJob, Job, Deployment, Service, Claim, Autoscaler)]
    check = Check("x", "", lambda seen: None, READS)
    return [Exercise(f"9.{n}", "", "", each, [check]) for n, each in enumerate(subjects)]


def is_watched(label: str) -> bool:
    """Whether ``--watch`` watches what is read under this label."""
    return label in cluster.LISTS or label in cluster.OF_OPERATOR


def watch_of(path: str) -> str:
    """The watch of a list."""
    return f"{path}{'&' if '?' in path else '?'}watch=true"


class Right(NamedTuple):
    """What one request takes; ``namespace`` and ``name`` are "" where it names none."""

    verb: str
    group: str
    resource: str
    name: str
    namespace: str


def right_of(path: str) -> Right | None:
    """The right that a GET of this path takes; None where everybody may, as for /version."""
    parts = urlsplit(path)
    query = parse_qs(parts.query)
    segments = [unquote(segment) for segment in parts.path.strip("/").split("/")]
    group, rest = ("", segments[2:]) if segments[0] == "api" else (segments[1:2], segments[3:])
    namespace = ""
    if rest[:1] == ["namespaces"]:
        namespace = rest[1]
        rest = rest[2:] or rest
    if not rest:
        return None
    resource, name, below = (*rest, "", "", "")[:3]
    selected = query.get("fieldSelector", [""])[0]
    if not name and selected.startswith(_BY_NAME):
        verb, name = "list", selected.removeprefix(_BY_NAME)
    else:
        verb = "get" if name else "list"
    if query.get("watch") == ["true"]:
        verb = "watch"
    whole = f"{resource}/{below}" if below else resource
    return Right(verb, "".join(group), whole, name, namespace)


def rules() -> tuple[list[Rule], list[Rule], list[Rule]]:
    """The rules of the Role, of the ClusterRole, and of the one for the operator's namespace."""
    role, everywhere, operator = yaml.safe_load_all(FILE.read_text())
    return role["rules"], everywhere["rules"], operator["rules"]


def allows(given: Iterable[Rule], right: Right) -> bool:
    """Whether one of these rules gives this right, wherever they are bound."""
    return any(
        right.group in rule["apiGroups"]
        and right.resource in rule["resources"]
        and right.verb in rule["verbs"]
        and right.name in rule.get("resourceNames", [right.name])
        for rule in given
    )


def each_left_out(given: list[Rule]) -> Iterator[tuple[str, list[Rule]]]:
    """(what is missing, the rules without it) for each verb of each resource, and each name."""
    for position, rule in enumerate(given):
        for key in ("verbs", "resources", "resourceNames"):
            for value in rule.get(key, []):
                fewer = {**rule, key: [v for v in rule[key] if v != value]}
                yield (
                    f"{rule['resources']} {value}",
                    [
                        *given[:position],
                        fewer,
                        *given[position + 1 :],
                    ],
                )
        for resource in rule["resources"]:
            for verb in rule["verbs"]:
                others = {**rule, "resources": [r for r in rule["resources"] if r != resource]}
                less = {**rule, "resources": [resource]}
                less["verbs"] = [v for v in rule["verbs"] if v != verb]
                yield (
                    f"{verb} {resource}",
                    [
                        *given[:position],
                        others,
                        less,
                        *given[position + 1 :],
                    ],
                )
