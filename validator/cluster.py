"""The only reader: what the checks of some exercises read, and nothing else, as one snapshot.

Two rounds on one connection: the lists first, then what follows from them (the
logs of the exercises' own Pods, the operator's objects in its namespace, near
misses). Reads with get and list alone, Secrets only as metadata. What may not
be read is noted in the snapshot under ``missing`` and stops nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote

from validator import boards, container_engine
from validator.api import Answer, Api, Ask
from validator.engine import Exercise
from validator.kubeconfig import Connection, NoCluster
from validator.operator_release import CONFIG_MAP, CRD, DEPLOYMENT, LEASE, RELEASE
from validator.snapshot import (
    VERSION,
    Object,
    Snapshot,
    Unreadable,
    at,
    listed,
    mapping,
    name_of,
    text,
)
from validator.tfjobs import main_container, native_side_cars, replica_specs

# The namespaces of a class have it: see docs/instructors.md.
CLASS_LABEL = "tfjob-workshop/class"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
TFJOBS = "/apis/tensorflow.org/v1alpha1"
# The version of scheduling.k8s.io that has PodGroups.
POD_GROUPS = "scheduling.k8s.io/v1beta1"
DEVICES = "/apis/resource.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io/v1"
# Of a log, this much of its beginning and so many lines of its end are read.
HEAD_BYTES = 64 * 1024
TAIL_LINES = 200
TAIL_BYTES = 1024 * 1024
ANSWER_BYTES = 1024 * 1024
# A TfJob may have a thousand replicas; these many logs of an exercise show how it goes, the
# chief's first.
MOST_LOGS = 24

Data = dict[str, Any]
_ONLY = "?fieldSelector=metadata.name="
_HELM = "?labelSelector=owner%3Dhelm"

# By kind: path of the list ({ns} is the learner's namespace), and whether metadata alone is read.
LISTS: dict[str, tuple[str, bool]] = {
    "tfjobs": (TFJOBS + "/namespaces/{ns}/tfjobs", False),
    "jobs": ("/apis/batch/v1/namespaces/{ns}/jobs", False),
    "pods": ("/api/v1/namespaces/{ns}/pods", False),
    "services": ("/api/v1/namespaces/{ns}/services", False),
    "events": ("/api/v1/namespaces/{ns}/events", False),
    "persistentvolumeclaims": ("/api/v1/namespaces/{ns}/persistentvolumeclaims", False),
    "deployments": ("/apis/apps/v1/namespaces/{ns}/deployments", False),
    "replicasets": ("/apis/apps/v1/namespaces/{ns}/replicasets", True),
    "endpointslices": ("/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices", False),
    "resourceclaimtemplates": (DEVICES + "/namespaces/{ns}/resourceclaimtemplates", False),
    "resourceslices": (DEVICES + "/resourceslices", False),
    "deviceclasses": (DEVICES + "/deviceclasses", True),
    "horizontalpodautoscalers": (
        "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers",
        False,
    ),
    "podgroups": (f"/apis/{POD_GROUPS}/namespaces/{{ns}}/podgroups", False),
    "serviceaccounts": ("/api/v1/namespaces/{ns}/serviceaccounts", True),
    "roles": (f"/apis/{RBAC}/namespaces/{{ns}}/roles", False),
    "rolebindings": (f"/apis/{RBAC}/namespaces/{{ns}}/rolebindings", False),
    "priorityclasses": ("/apis/scheduling.k8s.io/v1/priorityclasses", False),
    "helm": ("/api/v1/namespaces/{ns}/secrets" + _HELM, True),
    "nodes": ("/api/v1/nodes", False),
    "storageclasses": ("/apis/storage.k8s.io/v1/storageclasses", True),
    "dns": (
        "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"
        "?labelSelector=kubernetes.io%2Fservice-name%3Dkube-dns",
        False,
    ),
    "customresourcedefinitions": (
        f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions{_ONLY}{CRD}",
        False,
    ),
    "operator deployments": (f"/apis/apps/v1/deployments{_ONLY}{DEPLOYMENT}", False),
}
# Read only where an exercise's object is missing: what a learner may have made in its place.
NEAR_MISSES: dict[str, tuple[str, bool]] = {
    "jobs": LISTS["jobs"],
    "pods": LISTS["pods"],
    "deployments": LISTS["deployments"],
    "cronjobs": ("/apis/batch/v1/namespaces/{ns}/cronjobs", True),
    "statefulsets": ("/apis/apps/v1/namespaces/{ns}/statefulsets", True),
    "daemonsets": ("/apis/apps/v1/namespaces/{ns}/daemonsets", True),
    "replicasets": LISTS["replicasets"],
    "kubeflow": ("/apis/kubeflow.org/v1/namespaces/{ns}/tfjobs", True),
}
# The operator's own objects, in the namespace of its Deployment.
OF_OPERATOR: dict[str, tuple[str, bool]] = {
    "operator pods": ("/api/v1/namespaces/{ns}/pods?labelSelector=name%3D" + DEPLOYMENT, False),
    "operator configmaps": ("/api/v1/namespaces/{ns}/configmaps" + _ONLY + CONFIG_MAP, False),
    "operator leases": (
        "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases" + _ONLY + LEASE,
        False,
    ),
    "operator helm": ("/api/v1/namespaces/{ns}/secrets" + _HELM + "%2Cname%3D" + RELEASE, True),
}


# Read once, and again when something else changes; not watched.
NEAR_MISSES_ONLY = frozenset(NEAR_MISSES) - frozenset(LISTS)


class Watchable(NamedTuple):
    """A list that was read, and from which version its changes follow."""

    label: str
    ask: Ask
    version: str


class Wanted(NamedTuple):
    """One GET, and where its answer goes: a kind ("operator pods"), or another part of the data."""

    label: str
    ask: Ask


def read(connection: Connection, exercises: Sequence[Exercise], here: bool = True) -> Data:
    """Read what these exercises' checks read, in the shape of ``snapshot``.

    here: whether the learner is at this machine, so that its container engine is theirs.
    Raises: NoCluster.
    """
    api = Api(connection)
    try:
        return read_with(api, exercises, here)[0]
    finally:
        api.close()


def namespaces(connection: Connection) -> list[str]:
    """The namespaces of a class where one was prepared, else all of them. Raises: NoCluster."""
    api = Api(connection)
    try:
        (answer,) = api.fetch([Ask("/api/v1/namespaces", METADATA_ONLY)])
        fail_without_cluster(connection, [answer])
        if answer.status != 200:
            raise NoCluster(
                f"the namespaces of the cluster cannot be listed: {answer.message}",
                "Grade with the rights of an instructor, or from files: grade *.json",
            )
        return _of_class(listed(_json(answer), "items"))
    finally:
        api.close()


def reads_engine(exercises: Sequence[Exercise]) -> bool:
    """Whether some exercise reads the container engine of this machine."""
    return any(container_engine.ENGINE in each.reads for each in exercises)


def _of_class(namespaces: list[Object]) -> list[str]:
    """The names that `python -m cluster.workshop class` has made; all where it made none."""
    made = [each for each in namespaces if at(each, "metadata", "labels", CLASS_LABEL)]
    return sorted(name_of(each) for each in made or namespaces)


def read_with(
    api: Api, exercises: Sequence[Exercise], here: bool = True
) -> tuple[Data, list[Watchable]]:
    """A snapshot's data, and the lists in it that can be watched from here on.

    Raises: NoCluster.
    """
    data, lists = empty(api.connection), list[Watchable]()
    first = first_round(api.connection.namespace, exercises)
    answers = api.fetch([wanted.ask for wanted in first])
    fail_without_cluster(api.connection, answers)
    lists += put_all(data, first, answers)
    data["taken"] = (api.server_time or datetime.now(UTC)).isoformat()
    if here and reads_engine(exercises):
        container_engine.read_into(data)
    second = second_round(api.connection, exercises, data)
    lists += put_all(data, second, api.fetch([wanted.ask for wanted in second]))
    return data, lists


def put_all(data: Data, wanted: Sequence[Wanted], answers: Sequence[Answer]) -> list[Watchable]:
    """Put all answers in their places. Returns: those lists that can be watched."""
    lists = []
    for one, answer in zip(wanted, answers, strict=True):
        version = put(data, one.label, answer)
        if version and one.label not in NEAR_MISSES_ONLY:
            lists.append(Watchable(one.label, one.ask, version))
    return lists


def empty(connection: Connection) -> Data:
    """A snapshot into which nothing has been read yet."""
    sections: dict[str, Any] = {
        section: {}
        for section in ("objects", "elsewhere", "operator", "logs", "answers", "missing")
    }
    return {
        "version": VERSION,
        "taken": datetime.now(UTC).isoformat(),
        "context": connection.context,
        "namespace": connection.namespace,
        "flags": list(connection.flags),
        "groups": [],
        **sections,
    }


def first_round(namespace: str, exercises: Sequence[Exercise]) -> list[Wanted]:
    """The lists that the checks read."""
    kinds = frozenset[str]().union(*(each.reads for each in exercises))
    wanted = [_list(kind, LISTS[kind], namespace) for kind in LISTS if kind in kinds]
    return wanted + ([Wanted("groups", Ask("/apis"))] if "groups" in kinds else [])


def second_round(connection: Connection, exercises: Sequence[Exercise], data: Data) -> list[Wanted]:
    """What follows from the lists: the operator's objects, logs, servers, near misses."""
    seen = Snapshot(data)
    kinds = frozenset[str]().union(*(each.reads for each in exercises))
    missing = [
        each for each in exercises if "near misses" in each.reads and _is_missing(seen, each)
    ]
    return [
        *_of_operator(seen, kinds),
        *_logs(seen, [each for each in exercises if "logs" in each.reads]),
        *_servers(seen, kinds),
        *_claims_elsewhere(connection, seen, exercises),
        *(_near_misses(connection, seen, missing) if missing else ()),
    ]


