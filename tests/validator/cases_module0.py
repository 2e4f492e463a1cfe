"""What a lab may be like: the worlds of 0.1.

Nobody breaks a cluster that other cases are played on. So the reader's data are edited here, in the
places that the API would change, before they are judged and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.validator.cases import Case
from validator.verdicts import Verdict

Data = dict[str, Any]
WRONG, CONVERGING = Verdict.WRONG, Verdict.CONVERGING


@dataclass(frozen=True)
class Edited(Case):
    """A case whose world is what was read, with one thing changed."""

    edit: Callable[[Data], object] = lambda data: None


def _nodes(data: Data) -> list[Data]:
    nodes: list[Data] = data["objects"]["nodes"]
    return nodes


def old_kubernetes(data: Data) -> None:
    for node in _nodes(data):
        node["status"]["nodeInfo"]["kubeletVersion"] = "v1.32.4"


def no_node(data: Data) -> None:
    data["objects"]["nodes"] = []


def not_ready_for(seconds: int) -> Callable[[Data], None]:
    """As the node controller writes it, when the kubelet is silent."""

    def edit(data: Data) -> None:
        since = datetime.fromisoformat(data["taken"]) - timedelta(seconds=seconds)
        for node in _nodes(data):
            for condition in node["status"]["conditions"]:
                if condition["type"] == "Ready":
                    condition.update(status="Unknown", lastTransitionTime=since.isoformat())

    return edit


def taint(key: str) -> Callable[[Data], None]:
    """As the kubelet's conditions lead to it."""

    def edit(data: Data) -> None:
        for node in _nodes(data):
            node["spec"]["taints"] = [{"key": f"node.kubernetes.io/{key}", "effect": "NoSchedule"}]

    return edit


def cordoned(data: Data) -> None:
    taint("unschedulable")(data)
    for node in _nodes(data):
        node["spec"]["unschedulable"] = True


def nobody_answers_names(data: Data) -> None:
    for each in data["objects"]["dns"]:
        each["endpoints"] = None


def dns_starts(data: Data) -> None:
    for each in data["objects"]["dns"]:
        for end in each["endpoints"]:
            end["conditions"]["ready"] = False


def no_storage(data: Data) -> None:
    data["objects"]["storageclasses"] = []


def no_default_storage(data: Data) -> None:
    for each in data["objects"]["storageclasses"]:
        each["metadata"].pop("annotations")


def sample_image(version: str) -> Callable[[Data], None]:
    """Another version of it on the nodes, or none."""

    def edit(data: Data) -> None:
        for node in _nodes(data):
            images = node["status"]["images"]
            mine = [i for i in images if any("fashion-mnist" in n for n in i["names"] or ())]
            for image in mine:
                image["names"] = [f"localhost/fashion-mnist:{version}"]
                if not version:
                    images.remove(image)

    return edit


def no_word_of_images(data: Data) -> None:
    """As a node is that has just started."""
    for node in _nodes(data):
        node["status"].pop("images")


def first_images_of_a_new_node(data: Data) -> None:
    """As a node is while images are loaded: it has reported those that came first."""
    for node in _nodes(data):
        node["status"]["images"] = [{"names": ["localhost/pause:1.0.0"]}]
        since = datetime.fromisoformat(data["taken"]) - timedelta(seconds=20)
        node["metadata"]["creationTimestamp"] = since.isoformat()


def many_images(data: Data) -> None:
    sample_image("")(data)
    for node in _nodes(data):
        names = (f"registry.example/tool-{number}:1" for number in range(50))
        node["status"]["images"] = [{"names": [name]} for name in names]


def no_right_to_read_nodes(data: Data) -> None:
    del data["objects"]["nodes"]
    data["missing"]["nodes"] = {"status": 403, "message": "nodes is forbidden"}


def _lab(
    name: str, id: str, found: str, fix: str, edit: Callable[[Data], object], **more: Any
) -> Edited:
    return Edited("0.1", name, more.pop("verdict", WRONG), id, found, fix, edit=edit, **more)


MODULE0 = [
    Case("0.1", "solution", Verdict.DONE),
    _lab("old-kubernetes", "version.old", "run Kubernetes 1.32", "source .lab/activate",
         old_kubernetes, verdict=Verdict.BLOCKED),
    _lab("no-right", "version.forbidden", "no permission to read nodes", "validator/rbac.yaml",
         no_right_to_read_nodes, verdict=Verdict.COULD_NOT_CHECK),
    _lab("no-node", "nodes.none", "has no node", "python -m cluster up", no_node),
    _lab("node-restarts", "nodes.starting", "is not ready", "Wait", not_ready_for(20),
         verdict=CONVERGING),
    _lab("node-not-ready", "nodes.not-ready", "is not ready", "python -m cluster up",
         not_ready_for(600)),
    _lab("disk-pressure", "nodes.disk-pressure", "runs short of disk", "Free space",
         taint("disk-pressure")),
    _lab("memory-pressure", "nodes.memory-pressure", "runs short of memory", "Wait",
         taint("memory-pressure"), verdict=CONVERGING),
    _lab("cordoned", "nodes.cordoned", "takes no new Pods", "kubectl uncordon", cordoned),
    _lab("no-dns", "dns.none", "has nobody who answers", "python -m cluster up",
         nobody_answers_names),
    _lab("dns-starts", "dns.not-ready", "DNS is not ready yet", "Wait", dns_starts,
         verdict=CONVERGING),
    _lab("no-storage", "storage.none", "has no StorageClass", "install one", no_storage),
    _lab("no-default-storage", "storage.no-default", "there is standard",
         "kubectl annotate storageclass standard", no_default_storage),
    _lab("no-image", "image.missing", "has the sample image", "python -m cluster build",
         sample_image("")),
    _lab("old-image", "image.other-version", "fashion-mnist:latest", "python -m cluster build",
         sample_image("latest")),
    _lab("node-just-started", "image.unreported", "have not said yet", "Wait", no_word_of_images,
         verdict=CONVERGING),
    _lab("images-load", "image.unreported", "have not said yet", "Wait",
         first_images_of_a_new_node, verdict=CONVERGING),
    _lab("many-images", "image.many", "more images than they report", "exercise 2.1", many_images,
         verdict=Verdict.COULD_NOT_CHECK),
]  # fmt: skip
