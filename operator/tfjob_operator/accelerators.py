"""What a GPU needs from its node: the volumes and environment that the ConfigMap names for it.

In 2017 drivers lay in folders of the node, and the operator mounted them so that no manifest had
to. ``config`` reads them; ``resources`` calls ``mount`` for each replica's template.
"""

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from .spec import Json

ZERO = re.compile(r"[+-]?0*\.?0*([eE][+-]?\d+)?[a-zA-Z]*")


class Folder(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A folder of the node, and where containers see it."""

    name: str
    host_path: str
    mount_path: str


class Variable(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    value: str | int | float


class Accelerator(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What one resource brings."""

    volumes: list[Folder] | None = None
    env_vars: list[Variable] | None = None


Accelerators = Mapping[str, Accelerator | None]


def mount(pod_spec: Json, container: Json, accelerators: Accelerators) -> None:
    """Add to a child's Pod what the resources that ``container`` asks for bring, each once.

    Folders are mounted read-only: they are the node's, and other Pods and the node use them too.
    A path or variable that the template sets itself is left as it is.
    """
    for brought in _brought(container, accelerators):
        for variable in brought.env_vars or []:
            present = container.get("env") or []
            if variable.name not in [each.get("name") for each in present]:
                new = {"name": variable.name, "value": str(variable.value)}
                container["env"] = [*present, new]
        for folder in brought.volumes or []:
            if _mount_at(container, folder.mount_path) is None:
                _mount_folder(pod_spec, container, folder)


def hidden_folders(container: Json, accelerators: Accelerators) -> Iterator[str]:
    """A sentence for each driver folder whose place the template gives to a volume of its own."""
    for brought in _brought(container, accelerators):
        for folder in brought.volumes or []:
            mounted = _mount_at(container, folder.mount_path)
            if mounted is not None:
                yield (
                    f"{folder.mount_path} is the template's own volume {mounted.get('name')!r}, "
                    f"so the node's {folder.host_path} is not mounted there"
                )


def _brought(container: Json, accelerators: Accelerators) -> Iterator[Accelerator]:
    """What the container's resources bring; an amount of zero brings nothing."""
    asked = container.get("resources") or {}
    amounts = [*(asked.get("requests") or {}).items(), *(asked.get("limits") or {}).items()]
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
    seen = {"name": volume["name"], "mountPath": folder.mount_path, "readOnly": True}
    container["volumeMounts"] = [*(container.get("volumeMounts") or []), seen]


def _candidates(folder: Folder) -> Iterator[Json]:
    """The folder as a volume, under names that no template has by chance."""
    for number in itertools.count(1):
        name = f"tfjob-{folder.name}" if number == 1 else f"tfjob-{folder.name}-{number}"
        yield {"name": name, "hostPath": {"path": folder.host_path}}


def _is_taken(volume: Json, volumes: list[Json]) -> bool:
    return any(each.get("name") == volume["name"] and each != volume for each in volumes)