def put(data: Data, label: str, answer: Answer) -> str:
    """Put an answer where its label says; a refusal under ``missing``.

    Returns: the resourceVersion of a list; "" of anything else.
    """
    section, _, rest = label.partition(" ")
    if label.startswith("elsewhere "):
        _put_elsewhere(data, rest, answer)
    elif section == "log":
        _put_log(data, rest, answer)
    elif section == "answer":
        _put_answer(data, rest, answer)
    elif answer.status != 200:
        data["missing"][label] = {"status": answer.status, "message": answer.message}
    elif label == "groups":
        data["groups"] = list(_groups(listed(_json(answer), "groups")))
    elif label != "namespace":
        found = _json(answer)
        section, kind = place(label)
        data[section][kind] = [slim(item) for item in listed(found, "items")]
        return text(found, "metadata", "resourceVersion")
    return ""


def _groups(served: list[Object]) -> Iterator[str]:
    """The API groups by name, and the version that an optional part of one of them has."""
    for group in served:
        yield text(group, "name")
        versions = (text(v, "groupVersion") for v in listed(group, "versions"))
        yield from (version for version in versions if version == POD_GROUPS)


def place(label: str) -> tuple[str, str]:
    """(section, kind) of a list in the data."""
    section, _, rest = label.partition(" ")
    return ("operator", rest) if section == "operator" and rest else ("objects", label)


