"""The operator as the cluster shows it, in whatever namespace it was installed.

Used by exercise 5.0, and by 5.1 for the ConfigMap that says what to mount.
"""

from __future__ import annotations

from typing import Any

from validator.snapshot import Object, Snapshot, Unreadable, at, is_true, listed, mapping, text
from validator.tfjobs import Mount

RELEASE = "tf-job"
CRD = "tfjobs.tensorflow.org"
DEPLOYMENT = "tf-job-operator"
CONFIG_MAP = "tf-job-operator-config"
CONFIG_KEY = "controller_config_file.yaml"
AZURE_RESOURCE = "alpha.kubernetes.io/nvidia-gpu"
AZURE_DRIVERS = "/usr/lib/nvidia-384"


def crd(cluster: Snapshot) -> Object | None:
    """The definition of TfJob. Raises: Unreadable."""
    found = cluster.items("customresourcedefinitions")
    return next((c for c in found if text(c, "metadata", "name") == CRD), None)


def deployment(cluster: Snapshot) -> Object | None:
    """The operator's Deployment; an Available one before any other. Raises: Unreadable."""
    found = cluster.items("deployments", "operator")
    return next((d for d in found if is_true(d, "Available")), found[0] if found else None)


def config_map(cluster: Snapshot) -> Object | None:
    """The operator's ConfigMap, of the Deployment's namespace. Raises: Unreadable."""
    found = cluster.items("configmaps", "operator")
    home = text(deployment(cluster), "metadata", "namespace")
    return next((c for c in found if text(c, "metadata", "namespace") == home), None)


def pods(cluster: Snapshot) -> list[Object]:
    """The operator's Pods, newest last; [] when they cannot be read."""
    try:
        found = cluster.items("pods", "operator")
    except Unreadable:
        return []
    return sorted(found, key=lambda pod: text(pod, "metadata", "creationTimestamp"))


def helm_status(cluster: Snapshot, release: str) -> str:
    """The status of a release's newest revision in the learner's namespace; "" for none.

    From the labels of Helm's Secrets: owner=helm, name, status, version.
    """
    labels = [mapping(s, "metadata", "labels") for s in cluster.items("helm")]
    mine = [one for one in labels if one.get("name") == release and one.get("owner") == "helm"]
    newest = max(mine, key=lambda one: int(str(one.get("version", 0))), default={})
    return str(newest.get("status", ""))


def installed_by_helm(item: Object) -> bool:
    """Whether Helm put its marks on the object."""
    return text(item, "metadata", "labels", "app.kubernetes.io/managed-by") == "Helm" or bool(
        text(item, "metadata", "annotations", "meta.helm.sh/release-name")
    )


def accelerators(cluster: Snapshot) -> dict[str, Any] | None:
    """The ConfigMap's ``accelerators`` by resource; None when there is none to be read.

    Raises: Unreadable.
    """
    # Here and not above: it takes a fifth of a cold start, and few runs come this far.
    import yaml

    written = text(config_map(cluster) or {}, "data", CONFIG_KEY)
    try:
        parsed = yaml.load(written, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return None
    return mapping(parsed, "accelerators") if isinstance(parsed, dict) else None


def mounts_of(accelerator: object) -> set[Mount]:
    """What the operator mounts for one accelerator of the ConfigMap."""
    return {
        Mount(text(v, "hostPath"), text(v, "mountPath")) for v in listed(accelerator, "volumes")
    }


def environment_of(accelerator: object) -> dict[str, str]:
    """What the operator sets for one accelerator of the ConfigMap."""
    return {text(e, "name"): str(at(e, "value") or "") for e in listed(accelerator, "envVars")}
