"""Driver folders and variables for containers that request a GPU, as the ConfigMap lists them.

In 2017 a GPU's driver was in folders of the node. The operator mounts them, so no manifest has to.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from kube_runtime import pod_specs
from kube_runtime.kube import Json


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
            pod_specs.add_variable(container, variable.name, str(variable.value))
        for folder in accelerator.volumes or []:
            if pod_specs.mount_at(container, folder.mount_path) is None:
                name, source = f"tfjob-{folder.name}", {"hostPath": {"path": folder.host_path}}
                pod_specs.mount_read_only(pod_spec, container, folder.mount_path, name, source)


def hidden_folders(container: Json, accelerators: Accelerators) -> Iterator[str]:
    """A sentence for each driver folder whose path the template uses for another volume."""
    for accelerator in _requested(container, accelerators):
        for folder in accelerator.volumes or []:
            if mounted := pod_specs.mount_at(container, folder.mount_path):
                yield (
                    f"{folder.mount_path} is the template's own volume {mounted.get('name')!r}, "
                    f"so the node's {folder.host_path} is not mounted there"
                )


def _requested(container: Json, accelerators: Accelerators) -> Iterator[Accelerator]:
    found = (accelerators.get(resource) for resource in pod_specs.requested(container))
    return (each for each in found if each)