def slim(item: Object) -> Object:
    """An object without what no check reads, and what may be large."""
    metadata = mapping(item, "metadata")
    managers = listed(metadata, "managedFields")
    metadata.pop("managedFields", None)
    if replica_specs(item):  # of a TfJob: which program has made it
        for manager in managers:
            manager.pop("fieldsV1", None)
        metadata["managedFields"] = managers
    mapping(metadata, "annotations").pop("kubectl.kubernetes.io/last-applied-configuration", None)
    if name_of(item) == CRD:
        item.pop("spec", None)
    images = listed(item, "status", "images")
    if images:
        item["status"]["images"] = [{"names": image.get("names")} for image in images]
    return item


def fail_without_cluster(connection: Connection, answers: Sequence[Answer]) -> None:
    """Raises: NoCluster where nothing at all could be read, or nobody let us in."""
    refused = next((a for a in answers if a.status == 401), None)
    if refused:
        raise NoCluster(
            f"the API server rejected your login (401: {refused.message})",
            "Log in again, or name another kubeconfig with --kubeconfig FILE.",
        )
    if answers and all(a.status == 0 for a in answers):
        raise NoCluster(
            f"no answer from {connection.server} (context {connection.context}): "
            f"{answers[0].message}",
            "`make lab` starts the workshop's cluster again (`python -m cluster status` shows it). "
            "For a cluster of your own, see whether `kubectl get nodes` works.",
        )


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}


