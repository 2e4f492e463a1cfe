"""The hub's settings: what the chart's values say, in the words of JupyterHub."""

import json
import os

c = get_config()  # noqa: F821 (JupyterHub gives it)

RELEASE, NAMESPACE = os.environ["RELEASE"], os.environ["NAMESPACE"]
VALUES = json.loads(os.environ["VALUES"])

# The hub, and the proxy beside it in the Pod.
c.JupyterHub.bind_url = "http://:8000"
c.JupyterHub.hub_ip = VALUES["hubIp"]
c.JupyterHub.hub_connect_url = f"http://{RELEASE}-hub:8081"
c.JupyterHub.db_url = "sqlite:////home/learner/jupyterhub.sqlite"
c.JupyterHub.cleanup_servers = False  # users' servers outlive a restart of the hub
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:8001"

# One password for all users of a class.
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = os.environ["PASSWORD"]
c.Authenticator.allowed_users = set(VALUES["users"])

# A program that starts servers by the hub's API, as the page does.
c.JupyterHub.services = [{"name": "starter", "api_token": os.environ["API_TOKEN"]}]
c.JupyterHub.load_roles = [
    {
        "name": "starter",
        "scopes": ["servers", "read:users", "read:servers"],
        "services": ["starter"],
    }
]

# A Pod for each user.
c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.KubeSpawner.namespace = NAMESPACE
c.KubeSpawner.image = VALUES["image"]
c.KubeSpawner.cmd = ["jupyterhub-singleuser"]
c.KubeSpawner.pod_name_template = "jupyter-{username}"
c.KubeSpawner.common_labels = {"app.kubernetes.io/instance": RELEASE}
c.KubeSpawner.uid = c.KubeSpawner.fs_gid = 10001
c.KubeSpawner.mem_limit = "2G"
c.KubeSpawner.start_timeout = 120

if VALUES["storage"]:
    c.KubeSpawner.storage_pvc_ensure = True
    c.KubeSpawner.storage_capacity = VALUES["storage"]
    c.KubeSpawner.pvc_name_template = RELEASE + "-{username}"
    claim = {"claimName": RELEASE + "-{username}"}
    c.KubeSpawner.volumes = {"home": {"name": "home", "persistentVolumeClaim": claim}}
    c.KubeSpawner.volume_mounts = {"home": {"name": "home", "mountPath": "/home/learner"}}

if VALUES["gpuProfile"]:
    gpu = {"extra_resource_limits": {"nvidia.com/gpu": "1"}}
    c.KubeSpawner.profile_list = [
        {"display_name": "Plain", "slug": "plain", "default": True},
        {"display_name": "One GPU", "slug": "gpu", "kubespawner_override": gpu},
    ]
