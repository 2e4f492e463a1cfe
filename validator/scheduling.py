"""Why a Pod has no node: GPUs, CPU, memory, labels, taints, claims.

What other people's Pods or a node's restart can cause is "on its way": it heals
by itself. Only what no waiting changes is wrong.
"""

from __future__ import annotations

import re
from datetime import datetime

from validator import holders
from validator.case import NODE_SECONDS, Case
from validator.device_claims import unscheduled_claim
from validator.hints import one_line
from validator.snapshot import Object, condition, created, listed, mapping, name_of, text
from validator.tfjobs import containers, gpus, gpus_of_cluster, quantity
from validator.verdicts import Finding, could_not_check, wrong

_NODE_AWAY = ("not-ready", "unreachable", "unschedulable", "-pressure", "shutdown")
_WANTED = "a node that has room for the Pod"


def unscheduled(case: Case, pod: Object, message: str, since: datetime | None) -> Finding:
    """The finding for a Pod that has no node."""
    return (
        _no_such_gpu(case, pod, message)
        or unscheduled_claim(case, pod, message, since)
        or _claim(case, pod, message)
        or _too_large(case, pod, message)
        or _in_use(case, pod, message, since)
        or _labels(case, pod, message, since)
        or _taints(case, pod, message, since)
        or case.graced(_in_its_words(pod, message), since)
    )


def too_many_gpus(there: dict[str, int], container: Object) -> Finding | None:
    """The finding when a container asks for more GPUs than any node has."""
    for resource, asked in gpus(container).items():
        if asked <= there.get(resource, 0):
            continue
        most = there.get(resource)
        has = f"no node has more than {most}" if most else "no node of this cluster has any"
        return wrong(
            "gpus.too-many" if most else "gpus.no-such",
            f"asks for {asked} {resource}, but {has}",
            "as many GPUs as the exercise says, and the cluster has",
            _fewer(resource, there),
            redo=True,
        )
    return None


def _fewer(resource: str, there: dict[str, int]) -> str:
    if not there:
        return "Leave the GPU limit out: this cluster has no GPUs."
    name = resource if resource in there else next(iter(there))
    return f"Set `resources: {{limits: {{{name}: 1}}}}` on the container."


def _no_such_gpu(case: Case, pod: Object, message: str) -> Finding | None:
    if not re.search(r"Insufficient \S*gpu", message) or not case.cluster.items_if_readable(
        "nodes"
    ):
        return None
    there = gpus_of_cluster(case.cluster)
    found = [too_many_gpus(there, c) for c in containers(mapping(pod, "spec"))]
    return next((f for f in found if f), None)


def _in_use(case: Case, pod: Object, message: str, since: datetime | None) -> Finding | None:
    """What other Pods hold, for as long as they hold it."""
    scarce = sorted(set(re.findall(r"Insufficient (\S+?)[,.]?(?:\s|$)", message)))
    if "Too many pods" in message:
        scarce.append("places for Pods")
    if not scarce:
        return None
    what = ", ".join(scarce)
    held = holders.of_resources(case.cluster, scarce, pod)
    return case.on_its_way(
        "unscheduled.gpu" if any("gpu" in each for each in scarce) else "unscheduled.capacity",
        f"no node has room for Pod {name_of(pod)} now: other Pods use the {what}"
        + (f"; in this namespace: {held}" if held else ""),
        "Wait until another Pod ends, or delete what you no longer need. "
        "This command shows what runs in this namespace:",
        "$ kubectl get tfjobs,jobs,pods",
        f"If nothing here holds {what}, other namespaces do.",
        since=since,
        late=one_line(message),
    )


def _too_large(case: Case, pod: Object, message: str) -> Finding | None:
    """More CPU or memory than the largest node has: no waiting helps."""
    nodes = case.cluster.items_if_readable("nodes")
    for resource in re.findall(r"Insufficient (cpu|memory)\b", message):
        amounts = [quantity(mapping(n, "status", "allocatable").get(resource)) for n in nodes]
        most = max((a for a in amounts if a is not None), default=None)
        asked = sum(_request(c, resource) for c in containers(mapping(pod, "spec")))
        if most is not None and asked > most:
            return wrong(
                f"unscheduled.{resource}",
                f"Pod {name_of(pod)} asks for more {resource} than any node has",
                _WANTED,
                f"Lower resources.requests.{resource} (or the limit, which counts as a request).",
                redo=True,
            )
    return None


def _request(container: Object, resource: str) -> float:
    for section in ("requests", "limits"):
        amount = quantity(mapping(container, "resources", section).get(resource))
        if amount is not None:
            return amount
    return 0.0


def _claim(case: Case, pod: Object, message: str) -> Finding | None:
    missing = re.search(r'persistentvolumeclaim "([^"]+)" not found', message)
    if missing:
        return case.graced(_no_claim(pod, missing[1]), created(pod))
    if "volume" not in message.lower():
        return None
    volumes = listed(pod, "spec", "volumes")
    names = {text(v, "persistentVolumeClaim", "claimName") for v in volumes}
    for claim in case.cluster.items_if_readable("persistentvolumeclaims"):
        if name_of(claim) in names and text(claim, "status", "phase") != "Bound":
            return _unbound(case, claim)
    return None