def _list(label: str, source: tuple[str, bool], namespace: str) -> Wanted:
    path, metadata_only = source
    where = path.replace("{ns}", quote(namespace, safe=""))
    return Wanted(label, Ask(where, METADATA_ONLY) if metadata_only else Ask(where))


def _is_missing(seen: Snapshot, each: Exercise) -> bool:
    try:
        return each.subject.find(seen) is None
    except Unreadable:
        return False


def _of_operator(seen: Snapshot, kinds: frozenset[str]) -> Iterator[Wanted]:
    """In the namespace of its Deployment; where that is not known, in the learner's."""
    if not kinds & set(OF_OPERATOR):
        return
    if "operator deployments" in seen.data["missing"]:
        own = [d for d in seen.items_if_readable("deployments") if name_of(d) == DEPLOYMENT]
        if own:
            seen.data["operator"]["deployments"] = own
            del seen.data["missing"]["operator deployments"]
    found = seen.items_if_readable("deployments", "operator")
    homes = sorted({text(d, "metadata", "namespace") for d in found} - {""}) or [seen.namespace]
    for kind, source in OF_OPERATOR.items():
        if kind in kinds:
            yield _list(kind, source, homes[0])


def _logs(seen: Snapshot, exercises: Iterable[Exercise]) -> Iterator[Wanted]:
    """Head and tail of the containers whose log a check may ask for."""
    names: dict[tuple[str, str], None] = {}
    for each in exercises:
        names.update(dict.fromkeys(islice(_containers(seen, each), MOST_LOGS)))
    space = quote(seen.namespace, safe="")
    for pod, container in names:
        where = f"/api/v1/namespaces/{space}/pods/{quote(pod, safe='')}/log"
        where += f"?container={quote(container, safe='')}&timestamps=true"
        head = Ask(f"{where}&limitBytes={HEAD_BYTES}", "*/*", HEAD_BYTES)
        tail = Ask(f"{where}&tailLines={TAIL_LINES}", "*/*", TAIL_BYTES)
        yield Wanted(f"log {pod}/{container} head", head)
        yield Wanted(f"log {pod}/{container} tail", tail)


def _containers(seen: Snapshot, each: Exercise) -> Iterator[tuple[str, str]]:
    """(Pod, container) of the exercise's own Pods: the one that works, and what has failed."""
    try:
        item = each.subject.find(seen)
        pods = each.subject.pods(seen, item) if item else []
        pods += _pods_of_further_jobs(seen, each)
    except Unreadable:
        return
    for pod in pods:
        main = text(main_container(mapping(pod, "spec")), "name")
        natives = native_side_cars(mapping(pod, "spec"))
        for key in ("containerStatuses", "initContainerStatuses"):
            for status in listed(pod, "status", key):
                aside = key == "containerStatuses" or text(status, "name") in natives
                if _is_telling(status, main, aside):
                    yield name_of(pod), text(status, "name")


def _pods_of_further_jobs(seen: Snapshot, each: Exercise) -> list[Object]:
    """The newest Pod of each Job that the learner makes beside the subject. Raises: Unreadable."""
    names = [name for kubectl, name in each.also if kubectl == "job"]
    jobs = [job for name in names if (job := seen.find("jobs", name))]
    return [pod for job in jobs for pod in seen.newest_pods(job)]


def _is_telling(status: Object, main: str, aside: bool) -> bool:
    """aside: once it is started, the others do not wait for it, as for an init container."""
    state = mapping(status, "state")
    begun = {"running", "terminated"} & set(state) or mapping(status, "lastState", "terminated")
    failed = mapping(state, "terminated").get("exitCode") not in (None, 0)
    unfinished = "running" in state and not (aside and status.get("started") is True)
    return bool(begun) and (status.get("name") == main or failed or unfinished)


def _servers(seen: Snapshot, kinds: frozenset[str]) -> Iterator[Wanted]:
    """A GET to each server that a check asks, through the API server's proxy."""
    space = quote(seen.namespace, safe="")
    for request in _requests(seen, kinds):
        server, _, path = request.partition("/")
        where = f"/api/v1/namespaces/{space}/services/{quote(server)}/proxy/"
        yield Wanted(f"answer {request}", Ask(where + path, "*/*", ANSWER_BYTES))


