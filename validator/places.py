"""Where a container's path is in a volume: of which claim, and in which folder of it.

Two Pods see the same files where both have the same place. Pure.
"""

from __future__ import annotations

from posixpath import join, normpath, relpath
from typing import NamedTuple

from validator.program import within
from validator.snapshot import Object, listed, text


class Mount(NamedTuple):
    """What a container mounts: ``claim`` is "" for a volume of another kind."""

    claim: str
    path: str
    sub_path: str


class Place(NamedTuple):
    """A folder of a claim's volume, and the mount through which it is seen."""

    claim: str
    folder: str
    mount: Mount


def mounts(pod: Object, container: Object) -> list[Mount]:
    """All mounts of a container of this Pod's spec."""
    claims = {
        text(v, "name"): text(v, "persistentVolumeClaim", "claimName")
        for v in listed(pod, "volumes")
    }
    return [
        Mount(claims.get(text(m, "name"), ""), _path(text(m, "mountPath")), text(m, "subPath"))
        for m in listed(container, "volumeMounts")
        if text(m, "mountPath")
    ]


def of_path(pod: Object, container: Object, path: str) -> Place | None:
    """Where a path of this container is kept; None where that is no claim's volume.

    Of several mounts above the path, the deepest hides the others.
    """
    above = [m for m in mounts(pod, container) if within(path, m.path)]
    mount = max(above, key=lambda m: len(m.path), default=None)
    if mount is None or not mount.claim:
        return None
    folder = normpath(join(mount.sub_path, relpath(path, mount.path)))
    return Place(mount.claim, folder, mount)


def claims(pod: Object) -> list[str]:
    """The claims among the volumes of a Pod's spec."""
    found = (text(v, "persistentVolumeClaim", "claimName") for v in listed(pod, "volumes"))
    return [name for name in found if name]


def _path(path: str) -> str:
    return normpath(path) if path.startswith("/") else path
