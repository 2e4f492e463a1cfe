"""Checks of exercise 5.0: the operator itself."""

from __future__ import annotations

from validator import operator_release as operator
from validator.engine import Check, Seen
from validator.snapshot import Unreadable, created, is_true
from validator.verdicts import Finding, converging, wrong

_DEPLOYMENT = frozenset({"operator deployments"})


def operator_exists() -> Check:
    """The operator's Deployment is there."""
    title = "The operator's Deployment exists."
    reads = _DEPLOYMENT | {"operator helm"}
    return Check("exists", title, lambda seen: operator.is_missing(seen.cluster), reads)


def operator_was_installed_by_helm() -> Check:
    """It is part of a deployed release of Helm."""
    title = "Helm installed it, as release tf-job."
    reads = _DEPLOYMENT | {"operator helm"}
    return Check("helm", title, lambda seen: operator.not_by_helm(seen.cluster), reads)


def operator_serves() -> Check:
    """TfJob is a kind that this cluster knows."""

    def judge(seen: Seen) -> Finding | None:
        if _served(seen):
            return None
        definition = operator.crd(seen.cluster)
        if definition is None:
            return wrong(
                "no-crd",
                "there is an operator, but no CustomResourceDefinition tfjobs.tensorflow.org",
                "the CustomResourceDefinition of the chart",
                *_with_its_crd(seen),
            )
        if not is_true(definition, "Established"):
            return converging(
                "not-established",
                "CustomResourceDefinition tfjobs.tensorflow.org is not yet Established",
                "condition Established: True",
                "Wait a few seconds:",
                "$ kubectl wait --for=condition=Established crd/tfjobs.tensorflow.org",
                since=created(definition),
            )
        return converging(
            "not-served",
            "the API server does not serve tfjobs.tensorflow.org/v1alpha1 yet",
            "an API server that serves TfJobs",
            "Wait a few seconds, and check again.",
            since=created(definition),
        )

    reads = frozenset({"tfjobs", "customresourcedefinitions"}) | _DEPLOYMENT
    return Check("crd", "TfJob is a kind that this cluster knows and serves.", judge, reads)


def _with_its_crd(seen: Seen) -> tuple[str, ...]:
    if operator.is_elsewhere(seen.cluster):
        return operator.ask_its_owner(seen.cluster)
    return (
        "Uninstall the release, and install it again with its CRD:",
        f"$ helm uninstall {operator.RELEASE}",
        operator.install(seen.cluster),
    )


def _served(seen: Seen) -> bool:
    try:
        return seen.cluster.served("tfjobs")
    except Unreadable:
        return False


def operator_runs() -> Check:
    """Its Deployment is available, and it works."""
    title = "The operator runs: its Deployment is available, and it renews its Lease."
    reads = _DEPLOYMENT | {"operator pods", "operator leases", "nodes"}
    return Check("runs", title, lambda seen: operator.not_running(seen.cluster), reads)


def operator_knows_the_drivers() -> Check:
    """Its ConfigMap says where Azure's nodes keep the GPU drivers."""

    def judge(seen: Seen) -> Finding | None:
        cluster = seen.cluster
        if operator.config_map(cluster) is None:
            return wrong(
                "no-configmap",
                f"the operator has no ConfigMap {operator.CONFIG_MAP}",
                f"ConfigMap {operator.CONFIG_MAP}, which is part of the chart",
                "Upgrade the release, which creates it again:",
                operator.install(cluster),
            )
        known = operator.accelerators(cluster)
        azure = operator.mounts_of((known or {}).get(operator.AZURE_RESOURCE))
        if any(mount.host_path.startswith(operator.AZURE_DRIVERS) for mount in azure):
            return None
        paths = ", ".join(sorted(mount.host_path for mount in azure)) or "no driver folders"
        return wrong(
            "other-cloud" if azure else "no-cloud",
            f"ConfigMap {operator.CONFIG_MAP} has {paths} for {operator.AZURE_RESOURCE}",
            f"the folders of cloud=azure, under {operator.AZURE_DRIVERS}",
            "The release was installed without `cloud`, or with another one. Upgrade it:",
            operator.install(cluster),
        )

    title = "Its ConfigMap says where Azure's nodes keep the GPU drivers."
    reads = _DEPLOYMENT | {"operator configmaps"}
    return Check("drivers", title, judge, reads)
