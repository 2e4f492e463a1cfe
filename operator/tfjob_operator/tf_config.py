"""TF_CONFIG: the addresses of all replicas of a job, and the replica's own type and index.

All replicas of a job have the same addresses. All Pods of an Indexed Job have one template, so
there the kubelet expands TF_CONFIG from two variables: the addresses, from a ConfigMap, and the
index, from an annotation. ``resources`` asks a ``Cluster``.
"""

import json
from functools import cached_property
from typing import Any

from kube_runtime.kube import Json
from tfjob_api.spec import ReplicaSpec, TfJob

from . import parameter_server
from .config import Config

MAX_BYTES = 120 * 1024  # Linux starts no process that has a variable of 128 KiB or more
INDEX_VARIABLE = "JOB_COMPLETION_INDEX"  # the name that the Job controller uses
INDEX_PATH = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
KEYS = {"TF_CLUSTER": "cluster", "PS_CLUSTER": "cluster_spec"}  # variable: the ConfigMap's key


class Cluster:
    """The addresses of one job's replicas, computed once."""

    def __init__(self, job: TfJob, config: Config) -> None:
        self.job = job
        self.has_indexed = any(job.is_indexed(replica) for replica in job.replica_specs)
        # The Service that gives the Pods of Indexed Jobs their DNS names, and the ConfigMap that
        # holds the addresses for them.
        self.host_service = f"{job.name_prefix}-{job.runtime_id}"
        self.config_map = f"{job.name_prefix}-cluster-{job.runtime_id}"
        services = f"{job.namespace}.svc"  # of the namespace, in DNS
        self.search_domain = f"{self.host_service}.{services}.{config.dns_domain}"  # never empty
        # Pods of an Indexed Job are found by their host names in the search domain, so short names.
        is_short = self.has_indexed or not config.cluster_domain  # "" unless an admin set it
        self._suffix = "" if is_short else f".{services}.{config.cluster_domain}"

    @cached_property
    def addresses(self) -> dict[str, list[str]]:
        """Addresses by replica type in lower case. Evaluators are not part of the cluster."""
        found: dict[str, list[str]] = {}
        for replica in self.job.replica_specs:
            if replica.type != "EVALUATOR":
                indexes = range(replica.replicas)
                found[replica.type.lower()] = [self._address(replica, str(i)) for i in indexes]
        return {kind: found[kind] for kind in sorted(found) if found[kind]}

    def _address(self, replica: ReplicaSpec, index: str) -> str:
        return f"{self.job.child_name(replica.type, None)}-{index}{self._suffix}:{replica.port}"

    @cached_property
    def json(self) -> str:
        return _compact(self.addresses)

    @cached_property
    def ps_cluster_spec(self) -> str:
        """The same addresses in the notation of 2017, for the default parameter server."""
        return parameter_server.cluster_spec(self.addresses)

    @property
    def data(self) -> dict[str, str]:
        """Content of the ConfigMap with the addresses."""
        return {"cluster": self.json, "cluster_spec": self.ps_cluster_spec}

    def problem(self) -> str:
        """Why no process of this job could start (the kernel limits a variable's length), or ""."""
        longest = max(len(self.json), len(self.ps_cluster_spec)) + 100  # 100: the task
        if longest <= MAX_BYTES:
            return ""
        return (
            f"spec.replicaSpecs: TF_CONFIG would have {longest // 1024} KiB, and a process starts "
            f"with {MAX_BYTES // 1024} at most; use fewer replicas or a shorter name"
        )

    def tf_config(self, replica: ReplicaSpec, index: int | None) -> str:
        """The value of TF_CONFIG of one replica; with index None, of an Indexed Job's Pods.

        With dynamic workers a worker knows only itself and the PS, as in TFJob 1.9
        (sparseCluster), so running workers need no restart when others come or go.
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

    def variables(self, replica: ReplicaSpec, index: int | None) -> list[Json]:
        """TF_CONFIG, after the variables from which the kubelet expands it in an Indexed Job."""
        tf_config = {"name": "TF_CONFIG", "value": self.tf_config(replica, index)}
        if index is not None:
            return [tf_config]
        number = {"name": INDEX_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": INDEX_PATH}}}
        names = ["PS_CLUSTER", "TF_CLUSTER"] if replica.is_default_ps else ["TF_CLUSTER"]
        return [number, *(self._from_config_map(name) for name in names), tf_config]

    def _from_config_map(self, variable: str) -> Json:
        source = {"name": self.config_map, "key": KEYS[variable]}
        return {"name": variable, "valueFrom": {"configMapKeyRef": source}}


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
