"""The TensorBoard of a TfJob: its Deployment, its Service, and how to ask it.

The operator names both with the TfJob's runtime id, so what a check reads of
one ("tensorboard NAME/PATH") becomes a request only once the Service is known.
"""

from __future__ import annotations

from validator.snapshot import Object, Snapshot, name_of, text

READ = "tensorboard "
PORT = 80


def reads(tfjob: str, *paths: str) -> frozenset[str]:
    """What a check has to read for these GETs to the TensorBoard of this TfJob."""
    return frozenset({"tfjobs", "services", *(f"{READ}{tfjob}/{path}" for path in paths)})


def part(cluster: Snapshot, kind: str, tfjob: Object) -> Object | None:
    """The TensorBoard's "deployments" or "services"; None for none. Raises: Unreadable."""
    mine = cluster.children(kind, tfjob)
    found = [item for item in mine if text(item, "metadata", "labels", "app") == "tensorboard"]
    return found[-1] if found else None


def request(cluster: Snapshot, tfjob: Object, path: str) -> str:
    """ "<service>:<port>/<path>" of a GET to it; "" without a Service. Raises: Unreadable."""
    service = part(cluster, "services", tfjob)
    return f"{name_of(service)}:{PORT}/{path}" if service else ""
