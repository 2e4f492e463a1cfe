"""What the API server does with a CRD's structural schema: defaults, pruning, the commonest checks.

Without pruning a fake would keep a status field that the real server drops, and an operator that
compares what it wrote with what it reads would look calm here and write for ever there.
"""

import functools
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.objects import Object

_TYPES = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "object": dict,
    "array": list,
    "number": (int, float),
}


@functools.cache
def load(path: Path) -> dict[str, Any]:
    """The openAPIV3Schema of the first version of the first CRD in a file of manifests."""
    for document in yaml.safe_load_all(path.read_text()):
        if document and document.get("kind") == "CustomResourceDefinition":
            return document["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    raise ValueError(f"{path} has no CustomResourceDefinition")


def prune(value: Any, schema: dict[str, Any]) -> Any:
    """Drop the fields that the schema does not name, fill in its defaults."""
    if isinstance(value, list):
        return [prune(item, schema.get("items", {})) for item in value]
    if not isinstance(value, dict):
        return value
    properties, more = schema.get("properties", {}), schema.get("additionalProperties")
    keep = schema.get("x-kubernetes-preserve-unknown-fields")
    pruned = {}
    for name, item in value.items():
        if name in properties:
            pruned[name] = prune(item, properties[name])
        elif keep or more:
            pruned[name] = prune(item, more if isinstance(more, dict) else {**_KEEP})
    for name, part in properties.items():
        if name not in pruned and "default" in part:
            pruned[name] = part["default"]
    return pruned


_KEEP = {"x-kubernetes-preserve-unknown-fields": True}


def prune_object(obj: Object, schema: dict[str, Any]) -> Object:
    """Prune spec and status; metadata has rules of its own."""
    parts = {name: prune(obj[name], part) for name, part in schema["properties"].items()
             if name in obj and name in ("spec", "status")}  # fmt: skip
    kept = {name: obj[name] for name in ("apiVersion", "kind", "metadata") if name in obj}
    return {**kept, **parts}


def faults(value: Any, schema: dict[str, Any], path: str = "") -> list[str]:
    """What is wrong with a value: types, enums, bounds and required fields, in the API's words."""
    if value is None:
        return [] if schema.get("nullable") else [f"{path}: Invalid value: null"]
    kind = schema.get("type")
    wrong = kind and not isinstance(value, _TYPES[kind])
    if wrong or (kind == "integer" and isinstance(value, bool)):
        return [f'{path}: Invalid value: "{_name(value)}": {path} must be of type {kind}']
    if "enum" in schema and value not in schema["enum"]:
        allowed = ", ".join(f'"{item}"' for item in schema["enum"])
        return [f'{path}: Unsupported value: "{value}": supported values: {allowed}']
    return _bounds(value, schema, path) + _inner(value, schema, path)


def _name(value: Any) -> str:
    return next((name for name, kind in _TYPES.items() if isinstance(value, kind)), "null")


def _bounds(value: Any, schema: dict[str, Any], path: str) -> list[str]:
    found = []
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{path}: Invalid value: {value}: should be >= {schema['minimum']}")
    if "maximum" in schema and value > schema["maximum"]:
        found.append(f"{path}: Invalid value: {value}: should be <= {schema['maximum']}")
    return found


def _inner(value: Any, schema: dict[str, Any], path: str) -> list[str]:
    if isinstance(value, list):
        part = schema.get("items", {})
        return [f for i, item in enumerate(value) for f in faults(item, part, f"{path}[{i}]")]
    if not isinstance(value, dict):
        return []
    missing = [name for name in schema.get("required", ()) if name not in value]
    found = [f"{path}.{name}: Required value".lstrip(".") for name in missing]
    for name, part in schema.get("properties", {}).items():
        if name in value:
            found += faults(value[name], part, f"{path}.{name}".lstrip("."))
    return found
