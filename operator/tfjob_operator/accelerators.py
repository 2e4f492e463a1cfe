"""What a GPU needs from its node: the volumes and environment that the ConfigMap names for it.

In 2017 drivers lay in folders of the node, and the operator mounted them so that no manifest had
to. ``config`` reads them; ``resources`` calls ``mount`` for each replica's template.
"""

from collections.abc import Mapping

from msgspec import Struct

from .spec import Json


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


def mount(pod_spec: Json, container: Json, accelerators: Mapping[str, Accelerator | None]) -> None:
    """Add to a child's Pod what the resources that ``container`` asks for bring, each once.

    What the user already has under the same name or path is left as it is.
    """
    asked = container.get("resources") or {}
    for resource in sorted({*(asked.get("limits") or {}), *(asked.get("requests") or {})}):
        brought = accelerators.get(resource) or Accelerator()
        for variable in brought.env_vars or []:
            _add(container, "env", "name", {"name": variable.name, "value": str(variable.value)})
        for folder in brought.volumes or []:
            seen = {"name": folder.name, "mountPath": folder.mount_path}
            _add(container, "volumeMounts", "mountPath", seen)
            volume = {"name": folder.name, "hostPath": {"path": folder.host_path}}
            _add(pod_spec, "volumes", "name", volume)


def _add(target: Json, field: str, key: str, entry: Json) -> None:
    present = target.get(field) or []
    if entry[key] not in [each.get(key) for each in present]:
        target[field] = [*present, entry]
