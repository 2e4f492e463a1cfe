"""Metadata of objects: names, owners, and the bodies of owned objects."""

from .kube import MANAGER, Json, Resource

JOB_LABELS = {"uid": "batch.kubernetes.io/controller-uid", "name": "batch.kubernetes.io/job-name"}
# What controllers of clouds write into a Service.
OF_CLOUDS = ("spec.loadBalancerIP", "spec.externalIPs", "spec.healthCheckNodePort")
CONTENT = ("f:spec", "f:data", "f:binaryData")  # parts that the operator writes, in managedFields
READ_ERRORS = (TypeError, ValueError, AttributeError, KeyError)  # if a user's fields make no sense


def uid_of(obj: Json) -> str:
    return str(obj["metadata"]["uid"])


def name_of(obj: Json) -> str:
    return str(obj["metadata"]["name"])


def only_name(obj: Json) -> tuple[str, None]:
    """A view for an ``Index``: the name, and no detail."""
    return name_of(obj), None


def controller_of(obj: Json) -> Json:
    """The owner reference of the object's controller, or {}."""
    references = obj["metadata"].get("ownerReferences") or []
    return next((each for each in references if each.get("controller")), {})


def owner_uid(obj: Json) -> str:
    """UID of the object's controller, or ""."""
    return str(controller_of(obj).get("uid", ""))


def job_of(pod: Json) -> Json:
    """uid and name of a Pod's Job. If the Job was deleted without its Pods (--cascade=orphan), they
    have lost their owner reference, but not their labels."""
    labels = pod["metadata"].get("labels") or {}
    named = {key: labels[label] for key, label in JOB_LABELS.items() if label in labels}
    return controller_of(pod) or named


def job_uid(pod: Json) -> str:
    return str(job_of(pod).get("uid", ""))


def changed_by_others(obj: Json) -> str:
    """Who else has set fields of its spec or data, and which: ``name: kubectl-edit changed
    spec.selector``, or "". Nobody but a user, or a controller of theirs, does that to our objects.
    """
    if "deletionTimestamp" in obj["metadata"]:
        return ""
    found = []
    for entry in obj["metadata"].get("managedFields") or []:
        manager = entry.get("manager") or "somebody"
        if manager == MANAGER or entry.get("subresource") == "status":
            continue
        fields = entry.get("fieldsV1") or {}
        # Beside its keys each part may have the entry ".", which is the part itself.
        keys = [f"{part}.{key}" for part in CONTENT for key in fields.get(part, ())]
        paths = [key.replace("f:", "") for key in keys if not key.endswith("..")]
        if paths := [path for path in paths if path not in OF_CLOUDS]:
            found.append(f"{manager} changed {', '.join(paths)}")
    return f"{name_of(obj)}: {' and '.join(found)}" if found else ""


def involved_uid(event: Json) -> str:
    """UID of the object that an event is about."""
    return str((event.get("involvedObject") or {}).get("uid", ""))


def seen_and_message(event: Json) -> tuple[str, str]:
    """When an event happened last, and its message."""
    return event.get("lastTimestamp") or "", event.get("message", "")


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
