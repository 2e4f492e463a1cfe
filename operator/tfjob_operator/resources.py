"""TfJob → the objects that run it: per replica index one Service and one Job, with TF_CONFIG.

``reconcile`` asks for the children that are missing. Names follow from the TfJob alone, so that a
second attempt after a crash meets the first one's object, and never makes another.
"""

import copy
import json

from . import accelerators, parameter_server, restart, tensorboard
from .config import Config
from .kinds import API_VERSION, KIND
from .spec import CONTAINER, Json, Replica, TfJob


def labels(job: TfJob, replica: Replica, index: int) -> dict[str, str]:
    """Labels of Service, Job and Pod, and the Service's selector."""
    return {**job.labels, "job_type": replica.type, "task_index": str(index)}


def cluster(job: TfJob, config: Config) -> dict[str, list[str]]:
    """Addresses by replica type, in lower case; an evaluator is no part of the training."""
    suffix = f".{job.namespace}.svc.{config.cluster_domain}" if config.cluster_domain else ""
    addresses: dict[str, list[str]] = {}
    for replica, index in job.tasks:
        if replica.type != "EVALUATOR":
            address = f"{job.child(replica.type, index)}{suffix}:{replica.port}"
            addresses.setdefault(replica.type.lower(), []).append(address)
    return dict(sorted(addresses.items()))


def tf_config(job: TfJob, replica: Replica, index: int, config: Config) -> str:
    """What tells a TensorFlow process who it is and where the others are.

    Where the number of workers may change, a worker is told only of itself and of the PS, as in
    TFJob 1.9 (sparseCluster), so that those which run need no restart.
    """
    task, addresses = {"type": replica.type.lower(), "index": index}, cluster(job, config)
    described: Json = {"cluster": addresses, "task": task, "environment": "cloud"}
    if job.dynamic_workers and replica.type in ("WORKER", "PS"):
        sparse: Json = {"ps": addresses.get("ps", [])}
        if replica.type == "WORKER":
            sparse["worker"] = {str(index): addresses["worker"][index]}
        described = {"sparseCluster": sparse, "task": task, "environment": "cloud"}
    return json.dumps(described, separators=(",", ":"))


def service(job: TfJob, replica: Replica, index: int, config: Config) -> Json:
    """The address of one replica; headless, so that it costs no address and no proxy rule."""
    chosen = labels(job, replica, index)
    spec: Json = {"selector": chosen, "ports": [{"name": "tf-port", "port": replica.port}]}
    if config.service_type == "Headless":
        spec |= {"clusterIP": "None", "publishNotReadyAddresses": True}
    return _child(job, "v1", "Service", job.child(replica.type, index), chosen, spec=spec)


def batch_job(job: TfJob, replica: Replica, index: int, config: Config) -> Json:
    """The Job that keeps one replica running until it succeeds or must not be tried again."""
    limit = 0 if replica.restart_policy == "Never" else job.run_policy.backoff_limit
    spec = {
        "completions": 1,
        "parallelism": 1,
        "backoffLimit": limit,
        "podReplacementPolicy": "Failed",  # a dying Pod and its successor share one address
        "podFailurePolicy": restart.pod_failure_policy(replica.restart_policy),
        "template": _pod_template(job, replica, index, config),
    }
    name = job.child(replica.type, index)
    return _child(job, "batch/v1", "Job", name, labels(job, replica, index), spec=spec)


def config_map(job: TfJob, config: Config) -> Json:
    """The default parameter server's program."""
    data = {parameter_server.FILE: config.server_script}
    name = parameter_server.config_map_name(job)
    return _child(job, "v1", "ConfigMap", name, job.labels, data=data)


def tensorboard_deployment(job: TfJob, config: Config) -> Json:
    """What runs TensorBoard."""
    name, chosen = tensorboard.name(job), tensorboard.labels(job)
    spec = tensorboard.deployment_spec(job, job.tf_image or config.tf_image)
    return _child(job, "apps/v1", "Deployment", name, chosen, spec=spec)


def tensorboard_service(job: TfJob) -> Json:
    """Where it is found."""
    name, chosen = tensorboard.name(job), tensorboard.labels(job)
    return _child(job, "v1", "Service", name, chosen, spec=tensorboard.service_spec(job))


def _child(
    job: TfJob, version: str, kind: str, name: str, chosen: dict[str, str], **fields: Json
) -> Json:
    """An object that its TfJob owns: it goes with it, first where one asks for that order."""
    owner: Json = {"apiVersion": API_VERSION, "kind": KIND, "name": job.name, "uid": job.uid}
    owner |= {"controller": True, "blockOwnerDeletion": True}
    meta = {"name": name, "namespace": job.namespace, "labels": chosen, "ownerReferences": [owner]}
    return {"apiVersion": version, "kind": kind, "metadata": meta, **fields}


def _pod_template(job: TfJob, replica: Replica, index: int, config: Config) -> Json:
    if not replica.template:
        image, addresses = job.tf_image or config.tf_image, cluster(job, config)
        template = parameter_server.template(job, image, index, addresses)
    else:
        template = copy.deepcopy(replica.template)
    meta, spec = template.get("metadata") or {}, template["spec"]
    template["metadata"] = meta
    meta["labels"] = {**(meta.get("labels") or {}), **labels(job, replica, index)}
    spec["restartPolicy"] = "Never"  # a failed Pod stays, and the Job decides about the next
    spec.setdefault("enableServiceLinks", False)
    _apply_scheduling(job.run_policy.scheduling_policy, meta, spec)
    for container in spec["containers"]:
        if container.get("name") == CONTAINER:
            accelerators.mount(spec, container, config.accelerators)
            variable = {"name": "TF_CONFIG", "value": tf_config(job, replica, index, config)}
            container["env"] = [*(container.get("env") or []), variable]
    return template


def _apply_scheduling(policy: Json, meta: Json, spec: Json) -> None:
    """Pass schedulingPolicy on: priority to the Pod, the rest to a gang scheduler (Volcano)."""
    if policy.get("priorityClass"):
        spec.setdefault("priorityClassName", policy["priorityClass"])
    for key, note in (("queue", "queue-name"), ("minAvailable", "group-min-member")):
        if policy.get(key) is not None:
            notes = {f"scheduling.volcano.sh/{note}": str(policy[key])}
            meta["annotations"] = {**(meta.get("annotations") or {}), **notes}
