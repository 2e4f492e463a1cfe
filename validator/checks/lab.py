"""Checks of the lab itself (0.1): what the other modules take for granted, and what it can do.

Nobody makes anything here. So what cannot be read accuses nobody, and what a
restart heals is on its way first.
"""

from __future__ import annotations

import re

from validator.case import NODE_SECONDS, WAIT
from validator.engine import Check, Seen
from validator.snapshot import (
    Object,
    Snapshot,
    Unreadable,
    at,
    condition,
    created,
    is_true,
    listed,
    name_of,
    text,
    time_at,
)
from validator.tfjobs import GPU_RESOURCES, SAMPLE_IMAGE, images_of_nodes, is_sample_image, tag
from validator.verdicts import Finding, blocked, converging, could_not_check, wrong

OLDEST = (1, 34)
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
METRICS, POD_GROUPS = "metrics.k8s.io", "scheduling.k8s.io/v1beta1"
START = ("On the workshop's own cluster, this command starts what does not run:",
         "$ python -m cluster up")  # fmt: skip
# A kubelet reports no more images than these.
MOST_IMAGES = 50


def version() -> Check:
    """The nodes run a Kubernetes that the workshop knows."""

    def judge(seen: Seen) -> Finding | None:
        nodes = _read(seen.cluster, "nodes")
        known = [_version(n) for n in nodes if _version(n)]
        if not known or min(known) >= OLDEST:
            return None
        old = ".".join(map(str, min(known)))
        return blocked(
            "old",
            f"the nodes of context {seen.cluster.context} run Kubernetes {old}",
            f"Kubernetes {OLDEST[0]}.{OLDEST[1]} or later",
            "Go on if you like: exercises that ask for devices by a claim (3.3), or for Pods that "
            "start together (9.4), will be blocked. The others may work. Is it the cluster that "
            "you mean? A new terminal does not know the lab yet: `source .lab/activate`. This "
            "command shows which cluster is asked:",
            "$ kubectl config current-context",
        )

    return Check("version", "Its API answers, and is not too old.", judge, frozenset({"nodes"}))


def nodes_ready() -> Check:
    """A node is ready, and takes Pods."""

    def judge(seen: Seen) -> Finding | None:
        nodes = _read(seen.cluster, "nodes")
        ready = [n for n in nodes if is_true(n, "Ready")]
        if not ready:
            return _not_ready(seen.cluster, nodes)
        free = [n for n in ready if not _pressure(n)]
        if not free:
            return _under_pressure(ready[0])
        if all(at(n, "spec", "unschedulable") is True for n in free):
            return wrong(
                "cordoned",
                f"node {name_of(free[0])} takes no new Pods (cordoned)",
                "a node that takes Pods",
                "Let it take Pods again:",
                f"$ kubectl uncordon {name_of(free[0])}",
            )
        return None

    return Check("nodes", "A node is ready, and takes Pods.", judge, frozenset({"nodes"}))


def _not_ready(cluster: Snapshot, nodes: list[Object]) -> Finding:
    wanted = "a node that is ready"
    if not nodes:
        return wrong("none", "the cluster has no node", wanted, *START)
    since = max(
        (t for n in nodes if (t := time_at(condition(n, "Ready"), "lastTransitionTime"))),
        default=None,
    )
    found = f"node {name_of(nodes[0])} is not ready"
    if cluster.age_seconds(since) < NODE_SECONDS:
        return converging("starting", found, wanted, WAIT, since=since)
    return wrong("not-ready", found, wanted, *START, "See why:", "$ kubectl describe nodes")


def _pressure(node: Object) -> str:
    """What a node lacks, so that it takes no Pods: "disk", "memory", "pid"; "" for nothing."""
    keys = [text(t, "key") for t in listed(node, "spec", "taints")]
    found = (re.fullmatch(r"node\.kubernetes\.io/(\w+)-pressure", key) for key in keys)
    return next((match[1] for match in found if match), "")


def _under_pressure(node: Object) -> Finding:
    lacks = _pressure(node)
    wanted = "a node with room on its disk and in its memory"
    found = f"node {name_of(node)} runs short of {lacks}, and takes no new Pods"
    if lacks != "disk":
        return converging(f"{lacks}-pressure", found, wanted, "Wait, or end other programs.")
    return wrong(
        "disk-pressure",
        found,
        wanted,
        "Free space on the disk of the node: on the workshop's own cluster, that is the disk of "
        "this checkout. The node notices it within some minutes. This command shows its state:",
        f"$ kubectl describe node {name_of(node)}",
    )


def names_are_found() -> Check:
    """The cluster's DNS has somebody who answers; where that cannot be seen, nothing is said."""

    def judge(seen: Seen) -> Finding | None:
        try:
            slices = _read(seen.cluster, "dns")
        except Unreadable:
            return None
        ends = [end for each in slices for end in listed(each, "endpoints")]
        wanted = "a server that answers names, such as that of a Service"
        if not slices or any(at(end, "conditions", "ready") is not False for end in ends):
            return None
        if ends:
            return converging("not-ready", "the cluster's DNS is not ready yet", wanted, WAIT)
        return wrong(
            "none",
            "the cluster's DNS (Service kube-dns) has nobody who answers",
            wanted,
            *START,
            "See what is there:",
            "$ kubectl get pods --namespace=kube-system",
        )

    return Check("dns", "Programs find each other by name.", judge, frozenset({"dns"}))


