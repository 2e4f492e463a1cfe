"""Changes of objects, as data: a reconciler decides them, a ``Writer`` sends them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .kube import Json


@dataclass(frozen=True)
class Creation:
    """One object to create. ``build`` returns its body, and is called when the body is sent.

    ``alternative`` is created instead if the name is taken by another's object. ``only_repair``:
    the object is not created, but gets its labels back if it exists without them.
    """

    kind: str
    name: str
    build: Callable[[], Json] = field(compare=False, repr=False)
    alternative: "Creation | None" = field(default=None, compare=False, repr=False)
    only_repair: bool = False


@dataclass(frozen=True)
class Deletion:
    """An object to delete, by name and UID.

    ``foreground``: the object stays until those that it owns are gone, so no successor starts
    beside them.
    """

    kind: str
    name: str
    uid: str
    foreground: bool = False


@dataclass(frozen=True)
class SpecPatch:
    """A merge patch of the spec of one object, by name and UID.

    ``written_by_user``: it holds what a user wrote, so a refusal is judged like that of a creation.
    """

    kind: str
    name: str
    uid: str
    spec: Json
    written_by_user: bool = False


class ChangeRefused(Exception):
    """The API server refuses a change or a deletion until something in the cluster changes."""


def deletions(kind: str, uids: Mapping[str, str], kept: str = "") -> tuple[Deletion, ...]:
    """Deletions of objects of a kind, given as UID by name, but for the one called ``kept``."""
    return tuple(Deletion(kind, name, uid) for name, uid in uids.items() if name != kept)
