"""What a GPU needs from its node: the volumes and environment that the ConfigMap names for it.

In 2017 drivers lay in folders of the node, and the operator mounted them so that no manifest had
to. ``resources`` calls ``mount`` for each replica's template.
"""

from collections.abc import Mapping

from .spec import Json


def parse(config: Mapping[str, Json]) -> dict[str, Json]:
    """Read ``accelerators`` of the config file into fields of a Pod, by name of the resource.

    Raises: KeyError, TypeError or AttributeError if an entry lacks a field.
    """
    return {resource: _entry(entry or {}) for resource, entry in config.items()}


def _entry(entry: Json) -> Json:
    volumes, variables = entry.get("volumes") or [], entry.get("envVars") or []
    return {
        "env": [{"name": var["name"], "value": str(var["value"])} for var in variables],
        "volumeMounts": [{"name": v["name"], "mountPath": v["mountPath"]} for v in volumes],
        "volumes": [{"name": v["name"], "hostPath": {"path": v["hostPath"]}} for v in volumes],
    }


def mount(pod_spec: Json, container: Json, accelerators: Mapping[str, Json]) -> None:
    """Add to a child's Pod what the resources that ``container`` asks for bring, each once.

    What the user already has under the same name or path is left as it is.
    """
    asked = container.get("resources") or {}
    for resource in sorted({*(asked.get("limits") or {}), *(asked.get("requests") or {})}):
        brought = accelerators.get(resource)
        if brought:
            _add(container, "env", brought["env"], "name")
            _add(container, "volumeMounts", brought["volumeMounts"], "mountPath")
            _add(pod_spec, "volumes", brought["volumes"], "name")


def _add(target: Json, field: str, entries: list[Json], key: str) -> None:
    present = target.get(field) or []
    taken = {entry.get(key) for entry in present}
    target[field] = [*present, *(entry for entry in entries if entry[key] not in taken)]
    if not target[field]:
        del target[field]
