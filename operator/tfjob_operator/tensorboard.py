"""TensorBoard beside a job: one Deployment and one Service, which outlive the job's end.

They go with the TfJob, so that a finished training can still be looked at. ``resources`` calls
this when the spec has a ``tensorboard``.
"""

from .parameter_server import RESTRICTED
from .spec import MAX_CUT, Json, TfJob


def name(job: TfJob) -> str:
    return f"{job.name[:MAX_CUT]}-tensorboard-{job.runtime_id}"


def labels(job: TfJob) -> dict[str, str]:
    return {**job.labels, "app": "tensorboard"}


def service_spec(job: TfJob) -> Json:
    """Port 80 of the Service is TensorBoard's 6006."""
    return {
        "type": (job.tensorboard or {}).get("serviceType") or "ClusterIP",
        "selector": labels(job),
        "ports": [{"name": "tb-port", "port": 80, "targetPort": 6006}],
    }


def deployment_spec(job: TfJob, image: str) -> Json:
    """One TensorBoard that reads ``logDir`` through the given volumes."""
    settings = job.tensorboard or {}
    container = {
        "name": "tensorboard",
        "image": image,
        "command": ["tensorboard", "--logdir", settings["logDir"], "--bind_all"],
        "env": [{"name": "HOME", "value": "/tmp"}],
        "ports": [{"name": "tb-port", "containerPort": 6006}],
        "securityContext": RESTRICTED,
        "volumeMounts": [
            *(settings.get("volumeMounts") or []),
            {"name": "tensorboard-tmp", "mountPath": "/tmp"},
        ],
    }
    volumes = [*(settings.get("volumes") or []), {"name": "tensorboard-tmp", "emptyDir": {}}]
    pod_spec = {"containers": [container], "volumes": volumes, "enableServiceLinks": False}
    return {
        "replicas": 1,
        "selector": {"matchLabels": labels(job)},
        "template": {"metadata": {"labels": labels(job)}, "spec": pod_spec},
    }
