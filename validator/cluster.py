"""The only reader: one snapshot of all that the checks may want to know, read at once.

Reads with get and list alone, Secrets only as metadata. What may not be read
is noted in the snapshot under ``missing`` and stops nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from validator.api import METADATA_ONLY, Api, Refused
from validator.kubeconfig import Connection, NoCluster
from validator.operator_release import CONFIG_MAP, CRD, DEPLOYMENT
from validator.snapshot import VERSION, Object, listed, name_of, text

THREADS = 8
LOG_LINES = 2000
LOG_BYTES = 512 * 1024
MOST_LOGS = 24
TFJOBS = "/apis/tensorflow.org/v1alpha1"


class Request(NamedTuple):
    """One list to read; it goes to ``snapshot[section][kind]``."""

    section: str
    kind: str
    path: str
    accept: str = "application/json"


def requests_for(namespace: str) -> list[Request]:
    """All lists that one snapshot is made of."""
    space = f"/namespaces/{quote(namespace, safe='')}"
    core, apps = f"/api/v1{space}", "/apis/apps/v1"
    only = "?fieldSelector=metadata.name="
    return [
        Request("objects", "tfjobs", f"{TFJOBS}{space}/tfjobs"),
        Request("objects", "jobs", f"/apis/batch/v1{space}/jobs"),
        Request("objects", "pods", f"{core}/pods"),
        Request("objects", "services", f"{core}/services"),
        Request("objects", "events", f"{core}/events"),
        Request("objects", "persistentvolumeclaims", f"{core}/persistentvolumeclaims"),
        Request("objects", "deployments", f"{apps}{space}/deployments"),
        Request("objects", "helm", f"{core}/secrets?labelSelector=owner%3Dhelm", METADATA_ONLY),
        Request("objects", "nodes", "/api/v1/nodes"),
        Request("objects", "storageclasses", "/apis/storage.k8s.io/v1/storageclasses"),
        Request(
            "objects",
            "customresourcedefinitions",
            f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions{only}{CRD}",
        ),
        Request("operator", "deployments", f"{apps}/deployments{only}{DEPLOYMENT}"),
        Request("operator", "configmaps", f"/api/v1/configmaps{only}{CONFIG_MAP}"),
        Request("operator", "pods", f"/api/v1/pods?labelSelector=name%3D{DEPLOYMENT}"),
        Request("elsewhere", "tfjobs", f"{TFJOBS}/tfjobs", METADATA_ONLY),
    ]


def read(connection: Connection) -> dict[str, Any]:
    """Read a snapshot (see ``snapshot`` for its shape). Raises: NoCluster."""
    api = Api(connection)
    data: dict[str, Any] = {
        "version": VERSION,
        "taken": datetime.now(UTC).isoformat(),
        "context": connection.context,
        "namespace": connection.namespace,
        **{section: {} for section in ("objects", "elsewhere", "operator", "logs", "missing")},
    }
    with ThreadPoolExecutor(THREADS) as pool:
        _read_lists(api, pool, data)
        _read_logs(api, pool, data)
    return data


def _read_lists(api: Api, pool: ThreadPoolExecutor, data: dict[str, Any]) -> None:
    wanted = requests_for(data["namespace"])
    answers = list(pool.map(lambda one: _attempt(lambda: _items(api, one)), wanted))
    _fail_without_cluster(api.connection, [problem for _, problem in answers])
    for request, (items, problem) in zip(wanted, answers, strict=True):
        data[request.section][request.kind] = items or []
        if problem:
            data["missing"][_label(request)] = problem
    _look_at_home(api, data)


def _label(request: Request) -> str:
    plain = request.section == "objects"
    return request.kind if plain else f"{request.section} {request.kind}"


def _items(api: Api, request: Request) -> list[Object]:
    return [_slim(item) for item in api.get_items(request.path, request.accept)]


def _slim(item: Object) -> Object:
    """Without what no check reads, and what may be large."""
    item.get("metadata", {}).pop("managedFields", None)
    if name_of(item) == CRD:
        item.pop("spec", None)
    item.get("status", {}).pop("images", None)
    return item


def _look_at_home(api: Api, data: dict[str, Any]) -> None:
    """Without the right to look for the operator everywhere: the learner's own namespace."""
    space = quote(data["namespace"], safe="")
    one = f"/api/v1/namespaces/{space}/configmaps?fieldSelector=metadata.name={CONFIG_MAP}"
    local: dict[str, Callable[[], list[Object]]] = {
        "deployments": lambda: [
            d for d in data["objects"]["deployments"] if name_of(d) == DEPLOYMENT
        ],
        "configmaps": lambda: api.get_items(one),
        "pods": lambda: [
            p
            for p in data["objects"]["pods"]
            if text(p, "metadata", "labels", "name") == DEPLOYMENT
        ],
    }
    for kind, look in local.items():
        if f"operator {kind}" in data["missing"]:
            items, _ = _attempt(look)
            if items:
                data["operator"][kind] = items
                del data["missing"][f"operator {kind}"]


def _read_logs(api: Api, pool: ThreadPoolExecutor, data: dict[str, Any]) -> None:
    """The end of the log of each container that a Job runs, the newest Pods first."""
    space = quote(data["namespace"], safe="")
    names = list(_with_logs(data["objects"]["pods"]))[:MOST_LOGS]

    def fetch(name: tuple[str, str]) -> bytes:
        pod, container = (quote(part, safe="") for part in name)
        return api.get(
            f"/api/v1/namespaces/{space}/pods/{pod}/log?container={container}"
            f"&timestamps=true&tailLines={LOG_LINES}&limitBytes={LOG_BYTES}",
            accept="*/*",
        )

    answers = pool.map(lambda name: _attempt(lambda: fetch(name)), names)
    for (pod, container), (log, problem) in zip(names, answers, strict=True):
        key = f"{pod}/{container}"
        if problem:
            data["missing"][f"log {key}"] = problem
        else:
            data["logs"][key] = (log or b"").decode("utf-8", "replace")


def _with_logs(pods: list[Object]) -> Iterable[tuple[str, str]]:
    newest = sorted(pods, key=lambda p: text(p, "metadata", "creationTimestamp"), reverse=True)
    for pod in newest:
        owners = {text(o, "kind") for o in listed(pod, "metadata", "ownerReferences")}
        if "Job" not in owners:
            continue
        for status in listed(pod, "status", "containerStatuses"):
            if {"running", "terminated"} & set(status.get("state") or {}):
                yield name_of(pod), text(status, "name")


def _attempt(ask: Callable[[], Any]) -> tuple[Any, dict[str, Any] | None]:
    """(answer, None), or (None, why not)."""
    try:
        return ask(), None
    except Refused as refusal:
        return None, {"status": refusal.status, "message": refusal.message}
    except OSError as error:
        return None, {"status": 0, "message": str(error) or type(error).__name__}


def _fail_without_cluster(connection: Connection, problems: list[dict[str, Any] | None]) -> None:
    """Raises: NoCluster where nothing at all could be read, or nobody let us in."""
    refused = next((p for p in problems if p and p["status"] == 401), None)
    if refused:
        raise NoCluster(
            f"the API server does not know you (401 {refused['message']})",
            "log in again, or name another kubeconfig with --kubeconfig FILE",
        )
    silent = next((p for p in problems if p), None)
    if silent and all(p and p["status"] == 0 for p in problems):
        raise NoCluster(
            f"no answer from {connection.server} (context {connection.context}): "
            f"{silent['message']}",
            "`make lab` starts the workshop's cluster again (`python -m cluster status` shows it); "
            "for a cluster of your own, see that `kubectl get nodes` works",
        )
