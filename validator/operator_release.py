"""The operator as the cluster shows it, in whatever namespace it was installed.

Exercise 5.0 asks for all of it, 5.1 for the ConfigMap that says what to mount,
and every exercise with a TfJob whether an operator runs, or has run.
"""

from __future__ import annotations

from typing import Any

from validator.diagnosis import of_deployment
from validator.engine import Need, Subject
from validator.snapshot import (
    Object,
    Snapshot,
    Unreadable,
    is_true,
    listed,
    mapping,
    name_of,
    text,
    time_at,
)
from validator.subjects import newest_revision, release_trouble
from validator.tfjobs import Mount, containers, gpus_of_cluster, repository
from validator.verdicts import Finding, Verdict, converging, could_not_check, not_started, wrong

RELEASE = "tf-job"
CRD = "tfjobs.tensorflow.org"
DEPLOYMENT = "tf-job-operator"
CONFIG_MAP = "tf-job-operator-config"
LEASE = "tf-job-operator"
CONFIG_KEY = "controller_config_file.yaml"
AZURE_RESOURCE = "alpha.kubernetes.io/nvidia-gpu"
AZURE_DRIVERS = "/usr/lib/nvidia-384"
# An operator that works renews its Lease every few seconds.
LEASE_SECONDS = 60.0
PAGE = "{checkout}/modules/5-tfjob/README.md#install-the-operator"
ASK_ITS_OWNER = (
    "The operator is in another namespace than yours. Ask who installed it. This command shows it:"
)
READS = frozenset({"operator deployments", "customresourcedefinitions", "tfjobs"})


def crd(cluster: Snapshot) -> Object | None:
    """The definition of TfJob. Raises: Unreadable."""
    found = cluster.items("customresourcedefinitions")
    return next((c for c in found if name_of(c) == CRD), None)


def deployment(cluster: Snapshot) -> Object | None:
    """The operator's Deployment; an Available one before any other. Raises: Unreadable."""
    found = cluster.items("deployments", "operator")
    return next((d for d in found if is_true(d, "Available")), found[0] if found else None)


def home(cluster: Snapshot) -> str:
    """The namespace of the operator's Deployment; "" without one."""
    return text(deployment(cluster), "metadata", "namespace")


def is_elsewhere(cluster: Snapshot) -> bool:
    """Whether it is in another namespace than the learner's, where nobody tells them to delete."""
    return home(cluster) not in ("", cluster.namespace)


def ask_its_owner(cluster: Snapshot) -> tuple[str, str]:
    """What to do about an operator that is elsewhere: nothing that changes it."""
    return ASK_ITS_OWNER, in_its_namespace(cluster, f"$ kubectl describe deployment {DEPLOYMENT}")


def config_map(cluster: Snapshot) -> Object | None:
    """The operator's ConfigMap, of the Deployment's namespace. Raises: Unreadable."""
    found = cluster.items("configmaps", "operator")
    return next((c for c in found if text(c, "metadata", "namespace") == home(cluster)), None)


def install(cluster: Snapshot) -> str:
    """The command that installs or repairs the release, where it is."""
    try:
        namespace = home(cluster)
    except Unreadable:
        namespace = ""
    where = f" --namespace={namespace}" if namespace and namespace != cluster.namespace else ""
    chart = "{checkout}/operator/chart"
    return f"$ helm upgrade --install {RELEASE} {chart} --set cloud=azure --wait{where}"


def in_its_namespace(cluster: Snapshot, command: str) -> str:
    """A command on an object of the operator, with its namespace where that is another."""
    namespace = home(cluster)
    return f"{command} --namespace={namespace}" if namespace != cluster.namespace else command


def is_missing(cluster: Snapshot) -> Finding | None:
    """The finding without a Deployment of the operator."""
    if deployment(cluster):
        return None
    secret = newest_revision(cluster.items_if_readable("helm", "operator"), RELEASE)
    trouble = _trouble_of_release(cluster, secret) if secret else None
    if trouble:
        return trouble
    return not_started(
        "none",
        f"no operator: no Deployment {DEPLOYMENT} in any namespace",
        f"the operator, installed by Helm as release {RELEASE}",
        "Install it:",
        install(cluster),
    )


def not_by_helm(cluster: Snapshot) -> Finding | None:
    """The finding for a Deployment that is not part of a deployed release of Helm.

    By Helm's own Secret; without the right to see it, by the marks on the Deployment.
    """
    found = deployment(cluster) or {}
    try:
        secret = newest_revision(cluster.items("helm", "operator"), RELEASE)
    except Unreadable:
        marks = text(found, "metadata", "annotations", "meta.helm.sh/release-name")
        return None if marks else _without_helm(cluster)
    return _trouble_of_release(cluster, secret) if secret else _without_helm(cluster)


def _trouble_of_release(cluster: Snapshot, secret: Object) -> Finding | None:
    """Why the release is not deployed; it is in the namespace of its Secret."""
    trouble = release_trouble(secret, RELEASE)
    if not trouble:
        return None
    namespace = text(secret, "metadata", "namespace")
    if namespace not in ("", cluster.namespace):
        return trouble.but(
            fix=(ASK_ITS_OWNER, f"$ helm status {RELEASE} --namespace={namespace}"),
        )
    steps = trouble.fix
    if trouble.verdict is Verdict.CONVERGING or not deployment(cluster):
        steps += (
            "If there is nothing to roll back to, uninstall the release, and install it again:",
            f"$ helm uninstall {RELEASE}",
        )
    return trouble.but(fix=(*steps, install(cluster)))