def _no_claim(pod: Object, name: str) -> Finding:
    return wrong(
        "claim.missing",
        f"Pod {name_of(pod)} mounts the claim {name}, which does not exist in this namespace",
        f"a PersistentVolumeClaim named {name}",
        f"Create the claim {name}, or correct claimName in the manifest. "
        "This command shows which exist:",
        "$ kubectl get persistentvolumeclaims",
    )


def _unbound(case: Case, claim: Object) -> Finding:
    finding = unbound_claim(case, claim)
    fix = (
        *finding.fix,
        "A claim cannot be changed. Delete it, and apply it again:",
        f"$ kubectl delete pvc {name_of(claim)}",
    )
    return case.graced(finding.but(cause="claim.unbound", fix=fix), created(claim))


def unbound_claim(case: Case, claim: Object) -> Finding:
    """The finding for a claim that is not Bound, whoever asks: its Pod, or an exercise."""
    said = next(iter(case.cluster.events(claim)), "")
    return wrong(
        "unbound",
        f"claim {name_of(claim)} is {text(claim, 'status', 'phase') or 'Pending'}"
        + (f": {one_line(said)}" if said else ""),
        "a claim that is Bound",
        "Leave `storageClassName` out of the claim, so that the default class is used. "
        "This command shows the classes:",
        "$ kubectl get storageclass",
    )


def _labels(case: Case, pod: Object, message: str, since: datetime | None) -> Finding | None:
    if not re.search(r"didn't match (?:Pod's )?node (?:affinity|selector)", message):
        return None
    wanted = mapping(pod, "spec", "nodeSelector")
    nodes = case.cluster.items_if_readable("nodes")
    if any(wanted.items() <= mapping(n, "metadata", "labels").items() for n in nodes) and wanted:
        return None
    shown = ", ".join(f"{key}={value}" for key, value in wanted.items()) or "of its affinity"
    finding = wrong(
        "unscheduled.label",
        f"Pod {name_of(pod)} wants a node with the label {shown}, and no node has it",
        "a label that a node has" + _values(nodes, wanted),
        "Drop `nodeSelector` or `affinity` from the manifest. This command shows the labels:",
        "$ kubectl get nodes --show-labels",
        redo=True,
    )
    return finding if nodes else case.graced(finding, since)


def _values(nodes: list[Object], wanted: Object) -> str:
    """What the nodes' labels of these names say, as a sentence part; "" where none has one."""
    labels = [mapping(node, "metadata", "labels") for node in nodes]
    there = sorted({f"{key}={each[key]}" for each in labels for key in wanted if key in each})
    return f": {', '.join(there)}" if there else ""


def _taints(case: Case, pod: Object, message: str, since: datetime | None) -> Finding | None:
    """A node that is away comes back; a taint that somebody set stays."""
    away = any(words in message for words in _NODE_AWAY)
    if not away and "untolerated taint" not in message:
        return None
    # Since Kubernetes 1.34 the message does not name the taint.
    if not away and not any(map(_is_away, case.cluster.items_if_readable("nodes"))):
        finding = wrong(
            "unscheduled.taint",
            f"no node accepts Pod {name_of(pod)}: {one_line(message)}",
            "a node without a taint that the Pod does not tolerate",
            "Ask whoever runs the cluster, or add a toleration to the manifest"
            f"{_toleration(case)}. This command shows the taints:",
            "$ kubectl describe nodes",
        )
        return case.graced(finding, since)
    found = f"Pod {name_of(pod)} waits for a node: the node is not ready ({one_line(message)})"
    if case.cluster.age_seconds(since) < NODE_SECONDS:
        return case.on_its_way("unscheduled.node-away", found, since=since)
    return could_not_check(
        "unscheduled.node-away",
        found,
        "a node that is ready",
        "See the state of the nodes:",
        "$ kubectl get nodes",
        "On the workshop's own cluster, this command starts what does not run. A node that was "
        "cordoned is opened by `kubectl uncordon`:",
        "$ python -m cluster up",
    )


def _toleration(case: Case) -> str:
    """The toleration to paste, for the first taint of a node."""
    nodes = case.cluster.items_if_readable("nodes")
    taints = [taint for node in nodes for taint in listed(node, "spec", "taints")]
    if not taints:
        return ""
    key, effect = text(taints[0], "key"), text(taints[0], "effect")
    return f": `tolerations: [{{key: {key}, operator: Exists, effect: {effect}}}]`"


def _is_away(node: Object) -> bool:
    """Cordoned, not ready, or short of something: Kubernetes' own taints."""
    taints = [text(taint, "key") for taint in listed(node, "spec", "taints")]
    ready = condition(node, "Ready").get("status") in (None, "True")
    own = any(key.startswith("node.kubernetes.io/") for key in taints)
    return not ready or own or mapping(node, "spec").get("unschedulable") is True


def _in_its_words(pod: Object, message: str) -> Finding:
    return wrong(
        "unscheduled.other",
        f"no node has room for Pod {name_of(pod)}: {one_line(message)}",
        _WANTED,
        "Change what the message names. This command shows the nodes:",
        "$ kubectl describe nodes",
        redo=True,
    )
