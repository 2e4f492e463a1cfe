"""The hub's settings: what the chart's values say, in the words of JupyterHub."""

import json
import os

c = get_config()  # noqa: F821 (JupyterHub gives it)

RELEASE, NAMESPACE = os.environ["RELEASE"], os.environ["NAMESPACE"]
VALUES = json.loads(os.environ["HUB_VALUES"])
HOME, IMAGE_USER = "/home/learner", 10001

# The hub, and the proxy beside it in the Pod. Users' servers reach the hub by its Service.
c.JupyterHub.bind_url = "http://:8000"
c.JupyterHub.hub_bind_url = f"http://{VALUES['hubIp']}:8081"
c.JupyterHub.hub_connect_url = "http://127.0.0.1:8081"
c.KubeSpawner.hub_connect_url = f"http://{RELEASE}-hub:8081"
c.JupyterHub.db_url = f"sqlite:///{HOME}/jupyterhub.sqlite"
c.JupyterHub.cleanup_servers = False  # users' servers outlive a restart of the hub
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:8001"

# One password for all users of a class. A user whom the values no longer name is locked out.
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = os.environ["PASSWORD"]
c.Authenticator.allowed_users = set(VALUES["users"])
c.Authenticator.allow_existing_users = False

# A program that starts and stops servers by the hub's API, as the page does.
c.JupyterHub.services = [{"name": "starter", "api_token": os.environ["API_TOKEN"]}]
SCOPES = ["servers", "read:users:name", "read:servers"]
c.JupyterHub.load_roles = [{"name": "starter", "scopes": SCOPES, "services": ["starter"]}]

# A Pod for each user, with no more rights than a notebook needs.
c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.KubeSpawner.namespace = NAMESPACE
c.KubeSpawner.image = VALUES["image"]
c.KubeSpawner.cmd = ["jupyterhub-singleuser"]
c.KubeSpawner.pod_name_template = "jupyter-{username}"
c.KubeSpawner.common_labels = {"app.kubernetes.io/instance": RELEASE}
c.KubeSpawner.mem_limit = "2G"
c.KubeSpawner.mem_guarantee = "256M"
c.KubeSpawner.start_timeout = 120
c.KubeSpawner.delete_pvc = False
c.KubeSpawner.pod_security_context = {
    "runAsNonRoot": True,
    "fsGroup": IMAGE_USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
c.KubeSpawner.container_security_context = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}

# A home on a claim of the user's own. Without a size it goes with the Pod.
claim = f"{RELEASE}-{{username}}"
home = {"emptyDir": {}}
if VALUES["storage"]:
    home = {"persistentVolumeClaim": {"claimName": claim}}
    c.KubeSpawner.storage_pvc_ensure = True
    c.KubeSpawner.storage_capacity = VALUES["storage"]
    c.KubeSpawner.storage_access_modes = ["ReadWriteOnce"]
    c.KubeSpawner.pvc_name_template = claim
c.KubeSpawner.volumes = [{"name": "home", **home}, {"name": "tmp", "emptyDir": {}}]
c.KubeSpawner.volume_mounts = [
    {"name": "home", "mountPath": HOME},
    {"name": "tmp", "mountPath": "/tmp"},
]

if VALUES["gpuProfile"]:
    gpu = {"extra_resource_limits": {"nvidia.com/gpu": "1"}}
    c.KubeSpawner.profile_list = [
        {"display_name": "Plain", "slug": "plain", "default": True},
        {"display_name": "One GPU", "slug": "gpu", "kubespawner_override": gpu},
    ]
