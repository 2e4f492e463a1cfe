"""Module 9 shows one training in five languages: each is valid in its own, and all say the same.

The API server of the page's run checks those that it serves. For the others, ``schemas/`` has what
their authors' types say; only what is written there may be in a manifest.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / "modules/9-going-further/manifests/today"
SCHEMAS: dict[str, Any] = {
    kind: schema
    for path in (HERE / "schemas").glob("*.yaml")
    for kind, schema in yaml.safe_load(path.read_text()).items()
}
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
# What a Job or a Pod's template may have at its top; the page's run checks the whole of each.
OF_KUBERNETES = {
    "job": {"completionMode", "completions", "parallelism", "template"},
    "pod": {"metadata", "spec"},
}
REPLICAS, IMAGE, ARGS = 3, "localhost/fashion-mnist:1.2.0", ["--max-steps", "100"]


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / f"{name}.yaml").read_text()))


FOREIGN = [
    pytest.param(document, id=f"{path.stem} {document['kind']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for document in documents(path.stem)
    if document["kind"] in SCHEMAS
]


def faults(value: Any, schema: dict[str, Any], path: str = "spec") -> Iterator[str]:
    """Where a value is not what its schema says."""
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (kind == "integer" and value is True)):
        yield f"{path} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path} is {value}"
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from faults(item, schema.get("items", {}), f"{path}[{number}]")
    if isinstance(value, dict):
        yield from _of_fields(value, schema, path)


def _of_fields(value: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[str]:
    if "kind" in schema:
        yield from faults(value, {"type": "object", **SCHEMAS[schema["kind"]]}, path)
    yield from (f"{path} lacks {name}" for name in schema.get("required", []) if name not in value)
    of_kubernetes = OF_KUBERNETES.get(schema.get("kubernetes", ""))
    known = of_kubernetes or schema.get("keys") or schema.get("properties")
    for name, item in value.items():
        if known and name not in known:
            yield f"{path} has no field {name}"
        below = schema.get("properties", {}).get(name) or schema.get("additionalProperties", {})
        yield from faults(item, below, f"{path}.{name}")


@pytest.mark.parametrize("document", FOREIGN)
def test_a_manifest_for_another_operator_is_as_its_types_say(document):
    schema = SCHEMAS[document["kind"]]
    assert document["apiVersion"] == schema["apiVersion"]
    assert list(faults(document["spec"], {"type": "object", **schema})) == []


def test_each_operator_has_its_manifest():
    kinds = {
        document["kind"] for path in FOLDER.glob("*.yaml") for document in documents(path.stem)
    }
    assert kinds == {*SCHEMAS, "TfJob", "Job", "Service"}


def containers(node: Any) -> Iterator[dict[str, Any]]:
    """Every container, however deep."""
    if isinstance(node, dict):
        yield from node.get("containers", [])
    values = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for value in values:
        yield from containers(value)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_all_train_the_same_image_with_the_same_words(name):
    found = [container for document in documents(name) for container in containers(document)]
    trainers = [d["spec"]["trainer"] for d in documents(name) if d["kind"] == "TrainJob"]
    assert {each["image"] for each in found} == {IMAGE}
    assert all(each["args"] == ARGS for each in trainers or found)


def _counts(document: dict[str, Any]) -> int:
    spec = document["spec"]
    if "replicaSpecs" in spec:
        return sum(each["replicas"] for each in spec["replicaSpecs"])
    if "tfReplicaSpecs" in spec:
        return sum(each["replicas"] for each in spec["tfReplicaSpecs"].values())
    if "trainer" in spec:
        return int(spec["trainer"]["numNodes"])
    if "mlPolicy" in spec:
        return int(spec["mlPolicy"]["numNodes"])
    jobs = [each["template"]["spec"] for each in spec.get("replicatedJobs", [])] or [spec]
    return sum(each["completions"] for each in jobs)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_all_train_with_three_replicas(name):
    counted = [_counts(d) for d in documents(name) if d["kind"] != "Service"]
    assert set(counted) == {REPLICAS}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param(lambda s: s.update(replicaSpecs=[]), "has no field", id="a field of 2017"),
        pytest.param(lambda s: s.pop("runtimeRef"), "lacks runtimeRef", id="nothing to run it"),
        pytest.param(
            lambda s: s["trainer"].update(args="x"), "is no array", id="a text for a list"
        ),
        pytest.param(lambda s: s["runtimeRef"].update(kind="X"), "kind is X", id="another kind"),
    ],
)
def test_a_fault_is_found(change, fault):
    spec = copy.deepcopy(documents("trainjob")[1]["spec"])
    change(spec)
    (found,) = faults(spec, {"type": "object", **SCHEMAS["TrainJob"]})
    assert fault in found
