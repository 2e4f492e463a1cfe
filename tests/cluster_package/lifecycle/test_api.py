import json

import pytest
import yaml

from cluster.lifecycle import api, up
from cluster.workshop import table


@pytest.mark.parametrize(
    ("kind", "namespace", "path"),
    [
        pytest.param("Service", "n", "api/v1/namespaces/n/services/x", id="in a namespace"),
        pytest.param("StorageClass", None, "apis/storage.k8s.io/v1/storageclasses/x", id="in none"),
    ],
)
def test_path_of(kind, namespace, path):
    metadata = {"name": "x"} | ({"namespace": namespace} if namespace else {})
    assert api.path_of({"kind": kind, "metadata": metadata}) == path


@pytest.mark.parametrize(
    "file", [*sorted(up.MANIFESTS.glob("*.yaml")), *table.MANIFESTS], ids=lambda p: p.name
)
def test_every_manifest_has_a_path(file):
    for manifest in yaml.safe_load_all(file.read_text()):
        assert api.path_of(manifest).startswith("api")


@pytest.mark.parametrize(
    ("freshness", "found"),
    [
        pytest.param(["Current"], True, id="served"),
        pytest.param(["Stale"], False, id="nobody answers behind it"),
        pytest.param(["Current", "Stale"], False, id="one version is out of reach"),
        pytest.param(None, False, id="not there"),
    ],
)
def test_serves(monkeypatch, freshness, found):
    versions = [{"version": "v1", "freshness": f} for f in freshness or []]
    others = {"metadata": {"name": "apps"}, "versions": [{"freshness": "Current"}]}
    group = {"metadata": {"name": "metrics.k8s.io"}, "versions": versions}
    items = [others, group] if freshness else [others]
    answer = (200, json.dumps({"items": items}).encode())
    monkeypatch.setattr(api.Api, "__init__", lambda self: None)
    monkeypatch.setattr(api.Api, "request", lambda *_, **__: answer)
    assert api.Api().serves("metrics.k8s.io") is found
