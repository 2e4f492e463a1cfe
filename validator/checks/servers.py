"""Checks of a Deployment and the Service of the same name that leads to it.

What the program does decides, not what ``containerPort`` says: the port that
stands in its command, where one does.
"""

from __future__ import annotations

import re
from datetime import timedelta

from validator import jupyter, model_server, program
from validator.engine import Check, Seen
from validator.snapshot import Object, created, listed, mapping, name_of, text
from validator.subjects import SERVICE_NAME, Service
from validator.tfjobs import command_line, main_container
from validator.verdicts import Finding, wrong

# A Pod that is as old as its ReplicaSet was made with it. Times are whole seconds.
FIRST = timedelta(seconds=2)

# How a ReplicaSet's events begin.
CREATED, DELETED = "Created pod: ", "Deleted pod: "

# The port of Python's web server where its arguments name none.
DEFAULT_PORT = 8000
_LOCAL = ("127.0.0.1", "localhost", "::1")
_READS = frozenset({"services", "endpointslices", "pods", "replicasets"})


def service_exists(port: int) -> Check:
    """There is a Service of the subject's name."""

    def judge(seen: Seen) -> Finding | None:
        name = seen.subject.name
        if Service(name).find(seen.cluster):
            return None
        return wrong(
            "none",
            f"there is a Deployment {name}, and no Service of that name",
            f"a Service named {name} with port {port}",
            "Write the Service into your manifest, and apply it:",
            f"$ kubectl apply -f {seen.exercise.file}",
        )

    return Check("service", "Service {name} exists.", judge, _READS)


def listens() -> Check:
    """Its server listens where others reach it, and the probe asks at that port."""

    def judge(seen: Seen) -> Finding | None:
        container = _container(seen)
        bound = next((w for w in command_line(container) if w in _LOCAL), "")
        if bound:
            return seen.wrong(
                "localhost",
                f"the server listens on {bound} alone, where only its own Pod reaches it",
                "a server that listens on all addresses of its Pod",
                "Write 0.0.0.0 in its place, or delete `--bind`.",
            )
        return _other_probe(seen, container)

    return Check("listens", "Its server listens where others reach it.", judge)


def _other_probe(seen: Seen, container: Object) -> Finding | None:
    probe = mapping(container, "readinessProbe")
    asked = next((mapping(probe, k).get("port") for k in ("httpGet", "tcpSocket") if k in probe), 0)
    wanted = server_port(container)
    if not asked or not wanted or _numbers(container, asked) == wanted:
        return None
    return seen.wrong(
        "probe-port",
        f"the readiness probe asks at port {asked}, and the program listens on {wanted}",
        "a probe that asks the program",
        f"Set the port of the readinessProbe to {wanted}.",
    )


def leads_to_its_pods(port: int) -> Check:
    """The Service of its name leads to its Pods, and to no others; port: the Service's."""

    def judge(seen: Seen) -> Finding | None:
        service = Service(seen.subject.name).find(seen.cluster) or {}
        selector = mapping(service, "spec", "selector")
        mine = seen.pods
        matched = Service(seen.subject.name).pods(seen.cluster, service)
        return (
            _no_selector(seen, selector)
            or _other_labels(seen, selector, mine, matched)
            or _other_port(seen, service, port)
            or _by_hand(seen)
            or _foreign(seen, matched)
        )

    return Check("endpoints", "Its Service leads to its Pods, and to no others.", judge, _READS)


def _no_selector(seen: Seen, selector: Object) -> Finding | None:
    if selector:
        return None
    return seen.wrong(
        "no-selector",
        f"Service {seen.subject.name} has no selector: Kubernetes does not look for its Pods",
        "a Service that finds its Pods by their labels",
        "Add `selector:` to the Service, with the labels of the template.",
    )


def _other_labels(
    seen: Seen, selector: Object, mine: list[Object], matched: list[Object]
) -> Finding | None:
    """Both sets of labels, and which differ."""
    if not mine or any(pod in matched for pod in mine):
        return None
    labels = mapping(mine[-1], "metadata", "labels")
    differs = ", ".join(
        f"{key} is {value} in the selector and {labels.get(key, 'missing')} on the Pod"
        for key, value in selector.items()
        if labels.get(key) != value
    )
    own = {k: v for k, v in labels.items() if k != "pod-template-hash"}
    return seen.wrong(
        "selector" if set(selector) <= set(labels) else "selector.key",
        f"the Service looks for {_shown(selector)}, and the Pods have {_shown(own)}: {differs}",
        "a selector that matches the labels of the Pods",
        "Correct `selector` in the Service. This command shows the labels:",
        "$ kubectl get pods --show-labels",
    )


def _other_port(seen: Seen, service: Object, asked: int) -> Finding | None:
    container = _container(seen)
    wanted = server_port(container)
    ports = {port.get("port"): port for port in listed(service, "spec", "ports")}
    if asked not in ports:
        return seen.wrong(
            "service-port",
            f"the Service itself has port {', '.join(map(str, ports)) or 'none'}",
            f"a Service with port {asked}, which sends to {wanted}",
            f"Set `port: {asked}` and `targetPort: {wanted}` in the Service.",
        )
    # Further ports are the learner's own business.
    target = ports[asked].get("targetPort") or asked
    if not wanted or _numbers(container, target) == wanted:
        return None
    opened = {p.get("containerPort") for p in listed(container, "ports")}
    believed = _numbers(container, target) in opened
    return seen.wrong(
        "container-port" if believed else "port",
        f"the Service sends to port {target}, and the program listens on {wanted}"
        + (": containerPort only describes it, and opens nothing" if believed else ""),
        f"targetPort: {wanted}",
        f"Set `targetPort: {wanted}` in the Service"
        + (f", and `containerPort: {wanted}` in the Deployment." if believed else "."),
    )


