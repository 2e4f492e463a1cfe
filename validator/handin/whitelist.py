"""The whitelist: of a snapshot, what the checks read of the learner's own work, and nothing else.

Called before a snapshot is written to a file; ``redaction`` then takes out what
looks like a secret in what is left. ``kept_fields`` is the list. The verdicts
of every recorded cluster are the same before and after, by test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from validator.engine import EXERCISES
from validator.handin import excerpts
from validator.handin.kept_fields import BARE, HOLDER, KEPT, OTHER, fields
from validator.handin.own_work import Names, own_objects, selectors
from validator.handin.pruning import kept, pruned
from validator.holders import holds_gpus
from validator.near_misses import KINDS
from validator.snapshot import Object, at, is_true, listed, mapping, name_of, text

Data = dict[str, Any]

FLAGS = ("--namespace=", "--context=")
OF_THE_CLUSTER = (
    *("nodes", "customresourcedefinitions", "storageclasses", "dns"),
    *("resourceslices", "deviceclasses", "priorityclasses"),
    # Of the learner's own machine.
    *("engine", "images", "containers"),
)
# Kinds of which one of another name may be meant, beside those that stand for one another.
RESEMBLING = ("helm", "horizontalpodautoscalers")
GROUPS = re.compile(
    r"[a-z]+|[\w.-]+\.k8s\.io|scheduling\.k8s\.io/v1beta1|kubeflow\.org|tensorflow\.org"
)
IDENTITY = fields("user cluster checkout python kubernetes name digest")
PROBLEM = fields("status message")


def whitelisted(data: Data) -> Data:
    """The part of a snapshot that the checks read; the verdicts on it are the same."""
    names = Names.of(EXERCISES.values())
    own = own_objects(mapping(data, "objects"), names)
    operator = {kind: _of_operator(data, kind) for kind in mapping(data, "operator")}
    ours = [item for section in (own, operator) for items in section.values() for item in items]
    named = frozenset(key for item in ours for labels in selectors(item) for key in labels)
    uids = {text(item, "metadata", "uid") for item in ours} - {""}
    pods = {name_of(pod) for pod in own.get("pods", [])}
    # A container of module 1 has its log under its own name.
    pods |= {name_of(item) for item in listed(data, "objects", "containers")}
    lines = excerpts.known_lines(EXERCISES.values())
    return {
        **{key: data[key] for key in ("version", "taken", "context", "namespace") if key in data},
        "flags": [flag for flag in _texts(data, "flags") if flag.startswith(FLAGS)],
        "groups": [group for group in _texts(data, "groups") if GROUPS.fullmatch(group)],
        "identity": kept(mapping(data, "identity"), IDENTITY),
        "objects": {
            kind: list(_objects(kind, listed(data, "objects", kind), own[kind], names, named, uids))
            for kind in own
            if kind in KEPT or kind in KINDS
        },
        "operator": {
            kind: [pruned(item, kind, named) for item in items]
            for kind, items in operator.items()
            if kind in KEPT
        },
        "elsewhere": _elsewhere(data, names),
        "logs": {
            key: excerpts.of_log(log, lines)
            for key, log in mapping(data, "logs").items()
            if key.partition("/")[0] in pods and log is not None
        },
        "answers": {
            request: excerpts.of_answer(answer)
            for request, answer in mapping(data, "answers").items()
        },
        "missing": dict(_missing(data, pods)),
    }


def _objects(
    kind: str,
    items: list[Object],
    own: list[Object],
    names: Names,
    named: frozenset[str],
    uids: set[str],
) -> Iterator[Object]:
    """Own ones; near misses as metadata; of other TfJobs, whether an operator has seen them."""
    mine = set(map(id, own))
    for item in items:
        near = (kind in KINDS or kind in RESEMBLING) and names.resemble(kind, item)
        status = {"status": OTHER} if kind == "tfjobs" and mapping(item, "status") else {}
        if id(item) in mine or kind in OF_THE_CLUSTER:
            yield pruned(item, kind, named)
        elif kind == "events":
            about = mapping(item, "involvedObject")
            if text(about, "uid") in uids or names.of_child(text(about, "name")):
                yield pruned(item, kind, named)
        elif near or status:
            yield {**(kept(item, BARE, named) if near else {}), **status}
        elif kind == "pods" and holds_gpus(item):
            yield kept(item, HOLDER)


def _of_operator(data: Data, kind: str) -> list[Object]:
    """Of several Deployments of that name, the one that is judged: a class may have many."""
    found = listed(data, "operator", kind)
    if kind != "deployments" or len(found) < 2:
        return found
    available = [d for d in found if is_true(d, "Available")]
    return [d for d in found if d in (found[0], *available[:1])]


def _elsewhere(data: Data, names: Names) -> Data:
    """The learner's own other namespaces that have an exercise's object."""
    found: Data = {}
    claims = {("persistentvolumeclaims", name) for name in names.others}
    for plural, name in sorted(names.subjects | claims):
        namespaces = at(data, "elsewhere", plural, name)
        if isinstance(namespaces, list):
            found.setdefault(plural, {})[name] = [n for n in namespaces if isinstance(n, str)]
    return found


def _missing(data: Data, pods: set[str]) -> Iterator[tuple[str, Object]]:
    for what, problem in mapping(data, "missing").items():
        pod = what.removeprefix("log ").partition("/")[0]
        if not what.startswith("log ") or pod in pods:
            yield what, kept(problem, PROBLEM)


def _texts(data: Data, key: str) -> list[str]:
    value = data.get(key)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
