"""The default parameter server, for a PS replica spec without a template.

Its program is mounted from a ConfigMap, since the image is the user's. ``resources`` calls this.
"""

from kube_runtime.kube import Json
from kube_runtime.pod_specs import restricted_spec
from tfjob_api.spec import CONTAINER, TfJob

FOLDER, FILE = "/ps-server", "grpc_tensorflow_server.py"


def config_map_names(job: TfJob) -> tuple[str, str]:
    """The ConfigMap's name as in 2017, and the name to use if another object has that one."""
    short = f"cm-ps-{job.runtime_id}"
    return short, f"cm-ps-{job.name_prefix}-{job.runtime_id}"


def cluster_spec(cluster: dict[str, list[str]]) -> str:
    """The 2017 notation: ``master|host:port,ps|host:port;host:port``, types sorted."""
    return ",".join(f"{kind}|{';'.join(hosts)}" for kind, hosts in sorted(cluster.items()))


def template(image: str, index: str, cluster: str, config_map: str, resources: Json) -> Json:
    """The Pod template of default PS ``index``. ``cluster``: see ``cluster_spec``."""
    command = ["python", f"{FOLDER}/{FILE}", "--cluster_spec", cluster]
    command += ["--job_name", "ps", "--task_id", index]
    container: Json = {"name": CONTAINER, "image": image, "command": command}
    mount = {"name": "ps-config-volume", "mountPath": FOLDER}
    volume = {"name": "ps-config-volume", "configMap": {"name": config_map}}
    return {"spec": restricted_spec(container, resources, [mount], [volume])}
