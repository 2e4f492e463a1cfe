"""TfJob → the objects that run it, each built only when it is sent.

``reconcile`` asks a ``Factory`` for the children that are missing. Names follow from the TfJob
alone, so that a second attempt after a crash meets the first one's object, and never makes another.
"""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from . import accelerators, gang, parameter_server, restart, tensorboard
from .config import Config
from .kinds import API_VERSION, KIND
from .observed import TFJOB_UID
from .spec import CONTAINER, MAX_CUT, Json, Replica, TfJob

MAX_TF_CONFIG_BYTES = 120 * 1024  # Linux starts no process with a variable of 128 KiB
INDEX_VARIABLE = "JOB_COMPLETION_INDEX"  # the name that the Job controller uses
CLUSTER_VARIABLE = "TF_CLUSTER"  # what TF_CONFIG of an Indexed Job is expanded from
CLUSTER_KEYS = {"TF_CLUSTER": "cluster", "PS_CLUSTER": "cluster_spec"}  # keys of the ConfigMap


@dataclass(frozen=True)
class Creation:
    """One object to create; ``alternative`` is made instead where its name is taken.

    ``only_repair``: it is not created, but gets its labels back if it exists without them.
    """

    kind: str
    name: str
    build: Callable[[], Json] = field(compare=False, repr=False)
    alternative: "Creation | None" = field(default=None, compare=False, repr=False)
    only_repair: bool = False

    def __getitem__(self, part: str) -> Any:
        """A part of the body, so that a plan reads like the objects that it makes."""
        return self.build()[part]


