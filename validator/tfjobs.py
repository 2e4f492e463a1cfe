"""What a TfJob's manifest says: its replicas, its container, what that asks for.

Used by the exercises, the diagnosis and the near misses. A learner's object may
hold anything where the API does not look (the template is opaque to it), so
every reader here answers for any value.
"""

from __future__ import annotations

from dataclasses import dataclass

from validator.snapshot import Object, Snapshot, at, listed, mapping, text

SAMPLE_IMAGE = "tfjob-workshop/fashion-mnist:1.0.0"
TRAINING_CONTAINER = "tensorflow"
GPU_RESOURCES = ("nvidia.com/gpu", "alpha.kubernetes.io/nvidia-gpu")


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


def shape(tfjob: Object) -> str:
    """The replicas in words: "1 MASTER, 2 WORKER"; "no replicas" for none."""
    parts = [f"{replicas(spec)} {replica_type(spec)}" for spec in replica_specs(tfjob)]
    return ", ".join(parts) or "no replicas"


def pod_spec(spec: Object) -> Object:
    """The Pod's spec in a replica spec, a Job's spec or a Deployment's spec."""
    return mapping(spec, "template", "spec")


def first_template(tfjob: Object) -> Object:
    """The Pod's spec of the first replica spec that has a template; {} for none."""
    return next((pod_spec(s) for s in replica_specs(tfjob) if pod_spec(s)), {})


def containers(pod: Object) -> list[Object]:
    """The containers of a Pod's spec."""
    return listed(pod, "containers")


def training_container(pod: Object) -> Object:
    """The container named ``tensorflow`` of a Pod's spec; {} when no container is."""
    return next((c for c in containers(pod) if c.get("name") == TRAINING_CONTAINER), {})


def is_sample_image(image: str) -> bool:
    """Whether it is the workshop's image, of any version, in any registry."""
    repository = image.partition("@")[0]
    last = repository.rsplit("/", 1)[-1]
    path = repository[: len(repository) - len(last)] + last.partition(":")[0]
    wanted = SAMPLE_IMAGE.partition(":")[0]
    return path == wanted or path.endswith("/" + wanted)


def gpus(container: Object) -> dict[str, int]:
    """How many GPUs it asks for, by resource name: limits where given, else requests."""
    asked: dict[str, int] = {}
    for section in ("requests", "limits"):
        for resource, amount in mapping(container, "resources", section).items():
            if resource in GPU_RESOURCES and str(amount).isdigit():
                asked[resource] = int(str(amount))
    return asked


def gpus_of_cluster(cluster: Snapshot) -> dict[str, int]:
    """The most that one node offers, by resource name; {} without GPUs. Raises: Unreadable."""
    most: dict[str, int] = {}
    for node in cluster.items("nodes"):
        for resource in GPU_RESOURCES:
            amount = str(at(node, "status", "allocatable", resource) or "")
            if amount.isdigit() and int(amount):
                most[resource] = max(most.get(resource, 0), int(amount))
    return most


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


def option(container: Object, name: str) -> str:
    """The value of ``--name value`` or ``--name=value`` in args or command; "" when not given."""
    words = [str(word) for key in ("command", "args") for word in at(container, key) or []]
    for position, word in enumerate(words):
        if word == name and position + 1 < len(words):
            return words[position + 1]
        if word.startswith(name + "="):
            return word.partition("=")[2]
    return ""


def not_text(container: Object) -> tuple[str, object] | None:
    """The first entry of command or args that is no string, as (where, value).

    YAML reads ``500`` as a number and ``true`` as a truth value; the API wants text.
    """
    for key in ("command", "args"):
        for position, word in enumerate(at(container, key) or []):
            if not isinstance(word, str):
                return f"{key}[{position}]", word
    return None
