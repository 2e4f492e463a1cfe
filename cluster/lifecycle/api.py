"""A few requests to the API server with the administrator's certificate.

Enough to bring a cluster up; standard library only, because importing a whole client
takes longer than asking. Called by `up`, `health` and `status`.
"""

from __future__ import annotations

import base64
import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cluster.lifecycle import kubeconfigs
from cluster.node.server import Server

# The collection of each kind that the manifests use: (API, plural, namespaced).
COLLECTIONS = {
    "ServiceAccount": ("api/v1", "serviceaccounts", True),
    "ConfigMap": ("api/v1", "configmaps", True),
    "Service": ("api/v1", "services", True),
    "Deployment": ("apis/apps/v1", "deployments", True),
    "ClusterRole": ("apis/rbac.authorization.k8s.io/v1", "clusterroles", False),
    "ClusterRoleBinding": ("apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", False),
    "RoleBinding": ("apis/rbac.authorization.k8s.io/v1", "rolebindings", True),
    "StorageClass": ("apis/storage.k8s.io/v1", "storageclasses", False),
    "PriorityClass": ("apis/scheduling.k8s.io/v1", "priorityclasses", False),
    "DeviceClass": ("apis/resource.k8s.io/v1", "deviceclasses", False),
    "EndpointSlice": ("apis/discovery.k8s.io/v1", "endpointslices", True),
    "APIService": ("apis/apiregistration.k8s.io/v1", "apiservices", False),
}
# How clients ask for all groups at once; a group that cannot be reached is marked there.
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class Api(Server):
    """One API server, asked as the administrator. `certificates` is the PKI folder."""

    def __init__(self, address: str, port: int, certificates: Path, timeout_seconds: float = 5):
        super().__init__(address, port, certificates, "admin", timeout_seconds)

    def get(self, path: str) -> dict[str, Any] | None:
        """The object at a path, or None if there is none or nobody answers."""
        try:
            status, body = self.request("GET", path)
        except OSError:
            return None
        return json.loads(body) if status == 200 else None

    def serves(self, group: str) -> bool:
        """Whether clients find an API group in every version that it should have."""
        try:
            status, body = self.request("GET", "/apis", accept=DISCOVERY)
        except OSError:
            return False
        groups = json.loads(body)["items"] if status == 200 else []
        versions = [v for g in groups if g["metadata"]["name"] == group for v in g["versions"]]
        return bool(versions) and all(v["freshness"] == "Current" for v in versions)

    def apply(self, manifest: dict[str, Any]) -> None:
        """Create an object or make it as the manifest says (server-side apply).

        Raises: RuntimeError with the server's message if it refuses.
        """
        body = json.dumps(manifest).encode()  # which is YAML, too
        target = f"/{path_of(manifest)}?fieldManager=workshop&force=true"
        status, answer = self.request("PATCH", target, body, "application/apply-patch+yaml")
        if status not in (200, 201):
            raise RuntimeError(f"{target}: {status} {answer.decode(errors='replace')[:300]}")


@contextlib.contextmanager
def from_kubeconfig(kubeconfig: Path, timeout_seconds: float) -> Iterator[Api | None]:
    """The API server of a kubeconfig of ours; None if it may not be read."""
    try:
        config = kubeconfigs.read(kubeconfig)
    except OSError:
        yield None
        return
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    where = urlsplit(cluster["server"])
    contents = {
        "ca.crt": cluster["certificate-authority-data"],
        "admin.crt": user["client-certificate-data"],
        "admin.key": user["client-key-data"],
    }
    with tempfile.TemporaryDirectory() as folder:  # Python reads certificates from files alone
        for name, content in contents.items():
            (Path(folder) / name).write_bytes(base64.b64decode(content))
        yield Api(where.hostname or "", where.port or 443, Path(folder), timeout_seconds)


def path_of(manifest: dict[str, Any]) -> str:
    """The path of the object that a manifest describes."""
    root, plural, namespaced = COLLECTIONS[manifest["kind"]]
    metadata = manifest["metadata"]
    place = f"namespaces/{metadata['namespace']}/" if namespaced else ""
    return f"{root}/{place}{plural}/{metadata['name']}"
