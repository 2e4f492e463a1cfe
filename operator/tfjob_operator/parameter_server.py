"""The default parameter server: what runs when a PS has no template.

Its program comes in a ConfigMap, since the image is the user's. ``resources`` calls this.
"""

from .spec import CONTAINER, Json, TfJob

FOLDER, FILE = "/ps-server", "grpc_tensorflow_server.py"
RESTRICTED: Json = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def config_map_name(job: TfJob) -> str:
    return f"cm-ps-{job.runtime_id}"


def cluster_spec(cluster: dict[str, list[str]]) -> str:
    """The 2017 notation: ``master|host:port,ps|host:port;host:port``, types sorted."""
    return ",".join(f"{kind}|{';'.join(hosts)}" for kind, hosts in sorted(cluster.items()))


def template(job: TfJob, image: str, index: int, cluster: dict[str, list[str]]) -> Json:
    """The Pod template of default PS number ``index``."""
    command = ["python", f"{FOLDER}/{FILE}", "--cluster_spec", cluster_spec(cluster)]
    command += ["--job_name", "ps", "--task_id", str(index)]
    container = {"name": CONTAINER, "image": image, "command": command}
    volume, source = "ps-config-volume", {"name": config_map_name(job)}
    mounts = [{"name": volume, "mountPath": FOLDER}]
    return {"spec": restricted_spec(container, mounts, [{"name": volume, "configMap": source}])}


def restricted_spec(container: Json, mounts: list[Json], volumes: list[Json]) -> Json:
    """The Pod of a program of ours: as "restricted" wants it, it writes nothing but under /tmp."""
    if all(mount.get("mountPath") != "/tmp" for mount in mounts):
        name = f"{container['name']}-tmp"
        mounts = [*mounts, {"name": name, "mountPath": "/tmp"}]
        volumes = [*volumes, {"name": name, "emptyDir": {}}]
    container = {
        **container,
        "env": [{"name": "HOME", "value": "/tmp"}],
        "securityContext": RESTRICTED,
        "volumeMounts": mounts,
    }
    return {"containers": [container], "volumes": volumes}
