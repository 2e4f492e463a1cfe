"""Builds the children of a TfJob: Jobs, Services, ConfigMaps, the PodGroup, TensorBoard.

``children`` asks a ``Factory`` for those that are missing. Names depend on the TfJob only, so
a second attempt after a crash finds the object of the first, and creates no duplicate.
"""

import copy
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from kube_runtime.changes import Creation
from kube_runtime.kube import CONFIG_MAPS, DEPLOYMENTS, JOBS, SERVICES, Json, Resource
from kube_runtime.objects import owned_object
from tfjob_api.spec import CONTAINER, ReplicaSpec, TfJob

from . import accelerators, gang, parameter_server, restart, tensorboard
from .config import Config
from .observed import UID_ANNOTATION
from .tf_config import INDEX_VARIABLE, Cluster


class Factory:
    """Creations of one job's children. What they share, such as ``cluster``, is computed once."""

    def __init__(self, job: TfJob, config: Config) -> None:
        self.job, self.config, self.cluster = job, config, Cluster(job, config)
        self._image = job.tf_image or config.tf_image

    def problem(self) -> str:
        """Why no process of this job could start, or "". Builds one Job per replica type.

        Raises: one of READ_ERRORS if a template cannot be read.
        """
        for replica in self.job.replica_specs:
            self.batch_job(replica, 0).build()
        gang_problem = self.config.gang_scheduling and self.job.gang_problem
        return gang_problem or self.cluster.problem()

    def notes(self) -> Iterator[str]:
        """Sentences about driver folders that the template's own volumes hide."""
        for replica in self.job.replica_specs:
            for container in _tensorflow_containers(replica.template or {}):
                found = accelerators.hidden_folders(container, self.config.accelerators)
                yield from (f"{replica.type}: {sentence}" for sentence in found)

    def job_service(self) -> Creation:
        """The headless Service that gives the Pods of Indexed Jobs their DNS names."""
        ports = sorted({each.port for each in self.job.replica_specs if self.job.is_indexed(each)})
        spec: Json = {"selector": self.job.labels, "clusterIP": "None"}
        spec["publishNotReadyAddresses"] = True
        spec["ports"] = [{"name": f"tf-port-{port}", "port": port} for port in ports]
        return self._creation(SERVICES, self.cluster.host_service, self.job.labels, spec=spec)

    def cluster_config(self) -> Creation:
        """The ConfigMap with all addresses, for TF_CONFIG in Indexed Jobs."""
        data = self.cluster.data
        return self._creation(CONFIG_MAPS, self.cluster.config_map, self.job.labels, data=data)

    def ps_config(self) -> Creation:
        """The default parameter server's program; it gets a longer name if the first is taken."""
        data = {parameter_server.FILE: self.config.server_script}
        short, long = (
            self._creation(CONFIG_MAPS, name, self.job.labels, data=data)
            for name in parameter_server.config_map_names(self.job)
        )
        return replace(short, alternative=long)

    def pod_group(self) -> Creation:
        """The PodGroup of all Pods of the job, for gang scheduling."""
        resource = gang.POD_GROUPS[self.config.gang_scheduling]
        name, spec = gang.group_name(self.job), gang.group_spec(self.job, self.config)
        return self._creation(resource, name, self.job.labels, spec=spec)

    def tensorboard_deployment(self) -> Creation:
        name, labels = tensorboard.name(self.job), tensorboard.labels(self.job)
        spec = tensorboard.deployment_spec(self.job, self._image, self.config.tensorboard_resources)
        return self._creation(DEPLOYMENTS, name, labels, spec=spec)

    def tensorboard_service(self) -> Creation:
        name, labels = tensorboard.name(self.job), tensorboard.labels(self.job)
        return self._creation(SERVICES, name, labels, spec=tensorboard.service_spec(self.job))

    def _creation(
        self, resource: Resource, name: str, labels: dict[str, str], **fields: Json
    ) -> Creation:
        build = partial(owned_object, self.job.reference, resource, name, labels, **fields)
        return Creation(resource.kind, name, build)

    def service(self, replica: ReplicaSpec, index: int) -> Creation:
        """The Service of one replica; by default headless: no cluster IP, no proxy rules."""
        name = self.job.child_name(replica.type, index)
        return Creation("Service", name, partial(self._service, name, replica, index))

    def batch_job(self, replica: ReplicaSpec, index: int | None, config_map: str = "") -> Creation:
        """The Job of one replica or, without an index, the Indexed Job of all of its type."""
        name = self.job.child_name(replica.type, index)
        return Creation("Job", name, partial(self._batch_job, name, replica, index, config_map))

    def _service(self, name: str, replica: ReplicaSpec, index: int) -> Json:
        labels = self.job.replica_labels(replica.type, index)
        spec: Json = {"selector": labels, "ports": [{"name": "tf-port", "port": replica.port}]}
        if self.config.service_type == "Headless":
            spec |= {"clusterIP": "None", "publishNotReadyAddresses": True}
        return owned_object(self.job.reference, SERVICES, name, labels, spec=spec)

    def _batch_job(
        self, name: str, replica: ReplicaSpec, index: int | None, config_map: str
    ) -> Json:
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
        labels = self.job.replica_labels(replica.type, index)
        return owned_object(self.job.reference, JOBS, name, labels, spec=spec)

    def _pod_template(self, replica: ReplicaSpec, index: int | None, config_map: str) -> Json:
        template = self._given_template(replica, index, config_map)
        meta, spec = template.get("metadata") or {}, template["spec"]
        template["metadata"] = meta
        labels = self.job.replica_labels(replica.type, index)
        meta["labels"] = {**(meta.get("labels") or {}), **labels}
        meta["annotations"] = {**(meta.get("annotations") or {}), UID_ANNOTATION: self.job.uid}
        spec["restartPolicy"] = "Never"  # the Job creates a new Pod instead, and the old log stays
        spec.setdefault("enableServiceLinks", False)
        gang.apply(self.job, self.config, meta, spec)
        self._add_names(spec, index)
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

    def _add_names(self, spec: Json, index: int | None) -> None:
        """Add what gives the Pods of Indexed Jobs their DNS names, and lets others find them."""
        if self.cluster.has_indexed:
            dns = spec["dnsConfig"] = dict(spec.get("dnsConfig") or {})
            dns["searches"] = [*(dns.get("searches") or []), self.cluster.search_domain]
        if index is None:
            spec["subdomain"] = self.cluster.host_service


def _tensorflow_containers(template: Json) -> list[Json]:
    found: list[Json] = (template.get("spec") or {}).get("containers") or []
    return [each for each in found if each.get("name") == CONTAINER]