def _without_helm(cluster: Snapshot) -> Finding:
    """In another namespace it may be another person's, who has made it in another way."""
    found = f"Deployment {DEPLOYMENT}, but no Helm release {RELEASE} in its namespace"
    wanted = f"the operator as Helm release {RELEASE}, which Helm can upgrade and remove"
    if is_elsewhere(cluster):
        return could_not_check("no-release", found, wanted, *ask_its_owner(cluster))
    return wrong(
        "no-release",
        found,
        wanted,
        "Delete the Deployment, and install the chart. Helm takes over what is left:",
        f"$ kubectl delete deployment {DEPLOYMENT}",
        install(cluster).replace(" --wait", " --wait --take-ownership"),
    )


def not_running(cluster: Snapshot) -> Finding | None:
    """Why the operator does not run; None when it does: its Lease is renewed."""
    found = deployment(cluster)
    if not found:
        return is_missing(cluster)
    trouble = of_deployment(_in_home(cluster), found)
    if not trouble:
        return _another_program(found) or _lease(cluster)
    steps = tuple(
        in_its_namespace(cluster, step) if step.startswith("$ kubectl") else step
        for step in trouble.fix
    )
    if trouble.redo:
        # Its manifest is the chart: what the learner gave to Helm is wrong.
        steps += ("This command brings back the chart's own image and arguments:", install(cluster))
    return trouble.but(redo=False, fix=steps)


def _in_home(cluster: Snapshot) -> Snapshot:
    """The operator's own Pods in place of the learner's, for the diagnosis of its Deployment."""
    missing = dict(cluster.data["missing"])
    problem = missing.pop("operator pods", None)
    objects = {
        **cluster.data["objects"],
        "pods": [] if problem else cluster.items_if_readable("pods", "operator"),
    }
    missing.pop("pods", None)
    return Snapshot({**cluster.data, "objects": objects, "missing": missing})


def _another_program(found: Object) -> Finding | None:
    images = [text(c, "image") for c in containers(mapping(found, "spec", "template", "spec"))]
    if any(repository(image).endswith(DEPLOYMENT) for image in images):
        return None
    return wrong(
        "image",
        f"Deployment {DEPLOYMENT} runs {', '.join(images) or 'nothing'}",
        "the operator's own image",
        "Install the chart again:",
        "$ helm upgrade --install tf-job {checkout}/operator/chart --set cloud=azure --wait",
    )


def _lease(cluster: Snapshot) -> Finding | None:
    """Whether an operator works: it renews its Lease. Without the right to see it, unknown."""
    found = cluster.items_if_readable("leases", "operator")
    if "operator leases" in cluster.data["missing"] or "leases" not in cluster.data["operator"]:
        return None
    lease = next((each for each in found if name_of(each) == LEASE), None)
    renewed = time_at(lease, "spec", "renewTime")
    age = cluster.age_seconds(renewed)
    if renewed and age <= LEASE_SECONDS:
        return None
    since = time_at(deployment(cluster), "metadata", "creationTimestamp")
    said = f"its Lease was last renewed {age:.0f} s ago" if renewed else "it has no Lease"
    return converging(
        "lease",
        f"Deployment {DEPLOYMENT} is available, but the operator does not lead yet: {said}",
        "an operator that renews its Lease",
        "Wait half a minute. If it stays so, read its log:",
        in_its_namespace(cluster, f"$ kubectl logs deployment/{DEPLOYMENT} --tail=20"),
        since=renewed or since,
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
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return mapping(parsed, "accelerators") if isinstance(parsed, dict) else None


def mounts_of(accelerator: object) -> set[Mount]:
    """What the operator mounts for one accelerator of the ConfigMap."""
    return {
        Mount(text(v, "hostPath"), text(v, "mountPath")) for v in listed(accelerator, "volumes")
    }


def _runs_or_has_run(cluster: Snapshot) -> Finding | None:
    """Unmet where no operator runs, and no TfJob shows that one has."""
    found = not_running(cluster) if deployment(cluster) else is_missing(cluster)
    if found is None or found.cause == "lease":
        return None
    has_run = any(mapping(t, "status") for t in cluster.items_if_readable("tfjobs"))
    if has_run:
        return None
    return found.but(
        found=f"the operator does not run: {found.found}",
        page=PAGE,
        fix=(*found.fix, "This command checks the operator:",
             "$ python -m validator module5 --exercise 0"),
    )  # fmt: skip


def _lacks_the_drivers(cluster: Snapshot) -> Finding | None:
    """Unmet where nodes offer the GPU of 2017, and the ConfigMap does not know it."""
    if AZURE_RESOURCE not in gpus_of_cluster(cluster) or not config_map(cluster):
        return None
    if mounts_of((accelerators(cluster) or {}).get(AZURE_RESOURCE)):
        return None
    return wrong(
        "none",
        f"the operator's ConfigMap has no driver folders for {AZURE_RESOURCE}",
        "an operator installed with --set cloud=azure",
        "Upgrade the release:",
        install(cluster),
    ).but(page=PAGE)


class Operator(Subject):
    """The operator's Deployment, in whatever namespace it is."""

    kind, plural, kubectl = "Deployment", "operator deployments", "deployment"
    reads = READS

    def find(self, cluster: Snapshot) -> Object | None:
        return deployment(cluster)


OPERATOR = Need("operator", _runs_or_has_run, READS | {"operator pods"})
DRIVERS = Need("drivers", _lacks_the_drivers, READS | {"operator configmaps", "nodes"})
