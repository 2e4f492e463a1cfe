"""TensorBoard of a job: one Deployment and one Service.

They stay when the job ends, so that its curves can still be viewed, until the TfJob is deleted.
"""

from kube_runtime.kube import Json
from kube_runtime.pod_specs import restricted_spec
from tfjob_api.spec import TfJob


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
    }
    mounts, volumes = settings.get("volumeMounts") or [], settings.get("volumes") or []
    pod = restricted_spec(container, resources, mounts, volumes) | {"enableServiceLinks": False}
    return {
        "replicas": 1,
        "selector": {"matchLabels": labels(job)},
        "template": {"metadata": {"labels": labels(job)}, "spec": pod},
    }
