"""TF_CONFIG: the addresses of all replicas of one job, and the place of each among them.

Every replica has the same cluster. A Pod of an Indexed Job reads it from a ConfigMap, and its own
index from a label, and the kubelet expands TF_CONFIG from both. ``resources`` asks a ``Cluster``.
"""

import json
from functools import cached_property
from typing import Any

from . import parameter_server
from .config import Config
from .spec import MAX_CUT, Json, Replica, TfJob

MAX_BYTES = 120 * 1024  # Linux starts no process with a variable of 128 KiB
INDEX_VARIABLE = "JOB_COMPLETION_INDEX"  # the name that the Job controller uses
INDEX_PATH = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
KEYS = {"TF_CLUSTER": "cluster", "PS_CLUSTER": "cluster_spec"}  # of the ConfigMap, by variable


class Cluster:
    """The addresses of one job's replicas, computed once."""

    def __init__(self, job: TfJob, config: Config) -> None:
        self.job, self.config = job, config

    @cached_property
    def addresses(self) -> dict[str, list[str]]:
        """Addresses by replica type, in lower case; an evaluator is no part of the training."""
        found: dict[str, list[str]] = {}
        for replica in self.job.replicas:
            if replica.type != "EVALUATOR":
                indexes = range(replica.replicas)
                found[replica.type.lower()] = [self._address(replica, str(i)) for i in indexes]
        return {kind: found[kind] for kind in sorted(found) if found[kind]}

    def _address(self, replica: Replica, index: str) -> str:
        return f"{self.job.indexed_job(replica.type)}-{index}{self._suffix}:{replica.port}"

    @cached_property
    def _suffix(self) -> str:
        """Short names are enough where Pods search the job's domain; else the config decides."""
        if not self.config.cluster_domain or self.has_indexed:
            return ""
        return f".{self.job.namespace}.svc.{self.config.cluster_domain}"

    @cached_property
    def json(self) -> str:
        return _compact(self.addresses)

    @cached_property
    def notation(self) -> str:
        """The notation of 2017, for the default parameter server."""
        return parameter_server.cluster_spec(self.addresses)

    @cached_property
    def has_indexed(self) -> bool:
        return any(self.job.is_indexed(replica) for replica in self.job.replicas)

    @property
    def host_service(self) -> str:
        """Name of the Service that gives the Pods of Indexed Jobs their names."""
        return f"{self.job.name[:MAX_CUT]}-{self.job.runtime_id}"

    @property
    def search_domain(self) -> str:
        """Where short names lead to the Pods of Indexed Jobs, as they do to Services."""
        return f"{self.host_service}.{self.job.namespace}.svc.{self.config.search_domain}"

    @property
    def config_map(self) -> str:
        """Name of the ConfigMap that holds the cluster for Indexed Jobs."""
        return f"{self.job.name[:MAX_CUT]}-cluster-{self.job.runtime_id}"

    @property
    def data(self) -> dict[str, str]:
        """What that ConfigMap holds."""
        return {"cluster": self.json, "cluster_spec": self.notation}

    def problem(self) -> str:
        """Why no process of this job could start, or "": the kernel bounds a variable's length."""
        longest = max(len(self.json), len(self.notation)) + 100
        if longest <= MAX_BYTES:
            return ""
        return (
            f"spec.replicaSpecs: TF_CONFIG would have {longest // 1024} KiB, and a process starts "
            f"with {MAX_BYTES // 1024} at most; use fewer replicas or a shorter name"
        )

    def tf_config(self, replica: Replica, index: int | None) -> str:
        """What tells a TensorFlow process who it is and where the others are.

        Where the number of workers may change, a worker's TF_CONFIG has only itself and the PS, as
        in TFJob 1.9 (sparseCluster), so that those which run need no restart.
        """
        number = str(index) if index is not None else f"$({INDEX_VARIABLE})"
        cluster = self.json if index is not None else "$(TF_CLUSTER)"
        kind = replica.type.lower()
        task = f'"task":{{"type":"{kind}","index":{number}}},"environment":"cloud"'
        if self.job.dynamic_workers and replica.type in ("WORKER", "PS"):
            sparse: Json = {"ps": self.addresses.get("ps", [])}
            if replica.type == "WORKER":
                sparse["worker"] = {number: self._address(replica, number)}
            return f'{{"sparseCluster":{_compact(sparse)},{task}}}'
        return f'{{"cluster":{cluster},{task}}}'

    def variables(self, replica: Replica, index: int | None) -> list[Json]:
        """TF_CONFIG, which stands last, and what the one of an Indexed Job is expanded from."""
        last = {"name": "TF_CONFIG", "value": self.tf_config(replica, index)}
        if index is not None:
            return [last]
        number = {"name": INDEX_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": INDEX_PATH}}}
        names = ["PS_CLUSTER", "TF_CLUSTER"] if replica.is_default_ps else ["TF_CLUSTER"]
        return [number, *(self._from_config_map(name) for name in names), last]

    def _from_config_map(self, variable: str) -> Json:
        source = {"name": self.config_map, "key": KEYS[variable]}
        return {"name": variable, "valueFrom": {"configMapKeyRef": source}}


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
