"""TfJobs and children for the tables of the pure cores: short to write, whole to read."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tfjob_operator import spec
from tfjob_operator.config import Config
from tfjob_operator.observed import Children, Job, Pod

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CONFIG = Config(server_script="print('serving')")
UID = "3c5bd52f-083e-4aeb-b42e-50baa77157fc"


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


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


def parsed(*replicas: dict[str, Any], **fields: Any) -> spec.TfJob:
    return spec.parse(tfjob(*replicas, **fields))


def pod(phase: str = "Running", exit_code: int | None = None, **more: Any) -> Pod:
    return Pod("p", **{"uid": "p", "created": ago(60), "phase": phase, **more}, exit_code=exit_code)


def children(job: spec.TfJob, states: dict[str, Any] | None = None, **jobs: Any) -> Children:
    """All children of a job. ``states`` gives the Pods, ``jobs`` the fields of Jobs, both by
    ``<type>_<index>``; a Pod of None is one that is not there."""
    made, pods, states = {}, {}, states or {}
    for each, index in job.tasks:
        name, role = job.child_name(each.type, index), f"{each.type.lower()}_{index}"
        made[name] = Job(name, uid=f"uid-{role}", **jobs.get(role, {}))
        found = states.get(role, pod())
        if found is not None:
            pods[f"uid-{role}"] = (found,) if isinstance(found, Pod) else tuple(found)
    services = {name: f"service-{name}" for name in made}
    has_default_ps = any(each.is_default_ps for each in job.replicas)
    config_maps = {f"cm-ps-{job.runtime_id}": "map"} if has_default_ps else {}
    return Children(made, services, config_maps=config_maps, pods=pods)
