"""TfJob → the objects that run it, each built only when it is sent.

``reconcile`` asks a ``Factory`` for the children that are missing. Names follow from the TfJob
alone, so that a second attempt after a crash meets the first one's object, and never makes another.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from . import accelerators, gang, parameter_server, restart, tensorboard
from .config import Config
from .kinds import API_VERSION, KIND
from .observed import TFJOB_UID
from .spec import CONTAINER, Json, Replica, TfJob
from .tf_config import INDEX_VARIABLE, Cluster


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
        self.job, self.config, self.cluster = job, config, Cluster(job, config)

    def problem(self) -> str:
        """Why no process of this job could start, or "".

        Raises: TypeError, ValueError, AttributeError or KeyError if a template cannot be read.
        """
        for replica in self.job.replicas:
            self.batch_job(replica, 0).build()
        return self.cluster.problem()

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
        return Creation("Service", self.cluster.host_service, self._job_service)

    def cluster_config(self) -> Creation:
        """The addresses of all, from which TF_CONFIG of Indexed Jobs is expanded."""
        name, data = self.cluster.config_map, self.cluster.data
        return Creation("ConfigMap", name, lambda: self._map(name, data))

    def ps_config(self) -> Creation:
        """The default parameter server's program, under a longer name if the first is taken."""
        short, long = parameter_server.config_map_names(self.job)
        data = {parameter_server.FILE: self.config.server_script}
        other = Creation("ConfigMap", long, lambda: self._map(long, data))
        return Creation("ConfigMap", short, lambda: self._map(short, data), other)

    def pod_group(self) -> Creation:
        """What a gang scheduler starts together."""
        name, version = gang.group_name(self.job), gang.api_version(self.config)
        spec = gang.group_spec(self.job, self.config)
        return self._creation(version, "PodGroup", name, self.job.labels, spec)

    def tensorboard_deployment(self) -> Creation:
        """What runs TensorBoard."""
        name, chosen = tensorboard.name(self.job), tensorboard.labels(self.job)
        limits = self.config.tensorboard_resources
        spec = tensorboard.deployment_spec(self.job, self._image, limits)
        return self._creation("apps/v1", "Deployment", name, chosen, spec)

    def tensorboard_service(self) -> Creation:
        """Where TensorBoard is found."""
        name, chosen = tensorboard.name(self.job), tensorboard.labels(self.job)
        spec = tensorboard.service_spec(self.job)
        return self._creation("v1", "Service", name, chosen, spec)

    # ------------------------------------------------------------------ bodies

    @property
    def _image(self) -> str:
        return self.job.tf_image or self.config.tf_image

    def _creation(
        self, version: str, kind: str, name: str, chosen: dict[str, str], spec: Json
    ) -> Creation:
        return Creation(kind, name, lambda: self._child(version, kind, name, chosen, spec=spec))

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
        return self._child("v1", "Service", self.cluster.host_service, self.job.labels, spec=spec)

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
        if self.cluster.has_indexed:
            dns = spec["dnsConfig"] = dict(spec.get("dnsConfig") or {})
            dns["searches"] = [*(dns.get("searches") or []), self.cluster.search_domain]
        if index is None:
            spec["subdomain"] = self.cluster.host_service
        for container in spec["containers"]:
            if container.get("name") == CONTAINER:
                accelerators.mount(spec, container, self.config.accelerators)
                added = self.cluster.variables(replica, index)
                container["env"] = [*(container.get("env") or []), *added]
        return template

    def _given_template(self, replica: Replica, index: int | None, config_map: str) -> Json:
        """The user's template, or that of the default parameter server."""
        if replica.template:
            return copy.deepcopy(replica.template)
        task = str(index) if index is not None else f"$({INDEX_VARIABLE})"
        cluster = self.cluster.notation if index is not None else "$(PS_CLUSTER)"
        limits = self.config.ps_resources
        return parameter_server.template(self._image, task, cluster, config_map, limits)


def labels(job: TfJob, replica: Replica, index: int | None) -> dict[str, str]:
    """Labels of Service, Job and Pod, and the Service's selector; no index for an Indexed Job."""
    found = {**job.labels, "job_type": replica.type}
    return found if index is None else {**found, "task_index": str(index)}


def _containers(template: Json) -> list[Json]:
    found: list[Json] = (template.get("spec") or {}).get("containers") or []
    return [each for each in found if each.get("name") == CONTAINER]
