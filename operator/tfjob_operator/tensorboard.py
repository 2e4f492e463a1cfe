"""TensorBoard beside a job: one Deployment and one Service, which outlive the job's end.

They go with the TfJob, so that a finished training can still be looked at. ``resources`` calls
this when the spec has a ``tensorboard``.
"""

from .pod_security import restricted_spec
from .spec import Json, TfJob


def name(job: TfJob) -> str:
    return f"{job.name_prefix}-tensorboard-{job.runtime_id}"


def labels(job: TfJob) -> dict[str, str]:
    return {**job.labels, "app": "tensorboard"}


def service_spec(job: TfJob) -> Json:
    """Port 80 of the Service is TensorBoard's 6006."""
    return {
        "type": (job.tensorboard or {}).get("serviceType") or "ClusterIP",
        "selector": labels(job),
        "ports": [{"name": "tb-port", "port": 80, "targetPort": 6006}],
    }


def deployment_spec(job: TfJob, image: str, limits: Json) -> Json:
    """One TensorBoard that reads ``logDir`` through the given volumes."""
    settings = job.tensorboard or {}
    container = {
        "name": "tensorboard",
        "image": image,
        "command": ["tensorboard", "--logdir", settings["logDir"], "--bind_all"],
        "ports": [{"name": "tb-port", "containerPort": 6006}],
        **({"resources": limits} if limits else {}),
    }
    mounts, volumes = settings.get("volumeMounts") or [], settings.get("volumes") or []
    pod = restricted_spec(container, mounts, volumes) | {"enableServiceLinks": False}
    return {
        "replicas": 1,
        "selector": {"matchLabels": labels(job)},
        "template": {"metadata": {"labels": labels(job)}, "spec": pod},
    }
