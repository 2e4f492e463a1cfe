"""Builds the children of a TfJob: Jobs, Services, ConfigMaps, the PodGroup, TensorBoard.

``children`` asks a ``Factory`` for those that are missing. Names depend on the TfJob only, so
a second attempt after a crash finds the object of the first, and creates no duplicate.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from . import accelerators, gang, parameter_server, restart, tensorboard
from .config import Config
from .kinds import API_VERSION, KIND, POD_GROUP_VERSIONS
from .observed import UID_ANNOTATION
from .spec import CONTAINER, Json, ReplicaSpec, TfJob
from .tf_config import INDEX_VARIABLE, Cluster


@dataclass(frozen=True)
class Creation:
    """One object to create. ``build`` returns its body, and is called when the body is sent.

    ``alternative`` is created instead if the name is taken by another's object. ``only_repair``:
    the object is not created, but gets its labels back if it exists without them.
    """

    kind: str
    name: str
    build: Callable[[], Json] = field(compare=False, repr=False)
    alternative: "Creation | None" = field(default=None, compare=False, repr=False)
    only_repair: bool = False


class Factory:
    """Creations of one job's children. What they share, such as ``cluster``, is computed once."""

    def __init__(self, job: TfJob, config: Config) -> None:
        self.job, self.config, self.cluster = job, config, Cluster(job, config)

    def problem(self) -> str:
        """Why no process of this job could start, or "". Builds one Job per replica type.

        Raises: TypeError, ValueError, AttributeError or KeyError if a template cannot be read.
        """
        for replica in self.job.replicas:
            self.batch_job(replica, 0).build()
        return self.cluster.problem()

    def notes(self) -> Iterator[str]:
        """Sentences about driver folders that the template's own volumes hide."""
        for replica in self.job.replicas:
            for container in _tensorflow_containers(replica.template or {}):
                found = accelerators.hidden_folders(container, self.config.accelerators)
                yield from (f"{replica.type}: {sentence}" for sentence in found)

    # ------------------------------------------------------------------ children of a replica

    def service(self, replica: ReplicaSpec, index: int) -> Creation:
        """The Service of one replica; by default headless: no cluster IP, no proxy rules."""
        name = self.job.child_name(replica.type, index)
        return Creation("Service", name, partial(self._service, name, replica, index))

    def batch_job(self, replica: ReplicaSpec, index: int, config_map: str = "") -> Creation:
        """The Job of one replica."""
        name = self.job.child_name(replica.type, index)
        return Creation("Job", name, partial(self._batch_job, name, replica, index, config_map))

    def indexed_job(self, replica: ReplicaSpec, config_map: str = "") -> Creation:
        """The Indexed Job of all replicas of a type."""
        name = self.job.indexed_job_name(replica.type)
        return Creation("Job", name, partial(self._batch_job, name, replica, None, config_map))

    # ------------------------------------------------------------------ children of the job

    def job_service(self) -> Creation:
        """The headless Service that gives the Pods of Indexed Jobs their DNS names."""
        ports = sorted({each.port for each in self.job.replicas if self.job.is_indexed(each)})
        spec: Json = {"selector": self.job.labels, "clusterIP": "None"}
        spec["publishNotReadyAddresses"] = True
        spec["ports"] = [{"name": f"tf-port-{port}", "port": port} for port in ports]
        return self._creation("v1", "Service", self.cluster.host_service, self.job.labels, spec)

    def cluster_config(self) -> Creation:
        """The ConfigMap with all addresses, for TF_CONFIG in Indexed Jobs."""
        return self._config_map(self.cluster.config_map, self.cluster.data)

    def ps_config(self) -> Creation:
        """The default parameter server's program; it gets a longer name if the first is taken."""
        short, long = parameter_server.config_map_names(self.job)
        data = {parameter_server.FILE: self.config.server_script}
        alternative = self._config_map(long, data)
        return replace(self._config_map(short, data), alternative=alternative)

    def pod_group(self) -> Creation:
        """The PodGroup of all Pods of the job, for gang scheduling."""
        version = POD_GROUP_VERSIONS[self.config.gang_scheduling]
        name, spec = gang.group_name(self.job), gang.group_spec(self.job, self.config)
        return self._creation(version, "PodGroup", name, self.job.labels, spec)

    def tensorboard_deployment(self) -> Creation:
        name, labels = tensorboard.name(self.job), tensorboard.labels(self.job)
        resources = self.config.tensorboard_resources
        spec = tensorboard.deployment_spec(self.job, self._image, resources)
        return self._creation("apps/v1", "Deployment", name, labels, spec)

    def tensorboard_service(self) -> Creation:
        name, labels = tensorboard.name(self.job), tensorboard.labels(self.job)
        spec = tensorboard.service_spec(self.job)
        return self._creation("v1", "Service", name, labels, spec)

    # ------------------------------------------------------------------ bodies

    @property
    def _image(self) -> str:
        return self.job.tf_image or self.config.tf_image

    def _creation(
        self, version: str, kind: str, name: str, labels: dict[str, str], spec: Json
    ) -> Creation:
        return Creation(kind, name, partial(self._child, version, kind, name, labels, spec=spec))

    def _config_map(self, name: str, data: dict[str, str]) -> Creation:
        build = partial(self._child, "v1", "ConfigMap", name, self.job.labels, data=data)
        return Creation("ConfigMap", name, build)

    def _child(
        self, version: str, kind: str, name: str, labels: dict[str, str], **fields: Json
    ) -> Json:
        """The body of an object that the TfJob owns, so it is deleted with the TfJob."""
        owner: Json = {"apiVersion": API_VERSION, "kind": KIND, "name": self.job.name}
        owner |= {"uid": self.job.uid, "controller": True, "blockOwnerDeletion": True}
        meta: Json = {"name": name, "namespace": self.job.namespace, "labels": labels}
        meta["ownerReferences"] = [owner]
        return {"apiVersion": version, "kind": kind, "metadata": meta, **fields}

    def _service(self, name: str, replica: ReplicaSpec, index: int) -> Json:
        labels = _replica_labels(self.job, replica, index)
        spec: Json = {"selector": labels, "ports": [{"name": "tf-port", "port": replica.port}]}
        if self.config.service_type == "Headless":
            spec |= {"clusterIP": "None", "publishNotReadyAddresses": True}
        return self._child("v1", "Service", name, labels, spec=spec)

    def _batch_job(
        self, name: str, replica: ReplicaSpec, index: int | None, config_map: str
    ) -> Json:
        """The body of a replica's Job or, without an index, of a type's Indexed Job."""
        limit = 0 if replica.restart_policy == "Never" else self.job.run_policy.backoff_limit
        count = 1 if index is not None else replica.replicas
        spec = {
            "completions": count,
            "parallelism": count,
            "backoffLimit": limit,
            "podReplacementPolicy": "Failed",  # no successor before the old Pod has ended
            "podFailurePolicy": restart.pod_failure_policy(replica.restart_policy),
            "template": self._pod_template(replica, index, config_map),
            **({} if index is not None else {"completionMode": "Indexed"}),
        }
        labels = _replica_labels(self.job, replica, index)
        return self._child("batch/v1", "Job", name, labels, spec=spec)

    def _pod_template(self, replica: ReplicaSpec, index: int | None, config_map: str) -> Json:
        template = self._given_template(replica, index, config_map)
        meta, spec = template.get("metadata") or {}, template["spec"]
        template["metadata"] = meta
        meta["labels"] = {**(meta.get("labels") or {}), **_replica_labels(self.job, replica, index)}
        meta["annotations"] = {**(meta.get("annotations") or {}), UID_ANNOTATION: self.job.uid}
        spec["restartPolicy"] = "Never"  # the Job creates a new Pod instead, and the old log stays
        spec.setdefault("enableServiceLinks", False)
        gang.apply(self.job, self.config, meta, spec)
        if self.cluster.has_indexed:
            dns = spec["dnsConfig"] = dict(spec.get("dnsConfig") or {})
            dns["searches"] = [*(dns.get("searches") or []), self.cluster.search_domain]
        if index is None:
            spec["subdomain"] = self.cluster.host_service
        for container in _tensorflow_containers(template):
            accelerators.mount(spec, container, self.config.accelerators)
            added = self.cluster.variables(replica, index)
            container["env"] = [*(container.get("env") or []), *added]
        return template

    def _given_template(self, replica: ReplicaSpec, index: int | None, config_map: str) -> Json:
        """The user's template, or that of the default parameter server."""
        if replica.template:
            return copy.deepcopy(replica.template)
        task = str(index) if index is not None else f"$({INDEX_VARIABLE})"
        cluster = self.cluster.ps_cluster_spec if index is not None else "$(PS_CLUSTER)"
        resources = self.config.ps_resources
        return parameter_server.template(self._image, task, cluster, config_map, resources)


def _replica_labels(job: TfJob, replica: ReplicaSpec, index: int | None) -> dict[str, str]:
    """Labels of a replica's Service, Job and Pod. An Indexed Job has no index."""
    labels = {**job.labels, "job_type": replica.type}
    return labels if index is None else {**labels, "task_index": str(index)}


def _tensorflow_containers(template: Json) -> list[Json]:
    found: list[Json] = (template.get("spec") or {}).get("containers") or []
    return [each for each in found if each.get("name") == CONTAINER]
