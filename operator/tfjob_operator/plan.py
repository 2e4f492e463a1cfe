"""The changes of one pass, as data: ``reconcile`` decides them, ``apply`` carries them out."""

from dataclasses import dataclass

from kube_runtime.changes import Creation, Deletion, SpecPatch
from kube_runtime.kube import Json
from kube_runtime.times import FOREVER


@dataclass(frozen=True)
class Plan:
    """Changes, applied in this order: deletions and patches, creations, status.

    A first, final or suspended status is written in a pass of its own, before anything is deleted.
    A stale cache makes that write fail (409), so the deletions never happen. Two exceptions: the
    children of an invalid spec are deleted first; TensorBoard is created before a final status.

    ``creations``: each inner tuple is a series, created in order up to its first error; the series
    are independent. ``status`` is the whole new status, or None if nothing changes. A Plan with
    ``can_wait`` is clean-up, which only the workers of that priority apply.
    """

    deletions: tuple[Deletion, ...] = ()
    patches: tuple[SpecPatch, ...] = ()
    creations: tuple[tuple[Creation, ...], ...] = ()
    status: Json | None = None
    can_wait: bool = False
    requeue_after_seconds: float = FOREVER
