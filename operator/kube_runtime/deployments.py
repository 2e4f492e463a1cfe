"""What the status of a Deployment says: why a Pod of it is not ready."""

from .kube import Json
from .objects import name_of

Unavailable = tuple[str, str]  # reason, message


def view(obj: Json) -> tuple[str, Unavailable | None]:
    """Its name, and why a Pod of it is not ready; None if all are."""
    name, status = name_of(obj), obj.get("status") or {}
    if status.get("availableReplicas") and not status.get("unavailableReplicas"):
        return name, None
    for condition in status.get("conditions") or []:
        kind = condition["type"], condition["status"]
        if kind in (("ReplicaFailure", "True"), ("Progressing", "False")):
            return name, (condition["reason"], condition.get("message", ""))
    return name, ("Unavailable", f"Deployment {name} has no Pod that is ready yet")
