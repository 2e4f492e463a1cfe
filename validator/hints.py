"""What to say of each way in which Kubernetes refuses to start a Pod: a hint of its own each.

Used by the diagnosis, for TfJobs and for the operator's own Deployment.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from validator.snapshot import Object, Snapshot, Unreadable, listed, mapping, name_of, text
from validator.tfjobs import containers, gpus, gpus_of_cluster
from validator.verdicts import Finding, converging, wrong

LOAD = "python -m cluster load IMAGE"
NO_PULL = (
    "the workshop's cluster does not pull: correct the name (`kubectl describe pod` shows it), or "
    f"build the image and bring it in with `{LOAD}`; on a cluster of your own, push it to a "
    "registry that its nodes reach"
)


class Hint(NamedTuple):
    found: str
    wanted: str
    next_step: str


_NO_IMAGE = Hint(
    "image {image} is not on this cluster ({reason})",
    "an image that the cluster has",
    NO_PULL,
)
_NO_CONFIG = Hint(
    "container {container} lacks something it refers to: {message}",
    "ConfigMaps and Secrets that exist under the names used in env and volumes",
    "create what the message names, or correct the name in the manifest",
)
_NO_PROGRAM = Hint(
    "container {container} could not start its program: {message}",
    "a command that exists in the image (leave `command` out to run the image's own)",
    "correct `command` and `args` in the manifest, delete the object and apply again",
)

# By the reason of a container that waits or has ended.
CONTAINER_HINTS = {
    "ErrImagePull": _NO_IMAGE,
    "ImagePullBackOff": _NO_IMAGE,
    "ErrImageNeverPull": _NO_IMAGE,
    "InvalidImageName": Hint(
        "image name {image} is not valid",
        "an image name such as tfjob-workshop/fashion-mnist:1.0.0",
        f"correct `image` in the manifest and apply again (an image of your own: `{LOAD}`)",
    ),
    "CreateContainerConfigError": _NO_CONFIG,
    "CreateContainerError": _NO_PROGRAM,
    "RunContainerError": _NO_PROGRAM,
    "StartError": _NO_PROGRAM,
    "ContainerCannotRun": _NO_PROGRAM,
    "CrashLoopBackOff": Hint(
        "container {container} ends and is started again, over and over ({message})",
        "a container that keeps running",
        "`kubectl logs {pod} --previous` shows what it said last",
    ),
    "OOMKilled": Hint(
        "container {container} used more memory than its limit and was killed (OOMKilled)",
        "a training that fits into its memory limit",
        "raise resources.limits.memory, or lower --batch-size; delete the object, apply again",
    ),
}


def container_hint(pod: Object, reason: str, message: str) -> Finding | None:
    """The finding for a container's reason; None for a reason that is no fault."""
    hint = CONTAINER_HINTS.get(reason)
    if hint is None:
        return None
    status = _status_with(pod, reason)
    words = {
        "reason": reason,
        "message": one_line(message) or reason,
        "pod": name_of(pod),
        "container": text(status, "name") or "tensorflow",
        "image": _image(pod, text(status, "name")),
    }
    return wrong(*(part.format(**words) for part in hint))


def creation_hint(owner: str, message: str) -> Finding:
    """The finding for a child that the API server refused to create."""
    said = one_line(message)
    if "exceeded quota" in message:
        return wrong(
            found=f"{owner} may create nothing more: {said}",
            wanted="room in the namespace's ResourceQuota",
            next_step="delete what you no longer need (`kubectl get tfjobs,jobs,pods`), or ask for "
            "a larger quota",
        )
    if "forbidden" in message:
        return wrong(
            found=f"{owner} was forbidden to create its children: {said}",
            wanted="Pods that the namespace's policy admits",
            next_step="hostPath volumes need a namespace whose Pod Security level is privileged: "
            "`kubectl get namespace --show-labels` shows yours",
        )
    return wrong(
        found=f"{owner} could not create its children: {said}",
        wanted="children that the API server accepts",
        next_step="mend the field that the message names, delete the object and apply again",
    )


