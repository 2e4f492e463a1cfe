"""Pods of the operator's own programs, which comply with Pod Security level "restricted"."""

from .spec import Json

RESTRICTED: Json = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def restricted_spec(container: Json, mounts: list[Json], volumes: list[Json]) -> Json:
    """A Pod spec of one container, which can write to /tmp only and has no API token."""
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
    return {
        "automountServiceAccountToken": False,
        "containers": [container],
        "volumes": volumes,
    }
