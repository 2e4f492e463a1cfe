"""What a manifest says: its replicas, its containers, what those ask for.

Used by the checks, the diagnosis and the hints. A learner's object may hold
anything where the API does not look (a TfJob's template is opaque to it), so
every reader here answers for any value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from validator.snapshot import Object, Snapshot, at, listed, mapping, text

SAMPLE_IMAGE = "localhost/fashion-mnist:1.2.0"
TRAINING_CONTAINER = "tensorflow"
_OF_DRIVERS = re.compile(r"nvidia|cuda")
_ABOVE_DRIVERS = ("/usr/lib", "/usr", "/home/kubernetes/bin", "/home/kubernetes")
# The name of 2017 first: where a cluster has both, the pages write this one.
GPU_RESOURCES = ("alpha.kubernetes.io/nvidia-gpu", "nvidia.com/gpu")
CHIEF_TYPES = ("MASTER", "CHIEF")
# What spec.runPolicy.managedBy may say where the workshop's operator runs the TfJob.
MANAGED_BY = "tensorflow.org/tfjob-operator"
# Of a TfJob of module 7: the label with the name of its sweep, that of the best one, and the
# annotation with the step at which a search has given it up.
SWEEP, BEST, PRUNED_AT = "sweep", "best", "workshop/pruned-at-step"
# One option may be cut as long as it stays clear, as Python's argparse allows.
_SHORTEST_CUT = len("--ma")


def replica_specs(tfjob: Object) -> list[Object]:
    """spec.replicaSpecs"""
    return listed(tfjob, "spec", "replicaSpecs")


def replica_type(spec: Object) -> str:
    """tfReplicaType; MASTER where the manifest leaves it out."""
    return text(spec, "tfReplicaType") or "MASTER"


def replicas(spec: Object) -> int:
    """replicas; 1 where the manifest leaves it out."""
    count = at(spec, "replicas")
    return count if isinstance(count, int) else 1


def counts(tfjob: Object) -> dict[str, int]:
    """Replicas by type; CHIEF is counted as MASTER, which is the same role."""
    found: dict[str, int] = {}
    for spec in replica_specs(tfjob):
        kind = "MASTER" if replica_type(spec) in CHIEF_TYPES else replica_type(spec)
        found[kind] = found.get(kind, 0) + replicas(spec)
    return found


def shape(tfjob: Object) -> str:
    """The replicas in words: "1 MASTER, 2 WORKER"; "no replicas" for none."""
    parts = [f"{replicas(spec)} {replica_type(spec)}" for spec in replica_specs(tfjob)]
    return ", ".join(parts) or "no replicas"


def pod_spec(spec: Object) -> Object:
    """The Pod's spec in a replica spec, a Job's spec or a Deployment's spec."""
    return mapping(spec, "template", "spec")


def containers(pod: Object) -> list[Object]:
    """The containers of a Pod's spec."""
    return listed(pod, "containers")


def training_container(pod: Object) -> Object:
    """The container named ``tensorflow`` of a Pod's spec; {} when no container is."""
    return next((c for c in containers(pod) if c.get("name") == TRAINING_CONTAINER), {})


def main_container(pod: Object) -> Object:
    """The container that does the work: ``tensorflow``, else the first; {} for none."""
    return training_container(pod) or next(iter(containers(pod)), {})


def native_side_cars(pod: Object) -> set[str]:
    """The names of the init containers that run beside the others."""
    both = listed(pod, "initContainers")
    return {text(c, "name") for c in both if c.get("restartPolicy") == "Always"}


def repository(image: str) -> str:
    """An image's name without tag and digest."""
    name = image.partition("@")[0]
    last = name.rsplit("/", 1)[-1]
    return name[: len(name) - len(last)] + last.partition(":")[0]


def tag(image: str) -> str:
    """An image's tag; "" where it has neither tag nor digest."""
    return image[len(repository(image)) :].lstrip(":@")


def is_sample_image(image: str) -> bool:
    """Whether it is the workshop's image, of any version: ``localhost/`` or a registry before it.

    Without any prefix the name means another image, one of a public registry.
    """
    return same_name(image, SAMPLE_IMAGE)


def runs_own_image(container: Object) -> bool:
    """Whether a container has an image of the learner's own."""
    image = text(container, "image")
    return bool(image) and not is_sample_image(image)


def same_name(image: str, wanted: str) -> bool:
    """Whether it is this image, of any version; a registry's prefix may stand for localhost."""
    prefix, _, name = repository(image).rpartition("/")
    return bool(prefix) and name == repository(wanted).rpartition("/")[2]


def same_image(one: str, other: str) -> bool:
    """Whether two names mean one image: a runtime puts its registry before a bare name.

    ``localhost/x`` and ``x`` are two images: a runtime takes localhost for a registry.
    """
    short, long = sorted((one, other), key=len)
    host, _, path = long.partition("/")
    return one == other or ("." in host and path.removeprefix("library/") == short)