def unscheduled(cluster: Snapshot, pod: Object, message: str) -> Finding:
    """The finding for a Pod that no node takes."""
    return (
        _without_gpu(cluster, pod, message)
        or _without_claim(cluster, pod, message)
        or wrong(
            found=f"no node takes Pod {name_of(pod)}: {one_line(message)}",
            wanted="a Pod that fits on a node",
            next_step="lower its resources.requests, or free a node (`kubectl describe nodes`)",
        )
    )


def too_many_gpus(cluster: Snapshot, container: Object) -> Finding | None:
    """The finding when a container asks for more GPUs than any node has. Raises: Unreadable."""
    there = gpus_of_cluster(cluster)
    for resource, asked in gpus(container).items():
        if asked > there.get(resource, 0):
            has = (
                f"no node has more than {there[resource]}"
                if there.get(resource)
                else (f"no node of this cluster has any {resource}")
            )
            return wrong(
                found=f"asks for {asked} {resource}, but {has}",
                wanted="as many GPUs as the exercise says, and the cluster has",
                next_step=_fewer(resource, there),
            )
    return None


def _fewer(resource: str, there: dict[str, int]) -> str:
    if there and resource not in there:
        return f"ask for {next(iter(there))}: 1 instead; delete the object and apply again"
    if there:
        return f"ask for {resource}: 1; delete the object and apply again"
    return "leave the GPU limit out on this cluster; delete the object and apply again"


def _without_gpu(cluster: Snapshot, pod: Object, message: str) -> Finding | None:
    if not re.search(r"Insufficient \S*gpu", message):
        return None
    for container in containers(mapping(pod, "spec")):
        try:
            finding = too_many_gpus(cluster, container)
        except Unreadable:
            finding = None
        if finding:
            return finding
    return converging(
        found=f"Pod {name_of(pod)} waits for a GPU: all are in use",
        wanted="a free GPU",
        next_step="wait, or free one: `kubectl get tfjobs,jobs` shows what may hold it, "
        "`kubectl delete` releases it",
    )


def _without_claim(cluster: Snapshot, pod: Object, message: str) -> Finding | None:
    if "persistentvolumeclaim" not in message.lower():
        return None
    names = [text(v, "persistentVolumeClaim", "claimName") for v in listed(pod, "spec", "volumes")]
    for name in filter(None, names):
        claim = cluster.find("persistentvolumeclaims", name)
        if claim is None:
            return wrong(
                found=f"Pod {name_of(pod)} mounts claim {name}, which does not exist",
                wanted=f"a PersistentVolumeClaim named {name}",
                next_step=f"create the PersistentVolumeClaim {name}, or correct claimName",
            )
        if text(claim, "status", "phase") != "Bound":
            return unbound(cluster, claim)
    return None


def unbound(cluster: Snapshot, claim: Object) -> Finding:
    """The finding for a PersistentVolumeClaim that is not Bound."""
    events = cluster.events(claim)
    said = f": {one_line(events[0])}" if events else ""
    return wrong(
        found=f"claim {name_of(claim)} is {text(claim, 'status', 'phase') or 'Pending'}{said}",
        wanted="a claim that is Bound",
        next_step="`kubectl get storageclass` shows which classes there are; leave "
        "storageClassName out to use the default one, delete the claim and apply it again",
    )


def _status_with(pod: Object, reason: str) -> Object:
    for status in listed(pod, "status", "containerStatuses"):
        states = (status.get("state") or {}).values()
        if any(text(state, "reason") == reason for state in states):
            return status
    return {}


def _image(pod: Object, container: str) -> str:
    """As the manifest has it: the status has it with a registry that the learner never wrote."""
    images = {c.get("name"): text(c, "image") for c in containers(mapping(pod, "spec"))}
    return images.get(container) or next(iter(images.values()), "?")


def one_line(message: str) -> str:
    """A message as one line of at most 240 characters."""
    line = re.sub(r"\s+", " ", message).strip()
    return line if len(line) <= 240 else line[:239] + "…"
