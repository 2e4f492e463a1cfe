"""Driver folders and variables for containers that request a GPU, as the ConfigMap lists them.

In 2017 a GPU's driver was in folders of the node. The operator mounts them, so that no manifest
has to. ``config`` parses the list; ``resources`` calls ``mount`` for each replica.
"""

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from .spec import Json

ZERO = re.compile(r"[+-]?0*\.?0*([eE][+-]?\d+)?[a-zA-Z]*")  # a quantity: "0", "0.0", "0Gi"


class Folder(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A folder of the node, and its path in the container."""

    name: str
    host_path: str
    mount_path: str


class Variable(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    value: str | int | float


class Accelerator(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What the operator adds for one resource, such as nvidia.com/gpu."""

    volumes: list[Folder] | None = None
    env_vars: list[Variable] | None = None


Accelerators = Mapping[str, Accelerator | None]


def mount(pod_spec: Json, container: Json, accelerators: Accelerators) -> None:
    """Add to the Pod, in place, what belongs to the resources that ``container`` requests.

    Folders are mounted read-only, because the node and other Pods use them too. A path or
    variable that the template sets itself stays as it is.
    """
    for accelerator in _requested(container, accelerators):
        for variable in accelerator.env_vars or []:
            present = container.get("env") or []
            if variable.name not in [each.get("name") for each in present]:
                new = {"name": variable.name, "value": str(variable.value)}
                container["env"] = [*present, new]
        for folder in accelerator.volumes or []:
            if _mount_at(container, folder.mount_path) is None:
                _mount_folder(pod_spec, container, folder)


def hidden_folders(container: Json, accelerators: Accelerators) -> Iterator[str]:
    """A sentence for each driver folder whose path the template uses for another volume."""
    for accelerator in _requested(container, accelerators):
        for folder in accelerator.volumes or []:
            mounted = _mount_at(container, folder.mount_path)
            if mounted is not None:
                yield (
                    f"{folder.mount_path} is the template's own volume {mounted.get('name')!r}, "
                    f"so the node's {folder.host_path} is not mounted there"
                )


def _requested(container: Json, accelerators: Accelerators) -> Iterator[Accelerator]:
    """The accelerators that the container requests, each once; an amount of zero does not count."""
    resources = container.get("resources") or {}
    amounts = [*(resources.get("requests") or {}).items(), *(resources.get("limits") or {}).items()]
    for resource in sorted({name for name, amount in amounts if _is_positive(amount)}):
        yield accelerators.get(resource) or Accelerator()


def _is_positive(amount: object) -> bool:
    return amount is not None and not ZERO.fullmatch(str(amount))


def _mount_at(container: Json, path: str) -> Json | None:
    wanted = posixpath.normpath(path)
    mounts: list[Json] = container.get("volumeMounts") or []
    at_path = (each for each in mounts if posixpath.normpath(each.get("mountPath", "")) == wanted)
    return next(at_path, None)


def _mount_folder(pod_spec: Json, container: Json, folder: Folder) -> None:
    volumes = pod_spec.get("volumes") or []
    volume = next(each for each in _candidates(folder) if not _is_taken(each, volumes))
    if volume not in volumes:
        pod_spec["volumes"] = [*volumes, volume]
    new = {"name": volume["name"], "mountPath": folder.mount_path, "readOnly": True}
    container["volumeMounts"] = [*(container.get("volumeMounts") or []), new]


def _candidates(folder: Folder) -> Iterator[Json]:
    """The folder as a volume, under a series of names: the first free one is used."""
    for number in itertools.count(1):
        name = f"tfjob-{folder.name}" if number == 1 else f"tfjob-{folder.name}-{number}"
        yield {"name": name, "hostPath": {"path": folder.host_path}}


def _is_taken(volume: Json, volumes: list[Json]) -> bool:
    return any(each.get("name") == volume["name"] and each != volume for each in volumes)
