"""TfJobs for the tables of the pure cores: short to write, whole to read."""

from typing import Any

from tfjob_api.parse import parse
from tfjob_api.spec import TfJob

UID = "3c5bd52f-083e-4aeb-b42e-50baa77157fc"


def template(**pod: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "tensorflow", "image": "mnist"}], **pod}}


def replica(kind: str, replicas: int = 1, **more: Any) -> dict[str, Any]:
    return {"tfReplicaType": kind, "replicas": replicas, "template": template(), **more}


def tfjob(*replicas: dict[str, Any], name: str = "mnist", **fields: Any) -> dict[str, Any]:
    """A TfJob as the API shows it; ``fields`` go into its spec, but for metadata and status."""
    meta = {"namespace": "lab", "name": name, "uid": UID, "generation": 1, "resourceVersion": "7"}
    body = {"metadata": {**meta, **fields.pop("metadata", {})}, "status": fields.pop("status", {})}
    specs = list(replicas) or [replica("MASTER")]
    return {**body, "spec": {"RuntimeId": "76no", "replicaSpecs": specs, **fields}}


def parsed(*replicas: dict[str, Any], **fields: Any) -> TfJob:
    return parse(tfjob(*replicas, **fields))
