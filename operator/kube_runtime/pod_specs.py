"""Pod specs: what a container requests, variables and volumes to add, and restricted Pods."""

import itertools
import posixpath
import re

from .kube import Json

ZERO = re.compile(r"[+-]?0*\.?0*([eE][+-]?\d+)?[a-zA-Z]*")  # a quantity: "0", "0.0", "0Gi"
RESTRICTED: Json = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def requested(container: Json) -> list[str]:
    """The resources that a container requests, each once; an amount of zero does not count."""
    resources = container.get("resources") or {}
    amounts = [*(resources.get("requests") or {}).items(), *(resources.get("limits") or {}).items()]
    return sorted({name for name, amount in amounts if _is_positive(amount)})


def _is_positive(amount: object) -> bool:
    return amount is not None and not ZERO.fullmatch(str(amount))


def add_variable(container: Json, name: str, value: str) -> None:
    """Add an environment variable, in place, unless the container sets it itself."""
    present = container.get("env") or []
    if name not in [each.get("name") for each in present]:
        container["env"] = [*present, {"name": name, "value": value}]


def mount_at(container: Json, path: str) -> Json | None:
    """The container's volume mount at a path."""
    wanted = posixpath.normpath(path)
    mounts: list[Json] = container.get("volumeMounts") or []
    at_path = (each for each in mounts if posixpath.normpath(each.get("mountPath", "")) == wanted)
    return next(at_path, None)


def mount_read_only(pod: Json, container: Json, path: str, name: str, source: Json) -> None:
    """Add a volume to a Pod spec, and mount it in a container, in place.

    If the Pod has another volume of that name, this one is called ``<name>-2`` and so on.
    """
    volumes = pod.get("volumes") or []
    others = {each.get("name") for each in volumes if each != {**source, "name": each.get("name")}}
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    volume = {"name": next(each for each in names if each not in others), **source}
    if volume not in volumes:
        pod["volumes"] = [*volumes, volume]
    mount = {"name": volume["name"], "mountPath": path, "readOnly": True}
    container["volumeMounts"] = [*(container.get("volumeMounts") or []), mount]


def restricted_spec(
    container: Json, resources: Json, mounts: list[Json], volumes: list[Json]
) -> Json:
    """A Pod spec of one container that complies with Pod Security level "restricted".

    The container can write to /tmp only and has no API token. ``resources`` may be empty.
    """
    if all(mount.get("mountPath") != "/tmp" for mount in mounts):
        name = f"{container['name']}-tmp"
        mounts = [*mounts, {"name": name, "mountPath": "/tmp"}]
        volumes = [*volumes, {"name": name, "emptyDir": {}}]
    home = [{"name": "HOME", "value": "/tmp"}]
    container = {**container, "env": home, "securityContext": RESTRICTED, "volumeMounts": mounts}
    container |= {"resources": resources} if resources else {}
    return {"automountServiceAccountToken": False, "containers": [container], "volumes": volumes}
