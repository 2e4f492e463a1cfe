"""What the API server refuses or fills in when an object is created, for the kinds in use here.

The words are the real server's; tests/cluster/test_conformance.py holds them to it.
"""

import re
from typing import Any

from tests.fakes import refusals
from tests.fakes.objects import (
    DEPLOYMENTS,
    JOBS,
    NAMESPACES,
    PODS,
    SERVICES,
    TFJOBS,
    Object,
    Resource,
)
from tests.fakes.store import Store

_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_CONTAINER_FIELDS = """
    name image command args workingDir ports env envFrom resources volumeMounts volumeDevices
    livenessProbe readinessProbe startupProbe lifecycle terminationMessagePath resizePolicy
    terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty restartPolicy
    restartPolicyRules
"""
_JOB_FIELDS = """
    parallelism completions activeDeadlineSeconds podFailurePolicy successPolicy backoffLimit
    backoffLimitPerIndex maxFailedIndexes selector manualSelector template suspend managedBy
    ttlSecondsAfterFinished completionMode podReplacementPolicy
"""
_CONTAINER, _JOB = set(_CONTAINER_FIELDS.split()), set(_JOB_FIELDS.split())


def check_namespace(store: Store, resource: Resource, obj: Object) -> None:
    """Nothing is created in a namespace that is missing or going."""
    name = obj["metadata"].get("namespace", "")
    space = store.find(NAMESPACES, "", name)
    if space is None:
        raise refusals.not_found(NAMESPACES, name)
    if "deletionTimestamp" in space["metadata"]:
        why = f"unable to create new content in namespace {name} because it is being terminated"
        name = obj["metadata"].get("name", "")
        raise refusals.forbidden(resource, name, why, "NamespaceTerminating")


def admit(resource: Resource, obj: Object, *, strict: bool) -> None:
    """Default in place. Raises: Refused 400 (decoding, strict) or 422 (validation)."""
    pod = pod_spec(resource, obj)
    if pod is not None:
        path = "spec" if resource is PODS else "spec.template.spec"
        _check_decoding(resource, obj, pod, path, strict)
        _check_pod(resource, obj, pod, path)
    _check_name(resource, obj["metadata"].get("name") or obj["metadata"]["generateName"] + "x")
    if resource is JOBS:
        _default_job(obj)
    if resource is SERVICES:
        obj["spec"].setdefault("clusterIP", "10.96.0.10")


def pod_spec(resource: Resource, obj: Object) -> dict[str, Any] | None:
    if resource in (JOBS, DEPLOYMENTS):
        return obj["spec"]["template"].setdefault("spec", {})
    return obj["spec"] if resource is PODS else None


def _check_decoding(
    resource: Resource, obj: Object, pod: dict[str, Any], path: str, strict: bool
) -> None:
    head = f'{resource.kind} in version "{resource.version}" cannot be handled as a '
    unknown = [f"spec.{name}" for name in obj["spec"] if resource is JOBS and name not in _JOB]
    for i, container in enumerate(pod.get("containers") or []):
        for field in ("command", "args"):
            if any(not isinstance(item, str) for item in container.get(field) or []):
                where = f"Container.{path}.containers.{field}"
                why = f"json: cannot unmarshal number into Go struct field {where} of type string"
                raise refusals.bad_request(f"{head}{resource.kind}: {why}")
        where = f"{path}.containers[{i}]"
        unknown += [f"{where}.{name}" for name in container if name not in _CONTAINER]
    if unknown and strict:
        fields = ", ".join(f'unknown field "{field}"' for field in unknown)
        raise refusals.bad_request(f"{head}{resource.kind}: strict decoding error: {fields}")


def _check_pod(resource: Resource, obj: Object, pod: dict[str, Any], path: str) -> None:
    name = obj["metadata"].get("name", "")
    if not pod.get("containers"):
        raise refusals.invalid(resource, name, f"{path}.containers: Required value")
    for i, container in enumerate(pod["containers"]):
        for field in ("name", "image"):
            if not container.get(field):
                cause = f"{path}.containers[{i}].{field}: Required value"
                raise refusals.invalid(resource, name, cause)
    policy = pod.get("restartPolicy", "Always")
    if resource is JOBS and policy not in ("OnFailure", "Never"):
        cause = f'{path}.restartPolicy: Required value: valid values: "OnFailure", "Never"'
        raise refusals.invalid(resource, name, cause)
    if resource is JOBS and policy != "Never" and "podFailurePolicy" in obj["spec"]:
        cause = f'{path}.restartPolicy: Invalid value: "{policy}": only "Never" is supported '
        raise refusals.invalid(resource, name, cause + "when podFailurePolicy is specified")


def _check_name(resource: Resource, name: str) -> None:
    if resource is SERVICES and (len(name) > 63 or not _LABEL.fullmatch(name)):
        cause = f'metadata.name: Invalid value: "{name}": a DNS-1035 label must consist of lower '
        raise refusals.invalid(resource, name, cause + "case alphanumeric characters or '-'")
    if len(name) > 253 or not _SUBDOMAIN.fullmatch(name):
        cause = f'metadata.name: Invalid value: "{name}": a lowercase RFC 1123 subdomain must '
        raise refusals.invalid(resource, name, cause + "consist of lower case alphanumerics")


def _default_job(obj: Object) -> None:
    spec = obj["spec"]
    for name, value in (("parallelism", 1), ("completions", 1), ("backoffLimit", 6)):
        spec.setdefault(name, value)
    failing = "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed"
    spec.setdefault("podReplacementPolicy", failing)
    spec.setdefault("suspend", False)
    spec.setdefault("completionMode", "NonIndexed")


def immutable_fault(resource: Resource, old: Object, new: Object) -> str:
    """Why an update is not allowed, or ""."""
    if resource is JOBS:
        changed = [f for f in ("template", "selector", "completions", "podFailurePolicy")
                   if old["spec"].get(f) != new["spec"].get(f)]  # fmt: skip
        return f"spec.{changed[0]}: Invalid value: field is immutable" if changed else ""
    if resource is TFJOBS and old["spec"].get("RuntimeId") != new["spec"].get("RuntimeId"):
        return "spec.RuntimeId: Invalid value: field is immutable"
    return ""