def images_of_nodes(cluster: Snapshot) -> list[str]:
    """The names of the images that the nodes have; [] where nodes cannot be read."""
    nodes = cluster.items_if_readable("nodes")
    images = [image for node in nodes for image in listed(node, "status", "images")]
    return [n for image in images for n in image.get("names") or [] if isinstance(n, str)]


def gpus(container: Object) -> dict[str, int]:
    """How many GPUs it asks for, by resource name: limits where given, else requests."""
    asked: dict[str, int] = {}
    for section in ("requests", "limits"):
        for resource, amount in mapping(container, "resources", section).items():
            if resource in GPU_RESOURCES and str(amount).isdigit():
                asked[resource] = int(str(amount))
    return {resource: amount for resource, amount in asked.items() if amount}


def holds_driver(path: str) -> bool:
    """Whether a folder of a node is a GPU driver's, or one in which distributions put them."""
    return bool(_OF_DRIVERS.search(path)) or path.rstrip("/") in _ABOVE_DRIVERS


def gpus_of_cluster(cluster: Snapshot) -> dict[str, int]:
    """The most that one node offers, by resource name; {} without GPUs. Raises: Unreadable."""
    most: dict[str, int] = {}
    for resource in GPU_RESOURCES:
        for node in cluster.items("nodes"):
            amount = str(at(node, "status", "allocatable", resource) or "")
            if amount.isdigit() and int(amount):
                most[resource] = max(most.get(resource, 0), int(amount))
    return most


def gpu_resource(cluster: Snapshot) -> str:
    """The resource to ask for: the pages' one where the cluster has it, else what it has."""
    try:
        return next(iter(gpus_of_cluster(cluster)), GPU_RESOURCES[0])
    except Exception:  # Without the right to read nodes, the pages' one.
        return GPU_RESOURCES[0]


@dataclass(frozen=True)
class Mount:
    """A folder or file of the node, as a container sees it."""

    host_path: str
    mount_path: str


def host_mounts(pod: Object, container: Object) -> set[Mount]:
    """The hostPath volumes that a container of this Pod's spec mounts."""
    paths = {
        text(volume, "name"): text(volume, "hostPath", "path")
        for volume in listed(pod, "volumes")
        if mapping(volume, "hostPath")
    }
    return {
        Mount(paths[text(m, "name")], text(m, "mountPath"))
        for m in listed(container, "volumeMounts")
        if text(m, "name") in paths
    }


def words(container: Object, key: str) -> list[Any] | None:
    """``command`` or ``args`` as a list; [] when absent, None when it is something else."""
    value = container.get(key)
    if value is None:
        return []
    return value if isinstance(value, list) else None


def command_line(container: Object) -> list[str]:
    """The words of command and args that are text, in order."""
    both = (words(container, "command") or []) + (words(container, "args") or [])
    return [word for word in both if isinstance(word, str)]


def as_shown(line: Sequence[str]) -> str:
    """A command line as a finding may quote it: on one line, without what looks like a secret."""
    # Here and not above: it takes a fifth of a cold start, and few findings quote a command.
    from validator.redaction import redact

    return " ".join(" ".join(redact(list(line))).split())


def option(container: Object, name: str) -> str:
    """The value of ``--name value`` or ``--name=value``, the last one given; "" for none.

    As argparse reads it: a name may be cut ("--max-step"), and what comes last wins.
    """
    line, value = command_line(container), ""
    for position, word in enumerate(line):
        given, equals, after = word.partition("=")
        if not name.startswith(given) or len(given) < min(_SHORTEST_CUT, len(name)):
            continue
        if equals:
            value = after
        elif position + 1 < len(line):
            value = line[position + 1]
    return value


def not_text(container: Object) -> tuple[str, object] | None:
    """The first entry of command or args that is no string, as (where, value).

    YAML reads ``500`` as a number and ``true`` as a truth value; the API wants text.
    """
    for key in ("command", "args"):
        for position, word in enumerate(words(container, key) or []):
            if not isinstance(word, str):
                return f"{key}[{position}]", word
    return None


def tf_config(pod: Object) -> Object:
    """The TF_CONFIG that the operator appended to the container ``tensorflow``; {} for none."""
    container = training_container(mapping(pod, "spec"))
    values = [at(e, "value") for e in listed(container, "env") if e.get("name") == "TF_CONFIG"]
    try:
        parsed = json.loads(values[-1]) if values else {}
    except (ValueError, TypeError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


_UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}
_UNITS |= {unit: 1000.0**power for power, unit in enumerate("kMGTPE", 1)}
_UNITS |= {f"{unit}i": 1024.0**power for power, unit in enumerate("KMGTPE", 1)}


def quantity(amount: object) -> float | None:
    """A Kubernetes quantity ("500m", "2Gi", "2e9") as a number; None if it is not one."""
    match = re.fullmatch(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)([a-zA-Z]*)", str(amount))
    if not match or match[2] not in _UNITS or (match[2] and "e" in match[1].lower()):
        return None
    return float(match[1]) * _UNITS[match[2]]
