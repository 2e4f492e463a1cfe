"""A class on one shared cluster: what each learner gets there. Pure: names in, objects out.

A learner has a namespace with a quota, every right in it, and nothing outside it but what the
validator reads. `workshop.classes` carries it out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

# A namespace that this program made has this label; others are never touched.
LABEL = "tfjob-workshop/class"
OPERATOR_NAMESPACE = "tf-job-system"
ACCOUNT = "learner"
VALIDATOR = "tfjob-workshop-validator"
LEARNER = "tfjob-workshop-learner"
LOOKS = "tfjob-workshop-looks"
# Exercise 9.3 names it; the local cluster has it from the beginning.
URGENT = "workshop-urgent"
RBAC = "rbac.authorization.k8s.io"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")
_TAKEN = re.compile(rf"default|kube-.*|{OPERATOR_NAMESPACE}")


@dataclass(frozen=True)
class Share:
    """What one learner may ask for at a time, in Kubernetes' quantities."""

    cpus: str = "4"
    memory: str = "8Gi"
    gpus: str = "6"


def names_in(text: str) -> list[str]:
    """One name on each line, which becomes a namespace; lines that begin with # are comments.

    Raises: ValueError with a sentence for each line that is no good.
    """
    lines = text.lstrip("\ufeff").splitlines()
    given = [(n, line.strip()) for n, line in enumerate(lines, 1)]
    names = [(n, name) for n, name in given if name and not name.startswith("#")]
    found = [complaint for at in range(len(names)) if (complaint := _complaint(names, at))]
    if not names:
        found = ["it holds no name: write one on each line, such as ann"]
    if found:
        raise ValueError("; ".join(found))
    return [name for _, name in names]


def _complaint(names: list[tuple[int, str]], at: int) -> str:
    line, name = names[at]
    if first := next((n for n, other in names[:at] if other == name), 0):
        return f"line {line}: {name} is on line {first} already"
    if _TAKEN.fullmatch(name):
        return f"line {line}: {name} is a namespace of the cluster's own; choose another name"
    if _NAME.fullmatch(name):
        return ""
    better = _as_name(name)
    fix = f"write {better}" if better else "use letters, digits and hyphens, as in ann-lee"
    return f'line {line}: "{name[:60]}" cannot be a namespace\'s name; {fix}'


def _as_name(words: str) -> str:
    """The nearest name that a namespace can have; "" if nothing is left."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")
    return name if _NAME.fullmatch(name) else ""


def shared_objects() -> list[Object]:
    """What Kubernetes does not bring: rights to use TfJobs and to look at nodes, and a priority."""
    look = ["get", "list", "watch"]
    return [
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": URGENT, "labels": {LABEL: "priority"}},
            "value": 1000,
            "description": "Takes the GPUs of trainings without a priority where none is free.",
        },
        _role(LEARNER, {"apiGroups": ["tensorflow.org"], "resources": ["tfjobs"], "verbs": ["*"]}),
        _role(
            LOOKS,
            {"apiGroups": [""], "resources": ["nodes"], "verbs": look},
            {"apiGroups": ["metrics.k8s.io"], "resources": ["nodes"], "verbs": look},
            {
                "apiGroups": ["scheduling.k8s.io"],
                "resources": ["priorityclasses"],
                "verbs": look,
            },
            {
                "apiGroups": ["apiextensions.k8s.io"],
                "resources": ["customresourcedefinitions"],
                "verbs": look,
            },
        ),
    ]


def _role(name: str, *rules: Object) -> Object:
    metadata = {"name": name, "labels": {LABEL: "role"}}
    return {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": metadata,
            "rules": list(rules)}  # fmt: skip


def objects_for(name: str, share: Share) -> list[Object]:
    """A learner's namespace and all that belongs to it, in the order to apply them."""
    account = {"metadata": {"name": ACCOUNT, "namespace": name}}
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {LABEL: "learner"}},
        },
        {"apiVersion": "v1", "kind": "ServiceAccount", **account},
        _quota(name, share),
        _defaults(name),
        _binding(name, "admin", name),
        _binding(name, LEARNER, name),
        _binding(name, f"{VALIDATOR}-operator", OPERATOR_NAMESPACE),
        _binding(name, VALIDATOR, None),
        _binding(name, LOOKS, None),
    ]


def _quota(name: str, share: Share) -> Object:
    hard = {
        "requests.cpu": share.cpus,
        "requests.memory": share.memory,
        "requests.nvidia.com/gpu": share.gpus,
        "requests.alpha.kubernetes.io/nvidia-gpu": share.gpus,
        "requests.storage": "20Gi",
        "pods": "30",
        "count/tfjobs.tensorflow.org": "40",
        "services.loadbalancers": "1",
    }
    metadata = {"name": "share", "namespace": name}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata,
            "spec": {"hard": hard}}  # fmt: skip


def _defaults(name: str) -> Object:
    """A container that says nothing asks for this; a quota would turn it away otherwise."""
    limit = {
        "type": "Container",
        "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
        "default": {"memory": "2Gi"},
    }
    metadata = {"name": "defaults", "namespace": name}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata,
            "spec": {"limits": [limit]}}  # fmt: skip


def _binding(learner: str, role: str, namespace: str | None) -> Object:
    """Give a learner a ClusterRole in one namespace, or in the whole cluster for None."""
    metadata: Object = {"name": f"{role}-{learner}", "labels": {LABEL: "learner"}}
    if namespace is not None:
        metadata["namespace"] = namespace
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding" if namespace is None else "RoleBinding",
        "metadata": metadata,
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": learner}],
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
    }


def kubeconfig_for(name: str, cluster: Object, token: str, registry: str = "") -> Object:
    """A learner's kubeconfig, as a dictionary.

    cluster: server and certificate as in the instructor's kubeconfig. The extension says that the
    images are there, so that the learner's `make lab` builds none.
    """
    known = {key: cluster[key] for key in _KEPT if key in cluster}
    extension = {"name": "tfjob-workshop", "extension": {"provider": "class", "registry": registry}}
    context = {"cluster": "class", "user": name, "namespace": name}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "class", "cluster": {**known, "extensions": [extension]}}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": f"class-{name}", "context": context}],
        "current-context": f"class-{name}",
    }


_KEPT = ("server", "certificate-authority-data", "insecure-skip-tls-verify", "tls-server-name")


def strangers(names: Iterable[str], namespaces: Iterable[Object]) -> list[str]:
    """The names whose namespace is there and was not made by this program."""
    wanted = set(names)
    found = [each["metadata"] for each in namespaces]
    return sorted(
        m["name"] for m in found if m["name"] in wanted and LABEL not in m.get("labels", {})
    )