class Factory:
    """The bodies of one job's children; what they share is computed once."""

    def __init__(self, job: TfJob, config: Config) -> None:
        self.job, self.config = job, config

    # ------------------------------------------------------------------ what all of them share

    @cached_property
    def addresses(self) -> dict[str, list[str]]:
        """Addresses by replica type, in lower case; an evaluator is no part of the training."""
        found: dict[str, list[str]] = {}
        for replica in self.job.replicas:
            if replica.type != "EVALUATOR":
                found[replica.type.lower()] = [
                    f"{self.job.child(replica.type, index)}{self._suffix}:{replica.port}"
                    for index in range(replica.replicas)
                ]
        return {kind: found[kind] for kind in sorted(found) if found[kind]}

    @cached_property
    def cluster_json(self) -> str:
        return _compact(self.addresses)

    @cached_property
    def cluster_spec(self) -> str:
        return parameter_server.cluster_spec(self.addresses)

    @cached_property
    def has_indexed(self) -> bool:
        return any(self.job.is_indexed(replica) for replica in self.job.replicas)

    @property
    def _suffix(self) -> str:
        """Short names are enough where Pods search the job's domain; else the config decides."""
        if not self.config.cluster_domain or self.has_indexed:
            return ""
        return f".{self.job.namespace}.svc.{self.config.cluster_domain}"

    @property
    def host_service(self) -> str:
        """Name of the Service that gives the Pods of Indexed Jobs their names."""
        return f"{self.job.name[:MAX_CUT]}-{self.job.runtime_id}"

    @property
    def cluster_map(self) -> str:
        """Name of the ConfigMap that holds the cluster for Indexed Jobs."""
        return f"{self.job.name[:MAX_CUT]}-cluster-{self.job.runtime_id}"

    def problem(self) -> str:
        """Why no process of this job could start, or "": the kernel bounds a variable's length.

        Raises: TypeError, ValueError, AttributeError or KeyError if a template cannot be read.
        """
        for replica in self.job.replicas:
            self.batch_job(replica, 0).build()
        longest = max(len(self.cluster_json), len(self.cluster_spec)) + 100
        if longest <= MAX_TF_CONFIG_BYTES:
            return ""
        return (
            f"spec.replicaSpecs: TF_CONFIG would have {longest // 1024} KiB, and a process starts "
            f"with {MAX_TF_CONFIG_BYTES // 1024} at most; use fewer replicas or a shorter name"
        )

    def notes(self) -> Iterator[str]:
        """Sentences for the user about drivers that his own volumes hide."""
        for replica in self.job.replicas:
            for container in _containers(replica.template or {}):
                found = accelerators.hidden_folders(container, self.config.accelerators)
                yield from (f"{replica.type}: {sentence}" for sentence in found)

    # ------------------------------------------------------------------ children of a replica

    def service(self, replica: Replica, index: int) -> Creation:
        """The address of one replica; headless, so that it costs no address and no proxy rule."""
        name = self.job.child(replica.type, index)
        return Creation("Service", name, lambda: self._service(name, replica, index))

    def batch_job(self, replica: Replica, index: int, config_map: str = "") -> Creation:
        """The Job that keeps one replica running until it succeeds or must not be tried again."""
        name = self.job.child(replica.type, index)
        return Creation("Job", name, lambda: self._batch_job(name, replica, index, config_map))

    def indexed_job(self, replica: Replica, config_map: str = "") -> Creation:
        """The Job that runs all replicas of a type."""
        name = self.job.indexed_job(replica.type)
        return Creation("Job", name, lambda: self._batch_job(name, replica, None, config_map))

    # ------------------------------------------------------------------ children of the job

    def job_service(self) -> Creation:
        """The headless Service by which the Pods of Indexed Jobs have names."""
        return Creation("Service", self.host_service, self._job_service)

    def cluster_config(self) -> Creation:
        """The addresses of all, from which TF_CONFIG of Indexed Jobs is expanded."""
        data = {"cluster": self.cluster_json, "cluster_spec": self.cluster_spec}
        return Creation("ConfigMap", self.cluster_map, lambda: self._map(self.cluster_map, data))

    def ps_config(self) -> Creation:
        """The default parameter server's program, under a longer name if the first is taken."""
        short, long = parameter_server.config_map_names(self.job)
        data = {parameter_server.FILE: self.config.server_script}
        other = Creation("ConfigMap", long, lambda: self._map(long, data))
        return Creation("ConfigMap", short, lambda: self._map(short, data), other)

    def pod_group(self) -> Creation:
        """What a gang scheduler starts together."""
        name = gang.group_name(self.job)
        spec, version = gang.group_spec(self.job, self.config), gang.api_version(self.config)
        build = lambda: self._child(version, "PodGroup", name, self.job.labels, spec=spec)  # noqa: E731
        return Creation("PodGroup", name, build)

    def tensorboard_deployment(self) -> Creation:
        """What runs TensorBoard."""
        name, chosen = tensorboard.name(self.job), tensorboard.labels(self.job)
        image, limits = self._image, self.config.tensorboard_resources
        spec = tensorboard.deployment_spec(self.job, image, limits)
        build = lambda: self._child("apps/v1", "Deployment", name, chosen, spec=spec)  # noqa: E731
        return Creation("Deployment", name, build)

    def tensorboard_service(self) -> Creation:
        """Where TensorBoard is found."""
        name, chosen = tensorboard.name(self.job), tensorboard.labels(self.job)
        spec = tensorboard.service_spec(self.job)
        build = lambda: self._child("v1", "Service", name, chosen, spec=spec)  # noqa: E731
        return Creation("Service", name, build)

    # ------------------------------------------------------------------ bodies

    @property
    def _image(self) -> str:
        return self.job.tf_image or self.config.tf_image

    def _child(
        self, version: str, kind: str, name: str, chosen: dict[str, str], **fields: Json
    ) -> Json:
        """An object that its TfJob owns: it goes with it."""
        owner: Json = {"apiVersion": API_VERSION, "kind": KIND, "name": self.job.name}
        owner |= {"uid": self.job.uid, "controller": True, "blockOwnerDeletion": True}
        meta: Json = {"name": name, "namespace": self.job.namespace, "labels": chosen}
        meta["ownerReferences"] = [owner]
        return {"apiVersion": version, "kind": kind, "metadata": meta, **fields}

    def _map(self, name: str, data: dict[str, str]) -> Json:
        return self._child("v1", "ConfigMap", name, self.job.labels, data=data)

    def _service(self, name: str, replica: Replica, index: int) -> Json:
        chosen = labels(self.job, replica, index)
        spec: Json = {"selector": chosen, "ports": [{"name": "tf-port", "port": replica.port}]}
        if self.config.service_type == "Headless":
            spec |= {"clusterIP": "None", "publishNotReadyAddresses": True}
        return self._child("v1", "Service", name, chosen, spec=spec)

    def _job_service(self) -> Json:
        ports = sorted({each.port for each in self.job.replicas if self.job.is_indexed(each)})
        spec: Json = {"selector": self.job.labels, "clusterIP": "None"}
        spec["publishNotReadyAddresses"] = True
        spec["ports"] = [{"name": f"tf-port-{port}", "port": port} for port in ports]
        return self._child("v1", "Service", self.host_service, self.job.labels, spec=spec)

    def _batch_job(self, name: str, replica: Replica, index: int | None, config_map: str) -> Json:
        """A Job of one Pod for a replica index, or of all Pods of a type without one."""
        limit = 0 if replica.restart_policy == "Never" else self.job.run_policy.backoff_limit
        count = 1 if index is not None else replica.replicas
        spec = {
            "completions": count,
            "parallelism": count,
            "backoffLimit": limit,
            "podReplacementPolicy": "Failed",  # a dying Pod and its successor share one address
            "podFailurePolicy": restart.pod_failure_policy(replica.restart_policy),
            "template": self._pod_template(replica, index, config_map),
            **({} if index is not None else {"completionMode": "Indexed"}),
        }
        return self._child("batch/v1", "Job", name, labels(self.job, replica, index), spec=spec)

    def _pod_template(self, replica: Replica, index: int | None, config_map: str) -> Json:
        template = self._given_template(replica, index, config_map)
        meta, spec = template.get("metadata") or {}, template["spec"]
        template["metadata"] = meta
        meta["labels"] = {**(meta.get("labels") or {}), **labels(self.job, replica, index)}
        meta["annotations"] = {**(meta.get("annotations") or {}), TFJOB_UID: self.job.uid}
        spec["restartPolicy"] = "Never"  # a failed Pod stays, and the Job decides about the next
        spec.setdefault("enableServiceLinks", False)
        gang.apply(self.job, self.config, meta, spec)
        if self.has_indexed:
            self._search_the_jobs_domain(spec)
        if index is None:
            spec["subdomain"] = self.host_service
        for container in spec["containers"]:
            if container.get("name") == CONTAINER:
                accelerators.mount(spec, container, self.config.accelerators)
                added = self._variables(replica, index)
                container["env"] = [*(container.get("env") or []), *added]
        return template

    def _given_template(self, replica: Replica, index: int | None, config_map: str) -> Json:
        """The user's template, or that of the default parameter server."""
        if replica.template:
            return copy.deepcopy(replica.template)
        task = str(index) if index is not None else f"$({INDEX_VARIABLE})"
        cluster = self.cluster_spec if index is not None else "$(PS_CLUSTER)"
        limits = self.config.ps_resources
        return parameter_server.template(self._image, task, cluster, config_map, limits)

    def _search_the_jobs_domain(self, spec: Json) -> None:
        """Let short names lead to the Pods of Indexed Jobs, as they do to Services."""
        domain = f"{self.host_service}.{self.job.namespace}.svc.{self.config.search_domain}"
        dns = dict(spec.get("dnsConfig") or {})
        dns["searches"] = [*(dns.get("searches") or []), domain]
        spec["dnsConfig"] = dns

    def _variables(self, replica: Replica, index: int | None) -> list[Json]:
        """TF_CONFIG, which stands last, and what the one of an Indexed Job is expanded from."""
        value = tf_config(self, replica, index)
        last = {"name": "TF_CONFIG", "value": value}
        if index is not None:
            return [last]
        path = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
        number = {"name": INDEX_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": path}}}
        keys = {CLUSTER_VARIABLE} | ({"PS_CLUSTER"} if replica.is_default_ps else set())
        return [number, *(self._from_cluster_map(name) for name in sorted(keys)), last]

    def _from_cluster_map(self, variable: str) -> Json:
        source = {"name": self.cluster_map, "key": CLUSTER_KEYS[variable]}
        return {"name": variable, "valueFrom": {"configMapKeyRef": source}}


def labels(job: TfJob, replica: Replica, index: int | None) -> dict[str, str]:
    """Labels of Service, Job and Pod, and the Service's selector; no index for an Indexed Job."""
    found = {**job.labels, "job_type": replica.type}
    return found if index is None else {**found, "task_index": str(index)}


def tf_config(factory: Factory, replica: Replica, index: int | None) -> str:
    """What tells a TensorFlow process who it is and where the others are.

    Where the number of workers may change, a worker's TF_CONFIG has only itself and the PS, as in
    TFJob 1.9 (sparseCluster), so that those which run need no restart.
    """
    number = str(index) if index is not None else f"$({INDEX_VARIABLE})"
    cluster = factory.cluster_json if index is not None else f"$({CLUSTER_VARIABLE})"
    kind = replica.type.lower()
    task = f'"task":{{"type":"{kind}","index":{number}}},"environment":"cloud"'
    if factory.job.dynamic_workers and replica.type in ("WORKER", "PS"):
        sparse: Json = {"ps": factory.addresses.get("ps", [])}
        if replica.type == "WORKER":
            own = f"{factory.job.indexed_job('WORKER')}-{number}{factory._suffix}:{replica.port}"
            sparse["worker"] = {number: own}
        return f'{{"sparseCluster":{_compact(sparse)},{task}}}'
    return f'{{"cluster":{cluster},{task}}}'


def _containers(template: Json) -> list[Json]:
    found: list[Json] = (template.get("spec") or {}).get("containers") or []
    return [each for each in found if each.get("name") == CONTAINER]


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
