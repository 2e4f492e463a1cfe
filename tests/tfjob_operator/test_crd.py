"""What the CRD tells people: ``kubectl explain`` and the columns of ``kubectl get``."""

import re

import pytest
import yaml

from tests.fakes import schema
from tests.fakes.paths import CRD

SPELLINGS = [
    pytest.param("spec.RuntimeId", "spec.runtimeId", id="RuntimeId"),
    pytest.param(
        "spec.replicaSpecs.IsDefaultPS", "spec.replicaSpecs.isDefaultPS", id="IsDefaultPS"
    ),
]


def fields(part, path):
    """(path, schema) of every field below ``part``; a list's entries have the list's path."""
    for name, field in part.get("properties", {}).items():
        yield f"{path}.{name}".lstrip("."), field
        yield from fields(field, f"{path}.{name}".lstrip("."))
    if "items" in part:
        yield f"{path}[]", part["items"]
        yield from fields(part["items"], path)


def documented():
    """The fields of spec and status; Kubernetes documents those that every object has."""
    found = fields(schema.load(CRD), "")
    return {path: field for path, field in found if path.startswith(("spec", "status"))}


def columns():
    return yaml.safe_load(CRD.read_text())["spec"]["versions"][0]["additionalPrinterColumns"]


@pytest.mark.parametrize("path", sorted(documented()))
def test_every_field_is_documented_in_a_sentence(path):
    description = documented()[path].get("description", "")
    assert description[:1].isupper(), path
    assert description.endswith("."), path


def test_so_is_the_kind_itself():
    assert schema.load(CRD)["description"].startswith("TfJob is one TensorFlow training")


@pytest.mark.parametrize(("usual", "other"), SPELLINGS)
def test_of_two_spellings_the_description_says_which_to_use(usual, other):
    name = usual.rsplit(".", 1)[-1]
    assert f"Use {name}" in documented()[other]["description"]
    assert "Use" not in documented()[usual]["description"]


def test_of_a_worker_that_may_come_and_go_every_other_field_is_compared():
    """A field that no rule compares changes for the workers to come, and not for those there."""
    replica = schema.load(CRD)["properties"]["spec"]["properties"]["replicaSpecs"]["items"]
    free = {"replicas", "IsDefaultPS", "isDefaultPS"}  # the operator reads no IsDefaultPS
    rule = schema.load(CRD)["x-kubernetes-validations"][0]["rule"]
    compared = set(re.findall(r"has\(o\.(\w+)\)", rule)) | {"tfReplicaType"}
    assert compared == set(replica["properties"]) - free


def test_no_column_prints_a_sentence():
    assert [each["name"] for each in columns()] == ["State", "Phase", "Replicas", "Reason", "Age"]
    known = {"name", "type", "jsonPath", "priority", "description"}
    assert all(each.keys() <= known for each in columns()), "a comma in a text needs quotes"
    shown = {each["jsonPath"] for each in columns()}
    assert not shown & {".status.reason", ".status.conditions[-1:].message"}
