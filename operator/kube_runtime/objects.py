"""Metadata of objects: names, owners, and the bodies of owned objects."""

from .kube import Json, Resource


def uid_of(obj: Json) -> str:
    return str(obj["metadata"]["uid"])


def name_of(obj: Json) -> str:
    return str(obj["metadata"]["name"])


def controller_of(obj: Json) -> Json:
    """The owner reference of the object's controller, or {}."""
    references = obj["metadata"].get("ownerReferences") or []
    return next((each for each in references if each.get("controller")), {})


def owner_uid(obj: Json) -> str:
    """UID of the object's controller, or ""."""
    return str(controller_of(obj).get("uid", ""))


def owned_object(
    owner: Json, resource: Resource, name: str, labels: dict[str, str], **fields: Json
) -> Json:
    """The body of an object that ``owner`` controls, so it is deleted with its owner.

    ``owner``: its apiVersion, kind, namespace, name and uid.
    """
    reference = {key: owner[key] for key in ("apiVersion", "kind", "name", "uid")}
    reference |= {"controller": True, "blockOwnerDeletion": True}
    meta = {"name": name, "namespace": owner["namespace"], "labels": labels}
    meta["ownerReferences"] = [reference]
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta, **fields}
