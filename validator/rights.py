"""Rights of Kubernetes' RBAC as sets of (API group, resource, verb). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import NamedTuple

from validator.snapshot import Object, at, listed


class Right(NamedTuple):
    """One verb on one resource; the core group is "", and "*" stands for all."""

    group: str
    resource: str
    verb: str


Rights = frozenset[tuple[str, str, str]]


def rights(given: Mapping[tuple[str, str], str]) -> Rights:
    """{(API group, resource): "verb verb"} as a set."""
    return frozenset(
        Right(*where, verb) for where, verbs in given.items() for verb in verbs.split()
    )


def of_role(role: Object) -> Rights:
    """What a Role gives, whatever names its rules are for."""
    return frozenset(
        Right(*right)
        for rule in listed(role, "rules")
        for right in product(*(_texts(rule, key) for key in ("apiGroups", "resources", "verbs")))
    )


def lacking(wanted: Rights, given: Rights) -> Rights:
    """Those of the wanted rights that are not given, also not by a "*"."""
    return frozenset(right for right in wanted if not any(_covers(g, right) for g in given))


def _covers(given: tuple[str, str, str], right: tuple[str, str, str]) -> bool:
    return all(one in ("*", other) for one, other in zip(given, right, strict=True))


def shown(given: Iterable[tuple[str, str, str]]) -> str:
    """Rights in words: "create, get tfjobs.tensorflow.org; get pods/log"."""
    by_resource: dict[str, list[str]] = {}
    for group, resource, verb in sorted(given, key=lambda r: (r[1], r[0], r[2])):
        name = f"{resource}.{group}" if group else resource
        by_resource.setdefault(name, []).append(verb)
    return "; ".join(f"{', '.join(verbs)} {name}" for name, verbs in by_resource.items())


def _texts(rule: Object, key: str) -> list[str]:
    value = at(rule, key)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