def default_storage() -> Check:
    """A claim that names no class gets storage."""

    def judge(seen: Seen) -> Finding | None:
        classes = _read(seen.cluster, "storageclasses")
        if any(_is_default(each) for each in classes):
            return None
        wanted = "a StorageClass that is the default: claims of the workshop name none"
        if not classes:
            found = "the cluster has no StorageClass"
            advice = "On a cluster of your own, install one that makes volumes by itself."
            return wrong("none", found, wanted, *START, advice)
        name = name_of(classes[0])
        return wrong(
            "no-default",
            f"no StorageClass is the default; there is {name}",
            wanted,
            "Make one the default:",
            f"$ kubectl annotate storageclass {name} {DEFAULT_CLASS}=true --overwrite",
        )

    return Check("storage", "There is storage for who asks.", judge, frozenset({"storageclasses"}))


def _is_default(item: Object) -> bool:
    return text(item, "metadata", "annotations", DEFAULT_CLASS) == "true"


def has_sample_image() -> Check:
    """A node has the sample image, in the version of the pages."""

    def judge(seen: Seen) -> Finding | None:
        nodes = _read(seen.cluster, "nodes")
        there = [name for name in images_of_nodes(seen.cluster) if is_sample_image(name)]
        if any(tag(name) == tag(SAMPLE_IMAGE) for name in there):
            return None
        if not images_of_nodes(seen.cluster) or _is_new(seen.cluster, nodes):
            return converging(
                "unreported",
                "the nodes have not said yet which images they have",
                f"a node with {SAMPLE_IMAGE}",
                "Wait: a node that has just started says it within two minutes.",
            )
        if any(len(listed(n, "status", "images")) >= MOST_IMAGES for n in nodes):
            return could_not_check(
                "many",
                "the nodes have more images than they report",
                f"a node with {SAMPLE_IMAGE}",
                "Go on: exercise 2.1 shows whether the image is there.",
            )
        context = seen.cluster.context
        found = f"no node of context {context} has the sample image"
        if there:
            found = f"the nodes of context {context} have {there[0]}"
        return wrong(
            "other-version" if there else "missing",
            found,
            f"a node with {SAMPLE_IMAGE}",
            "Is it the cluster that you mean? A new terminal does not know the lab yet: "
            "`source .lab/activate`. Else build the image, and load it. What is there is kept:",
            "$ python -m cluster build",
            "$ python -m cluster up",
        )

    return Check("image", "A node has the sample image.", judge, frozenset({"nodes"}))


def _is_new(cluster: Snapshot, nodes: list[Object]) -> bool:
    """Whether a node has just joined: what it reports first may lack what is still loaded."""
    joined = (created(node) for node in nodes)
    return any(t and cluster.age_seconds(t) < NODE_SECONDS for t in joined)


def capabilities(seen: Seen) -> str:
    """What this cluster can do, in one line."""
    cluster = seen.cluster
    nodes = cluster.items_if_readable("nodes")
    classes = cluster.items_if_readable("storageclasses")
    parts = [
        "1 node" if len(nodes) == 1 else f"{len(nodes)} nodes",
        _gpus(nodes),
        _by_claim(cluster.items_if_readable("resourceslices")),
        "default storage" if any(map(_is_default, classes)) else "",
        "metrics" if cluster.serves_group(METRICS) else "no metrics",
        "PodGroups" if cluster.serves_group(POD_GROUPS) else "no PodGroups",
    ]
    return f"Context {cluster.context}: {', '.join(part for part in parts if part)}."


def _gpus(nodes: list[Object]) -> str:
    """How many, under which names, and whether they are simulated."""
    counts = {name: sum(_amount(node, name) for node in nodes) for name in GPU_RESOURCES}
    names = [name for name, count in counts.items() if count]
    if not names:
        return "no GPUs"
    product = (text(n, "metadata", "labels", "nvidia.com/gpu.product") for n in nodes)
    simulated = "simulated " if any("simulated" in each.lower() for each in product) else ""
    count = max(counts.values())
    return f"{count} {simulated}GPU{'s' if count > 1 else ''} ({' or '.join(reversed(names))})"


def _by_claim(slices: list[Object]) -> str:
    """How many devices a ResourceClaim can ask for."""
    count = sum(len(listed(each, "spec", "devices")) for each in slices)
    return f"{count} by claim" if count else ""


def _amount(node: Object, resource: str) -> int:
    amount = str(at(node, "status", "allocatable", resource) or "")
    return int(amount) if amount.isdecimal() else 0


def _version(node: Object) -> tuple[int, ...]:
    """(1, 37) of "v1.37.2"; () where the node does not say."""
    found = re.match(r"v(\d+)\.(\d+)", text(node, "status", "nodeInfo", "kubeletVersion"))
    return (int(found[1]), int(found[2])) if found else ()


def _read(cluster: Snapshot, kind: str) -> list[Object]:
    """All objects of a kind. Raises: Unreadable also where nobody has asked for them."""
    found = cluster.items(kind)
    if kind not in cluster.data["objects"]:
        raise Unreadable(kind, 0, "they are not part of what was read")
    return found
