"""What a pass decides: the changes to make, as data. ``reconcile`` makes Plans, ``apply`` obeys."""

from dataclasses import dataclass

from .resources import Creation
from .spec import FOREVER, Json


@dataclass(frozen=True)
class Deletion:
    """An object to delete, and no other of the same name.

    ``foreground``: it stays until its Pods are gone, so that its successor cannot meet them.
    """

    kind: str
    name: str
    uid: str
    foreground: bool = False


@dataclass(frozen=True)
class JobPatch:
    """Fields of a Job's spec to change, and of no other Job of the same name."""

    name: str
    uid: str
    spec: Json


@dataclass(frozen=True)
class Plan:
    """What to do, in this order: deletions, patches, creations, the status.

    An end or a suspension is written in a pass of its own, before anything is deleted: a stale
    cache makes that write fail (409), so the deletions never happen. (Children of a bad spec go
    first: they are of no use.)

    Each series of ``creations`` is made in its order and ends with its first failure; the series
    are independent. ``status`` is the whole new status, None when the old one is right. A
    ``status_first`` is written before all else, and the rest is left to the next pass.
    """

    deletions: tuple[Deletion, ...] = ()
    patches: tuple[JobPatch, ...] = ()
    creations: tuple[tuple[Creation, ...], ...] = ()
    status: Json | None = None
    status_first: bool = False
    requeue_after_seconds: float = FOREVER