def _requests(seen: Snapshot, kinds: frozenset[str]) -> Iterator[str]:
    """ "<service>:<port>/<path>" of each; a TensorBoard's Service is known by its TfJob."""
    for kind in sorted(kinds):
        if kind.startswith("answer "):
            yield kind.removeprefix("answer ")
        elif kind.startswith(boards.READ):
            name, _, path = kind.removeprefix(boards.READ).partition("/")
            try:
                tfjob = seen.find("tfjobs", name)
                request = boards.request(seen, tfjob, path) if tfjob else ""
            except Unreadable:
                continue
            if request:
                yield request


def _claims_elsewhere(
    connection: Connection, seen: Snapshot, exercises: Sequence[Exercise]
) -> Iterator[Wanted]:
    """Claims that belong to an exercise and are not here, in the learner's other namespaces."""
    plural = "persistentvolumeclaims"
    here = {name_of(claim) for claim in seen.items_if_readable(plural)}
    named = {name for each in exercises for kubectl, name in each.also if kubectl == "pvc"}
    unread = plural not in seen.data["objects"]
    for name in () if unread else sorted(named - here):
        for other in connection.other_namespaces:
            where = f"/api/v1/namespaces/{quote(other, safe='')}/{plural}/{name}"
            ask = Ask(where, METADATA_ONLY.replace("List", ""))
            yield Wanted(f"elsewhere {plural} {name} {other}", ask)


def _near_misses(
    connection: Connection, seen: Snapshot, missing: Sequence[Exercise]
) -> Iterator[Wanted]:
    """Other kinds in the namespace, the namespace itself, and the learner's other namespaces."""
    space = quote(seen.namespace, safe="")
    for kind, source in NEAR_MISSES.items():
        unread = kind not in seen.data["objects"] and kind not in seen.data["missing"]
        if unread and (kind != "kubeflow" or seen.serves_group("kubeflow.org")):
            yield _list(kind, source, seen.namespace)
    yield Wanted("namespace", Ask(f"/api/v1/namespaces/{space}"))
    for each in missing:
        # A Helm release is no object of its own that could be asked for by name.
        plural = each.subject.plural
        path = "" if plural == "helm" else LISTS.get(plural, ("", False))[0].partition("?")[0]
        for other in connection.other_namespaces if "{ns}" in path else ():
            where = path.replace("{ns}", quote(other, safe=""))
            ask = Ask(f"{where}/{each.subject.name}", METADATA_ONLY.replace("List", ""))
            yield Wanted(f"elsewhere {each.subject.plural} {each.subject.name} {other}", ask)


def _put_elsewhere(data: Data, rest: str, answer: Answer) -> None:
    """Without the right to look there, nothing is said."""
    if answer.status == 200:
        plural, name, namespace = rest.split(" ")
        data["elsewhere"].setdefault(plural, {}).setdefault(name, []).append(namespace)


def _put_log(data: Data, rest: str, answer: Answer) -> None:
    """The head alone where it is the whole log; else the tail without what the head has."""
    key, _, part = rest.rpartition(" ")
    if answer.status != 200:
        data["missing"][f"log {key}"] = {"status": answer.status, "message": answer.message}
        return
    written = answer.body.decode("utf-8", "replace")
    if part == "head":
        whole = len(answer.body) < HEAD_BYTES and not answer.cut
        data["logs"][key] = {"head": written, "tail": "", "cut": not whole}
    elif data["logs"].get(key, {}).get("cut"):
        join_tail(data["logs"][key], written, answer.cut)


def join_tail(log: Data, tail: str, tail_is_cut: bool) -> None:
    """Put the tail behind the head; ``cut`` stays only where lines between them are missing.

    Lines end at line feeds alone: a program may print carriage returns.
    """
    head = log["head"][: log["head"].rfind("\n") + 1]
    lines = tail.split("\n")
    last = head.split("\n")[-2:-1]
    known = next((i for i, line in enumerate(lines) if [line] == last), None)
    log["head"] = head
    log["tail"] = "\n".join(lines if known is None else lines[known + 1 :])
    log["cut"] = known is None or tail_is_cut


def _put_answer(data: Data, request: str, answer: Answer) -> None:
    """What the server itself said; the API server's own refusals are no answer of it."""
    if answer.status == 0 or answer.is_status:
        data["missing"][f"answer {request}"] = {
            "status": answer.status,
            "message": answer.message,
        }
        return
    body = answer.body.decode("utf-8", "replace")
    data["answers"][request] = {"status": answer.status, "body": body}
