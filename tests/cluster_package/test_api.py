import pytest
import yaml

from cluster import api, up


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


@pytest.mark.parametrize("file", sorted(up.MANIFESTS.glob("*.yaml")), ids=lambda p: p.name)
def test_every_manifest_has_a_path(file):
    for manifest in yaml.safe_load_all(file.read_text()):
        assert api.path_of(manifest).startswith("api")
