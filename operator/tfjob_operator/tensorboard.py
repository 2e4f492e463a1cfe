"""TensorBoard of a job: one Deployment and one Service.

They stay when the job ends, so that its curves can still be viewed, and are deleted with the
TfJob. ``resources`` calls this if the spec has a ``tensorboard``.
"""

from .pod_security import restricted_spec
from .spec import Json, TfJob


def name(job: TfJob) -> str:
    return f"{job.name_prefix}-tensorboard-{job.runtime_id}"


def labels(job: TfJob) -> dict[str, str]:
    return {**job.labels, "app": "tensorboard"}


def service_spec(job: TfJob) -> Json:
    """The Service maps port 80 to TensorBoard's port 6006."""
    return {
        "type": (job.tensorboard or {}).get("serviceType") or "ClusterIP",
        "selector": labels(job),
        "ports": [{"name": "tb-port", "port": 80, "targetPort": 6006}],
    }


def deployment_spec(job: TfJob, image: str, resources: Json) -> Json:
    """One TensorBoard that reads ``logDir`` through the given volumes."""
    settings = job.tensorboard or {}
    container = {
        "name": "tensorboard",
        "image": image,
        "command": ["tensorboard", "--logdir", settings["logDir"], "--bind_all"],
        "ports": [{"name": "tb-port", "containerPort": 6006}],
        **({"resources": resources} if resources else {}),
    }
    mounts, volumes = settings.get("volumeMounts") or [], settings.get("volumes") or []
    pod = restricted_spec(container, mounts, volumes) | {"enableServiceLinks": False}
    return {
        "replicas": 1,
        "selector": {"matchLabels": labels(job)},
        "template": {"metadata": {"labels": labels(job)}, "spec": pod},
    }
