"""Children of TfJobs for the tables of the pure cores: short to write, whole to read."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tfjob_api.spec import TfJob
from tfjob_operator.config import Config
from tfjob_operator.observed import Children, Job, Pod

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CONFIG = Config(server_script="print('serving')")


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(phase: str = "Running", exit_code: int | None = None, **more: Any) -> Pod:
    return Pod("p", **{"uid": "p", "created": ago(60), "phase": phase, **more}, exit_code=exit_code)


def children(job: TfJob, states: dict[str, Any] | None = None, **jobs: Any) -> Children:
    """All children of a job. ``states`` gives the Pods, ``jobs`` the fields of Jobs, both by
    ``<type>_<index>``; a Pod of None is one that is not there."""
    made, pods, states = {}, {}, states or {}
    for each, index in job.each_replica:
        name, role = job.child_name(each.type, index), f"{each.type.lower()}_{index}"
        made[name] = Job(name, uid=f"uid-{role}", **jobs.get(role, {}))
        found = states.get(role, pod())
        if found is not None:
            pods[f"uid-{role}"] = (found,) if isinstance(found, Pod) else tuple(found)
    services = {name: f"service-{name}" for name in made}
    has_default_ps = any(each.is_default_ps for each in job.replica_specs)
    config_maps = {f"cm-ps-{job.runtime_id}": "map"} if has_default_ps else {}
    return Children(made, services, config_maps=config_maps, pods=pods)
