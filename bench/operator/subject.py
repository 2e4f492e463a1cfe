"""What the benchmark must know of an operator that it measures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.operator.control_plane import ControlPlane

Object = dict[str, Any]


@dataclass(frozen=True)
class Command:
    """How to start an operator's process."""

    arguments: list[str]
    environment: dict[str, str]


@dataclass(frozen=True)
class Subject:
    """An operator: its API, the marks on its children, and its process.

    ``job_label`` and ``type_label`` are on its children; ``chief`` is the second's value on the
    Pod that decides. A job has its children when all of each kind of ``child_kinds`` are there.
    """

    name: str
    tf_jobs: str  # path of the collection, of all namespaces
    job_label: str
    type_label: str
    chief: str
    child_kinds: tuple[str, ...]
    ready_line: str  # in its log once it works
    make: Callable[..., Object]  # (name, hold, replicas): with hold its Pods never end
    state: Callable[[Object], str]  # of a job's status: "Running", "Succeeded" or another
    install: Callable[[ControlPlane], None]  # what must be there before it starts
    command: Callable[[ControlPlane, bool], Command]  # with True as tuned for large loads