def _by_hand(seen: Seen) -> Finding | None:
    """An address that no Pod stands behind."""
    for each in _slices(seen):
        if any(not mapping(end, "targetRef") for end in listed(each, "endpoints")):
            return wrong(
                "by-hand",
                f"EndpointSlice {name_of(each)} has addresses that belong to no Pod",
                "a Service whose addresses Kubernetes finds itself, by its selector",
                "Delete the EndpointSlice, if you made it. These commands show whose it is:",
                "$ kubectl get endpointslices",
                f"$ kubectl describe endpointslice {name_of(each)}",
            )
    return None


def _foreign(seen: Seen, matched: list[Object]) -> Finding | None:
    """Pods of somebody else that have the labels which the Service looks for."""
    sets = [text(s, "metadata", "uid") for s in _replica_sets(seen)]
    asked = (pod for pod in matched if not _is_over(pod))
    others = [name_of(pod) for pod in asked if not set(_owners(pod)) & set(sets)]
    if not others:
        return None
    return seen.wrong(
        "foreign",
        f"the Service also leads to Pods that are not the Deployment's: {', '.join(others[:3])}",
        "a label that only the Pods of this Deployment have",
        "Give the other Pods another label, or do without them. This command shows which Pods have "
        "the label:",
        "$ kubectl get pods --show-labels",
    )


def _is_over(pod: Object) -> bool:
    """Whether it gets no request any more: a Service leaves out what has ended or goes."""
    ended = text(pod, "status", "phase") in ("Succeeded", "Failed")
    return ended or bool(text(pod, "metadata", "deletionTimestamp"))


def asks_before_ready() -> Check:
    """Its container has a readiness probe."""

    def judge(seen: Seen) -> Finding | None:
        container = _container(seen)
        if mapping(container, "readinessProbe"):
            return None
        port = server_port(container) or 8080
        return seen.wrong(
            "none",
            "the container has no readinessProbe: a Pod counts as ready as soon as its program "
            "starts, and gets requests before it can answer",
            "a readinessProbe that asks the server",
            f"Add `readinessProbe: {{httpGet: {{path: /, port: {port}}}}}` to the container.",
        )

    return Check("probe", "A Pod gets requests once its server answers.", judge)


def first_pods_replaced() -> Check:
    """The first Pods were deleted, and others came.

    A Pod that is younger than its ReplicaSet shows it; so do events of a Pod that is no more,
    where all came within two seconds. Events are kept for an hour.
    """

    def judge(seen: Seen) -> Finding | None:
        made = {text(s, "metadata", "uid"): created(s) for s in _replica_sets(seen)}
        first = [
            name_of(pod)
            for pod in seen.pods
            for owner in _owners(pod)
            if _as_old(created(pod), made.get(owner))
        ]
        if len(_lost(seen)) >= len(first):
            return None
        return wrong(
            "first",
            f"as old as the ReplicaSet, so not replaced yet: Pod {' and '.join(first)}",
            "the first Pods deleted, and new ones in their place",
            "Delete them, and see what the Deployment does. (If you have deleted Pods within two "
            "seconds of their start, do it once more.)",
            f"$ kubectl delete pod {' '.join(first)}",
        )

    return Check("replaced", "Its first Pods were deleted, and others came.", judge, _READS)


def _lost(seen: Seen) -> set[str]:
    """Pods that ReplicaSets of the Deployment made and somebody else deleted, by their events."""

    def said(reason: str, start: str) -> set[str]:
        sets = _replica_sets(seen)
        messages = (m for each in sets for m in seen.cluster.events(each, reason))
        return {message.removeprefix(start) for message in messages}

    made, scaled_away = said("SuccessfulCreate", CREATED), said("SuccessfulDelete", DELETED)
    return made - scaled_away - {name_of(pod) for pod in seen.pods}


def _as_old(pod: object, replica_set: object) -> bool:
    return bool(pod and replica_set and pod - replica_set <= FIRST)  # type: ignore[operator]


def server_port(container: Object) -> int:
    """The port that Python's web server listens on; of another program the containerPort, or 0."""
    if jupyter.serves(jupyter.line(container)) and jupyter.is_image(text(container, "image")):
        return jupyter.port(container)
    if model_server.calls(container, model_server.PROGRAM):
        return model_server.port(container)
    line = " ".join(program.expanded(container)).replace("\\\n", " ")
    server = re.search(r"\bhttp\.server\b([^;&|\n]*)", line)
    if server:
        words = re.sub(r"['\"]", "", server[1])
        port = next(iter(re.findall(r"(?<!\S)\d{2,5}(?!\S)", words)), "")
        unknown = 0 if "$" in words else DEFAULT_PORT  # a variable may be the port
        return int(port) if port else unknown
    opened = [p.get("containerPort") for p in listed(container, "ports")]
    return next((port for port in opened if isinstance(port, int)), 0)


def _numbers(container: Object, port: object) -> object:
    """The number of a port that may be given by its name."""
    named = {p.get("name"): p.get("containerPort") for p in listed(container, "ports")}
    return named.get(port, port)


def _container(seen: Seen) -> Object:
    return main_container(next((pod for _, pod in seen.templates), {}))


def _replica_sets(seen: Seen) -> list[Object]:
    return seen.cluster.children("replicasets", seen.object)


def _slices(seen: Seen) -> list[Object]:
    every = seen.cluster.items("endpointslices")
    return [s for s in every if text(s, "metadata", "labels", SERVICE_NAME) == seen.subject.name]


def _owners(pod: Object) -> list[str]:
    return [text(r, "uid") for r in listed(pod, "metadata", "ownerReferences")]


def _shown(labels: Object) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items()) or "none"
