"""An authoriser for the fake API server: the rules of a ClusterRole, as RBAC reads them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

Rule = dict[str, list[str]]


def read_rules(path: Path, kind: str = "ClusterRole") -> list[Rule]:
    """The rules of every ``kind`` in a manifest; lines of Helm's templating are left out."""
    lines = [line for line in path.read_text().splitlines() if "{{" not in line.strip()[:2]]
    text = "\n".join(line if "{{" not in line else _literal(line) for line in lines)
    documents = [document for document in yaml.safe_load_all(text) if document]
    return [rule for d in documents if d.get("kind") == kind for rule in d.get("rules", [])]


def _literal(line: str) -> str:
    """The templated rest of a line, as a string that YAML takes."""
    return line[: line.index("{{")].rstrip("\"'") + "templated"


def allows(rules: Sequence[Rule], verb: str, group: str, resource: str, name: str = "") -> bool:
    """Whether a rule grants the verb; ``resource`` is "tfjobs" or "tfjobs/status"."""
    return any(
        verb in rule["verbs"]
        and group in rule.get("apiGroups", [])
        and resource in rule.get("resources", [])
        and (not rule.get("resourceNames") or name in rule["resourceNames"])
        for rule in rules
    )


def grants(rules: Sequence[Rule]) -> list[tuple[str, str, str]]:
    """Every (group, resource, verb) that the rules name, once."""
    found: dict[tuple[str, str, str], None] = {}
    for rule in rules:
        for group in rule.get("apiGroups", []):
            for resource in rule.get("resources", []):
                found.update({(group, resource, verb): None for verb in rule["verbs"]})
    return list(found)


def without(rules: Sequence[Rule], group: str, resource: str, verb: str) -> list[Rule]:
    """The rules less one grant."""
    kept: list[dict[str, Any]] = []
    for g, r, v in grants(rules):
        if (g, r, v) != (group, resource, verb):
            kept.append({"apiGroups": [g], "resources": [r], "verbs": [v]})
    return kept
