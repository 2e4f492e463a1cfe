"""Checks of Deployments, Services, claims and servers.

``ready`` judges any subject that stands rather than ends.
"""

from __future__ import annotations

import re

from validator.engine import Check, Seen
from validator.snapshot import Unreadable, at, created, is_true, listed, mapping, name_of
from validator.tfjobs import main_container
from validator.verdicts import Finding, converging, wrong


def ready() -> Check:
    """It stands: a Deployment is available, a claim is Bound, a release is deployed."""

    def judge(seen: Seen) -> Finding | None:
        return seen.subject.trouble(seen.cluster, seen.object)

    reads = frozenset({"pods", "events", "nodes", "logs"})
    return Check("ready", "It is ready.", judge, reads)


def replicas_ready(count: int) -> Check:
    """A Deployment has so many replicas that are ready."""

    def judge(seen: Seen) -> Finding | None:
        wanted = at(seen.object, "spec", "replicas")
        if wanted != count:
            return wrong(
                "count",
                f"Deployment {seen.subject.name} asks for {wanted} replicas",
                f"{count} replicas",
                "Scale it:",
                f"$ kubectl scale deployment/{seen.subject.name} --replicas={count}",
            )
        return seen.subject.trouble(seen.cluster, seen.object)

    return Check("replicas", f"It has {count} replicas that are ready.", judge)


def leads_to_pods() -> Check:
    """A Service's selector matches Pods that are ready, and its port is one that they open."""

    def judge(seen: Seen) -> Finding | None:
        service, pods = seen.object, seen.pods
        shown = ", ".join(f"{k}={v}" for k, v in mapping(service, "spec", "selector").items())
        if not pods:
            return seen.wrong(
                "selector",
                f"no Pod has the labels of the Service's selector ({shown or 'none'})",
                "a selector that matches the Pods' labels",
                "Correct `selector` in the Service. This command shows the labels:",
                "$ kubectl get pods --show-labels",
            )
        if not any(is_true(pod, "Ready") for pod in pods):
            return converging(
                "not-ready",
                f"no Pod of Service {name_of(service)} is ready yet",
                "a Pod that is ready",
                "Wait. If it stays so, look at the Pod:",
                f"$ kubectl describe pod {name_of(pods[-1])}",
                since=created(pods[-1]),
            )
        return _closed_port(seen)

    return Check("endpoints", "Its selector and port lead to Pods that are ready.", judge)


def _closed_port(seen: Seen) -> Finding | None:
    """A port of the Service for which the Pods name another one."""
    opened = listed(main_container(mapping(seen.pods[-1], "spec")), "ports")
    known = {p.get("containerPort") for p in opened} | {p.get("name") for p in opened} - {None}
    for port in listed(seen.object, "spec", "ports"):
        target = port.get("targetPort") or port.get("port")
        if known and target not in known:
            return seen.wrong(
                "port",
                f"the Service sends to port {target}, and the container opens "
                f"{', '.join(sorted(map(str, known)))}",
                "a targetPort that the container opens",
                "Correct `targetPort` in the Service.",
            )
    return None


def answers(service: str, port: str, path: str, pattern: str, what: str) -> Check:
    """A server answers a GET through the API server's proxy with ``pattern``.

    port: number or name of the Service's port. what: the answer in words.
    """
    request = f"{service}:{port}/{path.lstrip('/')}"

    def judge(seen: Seen) -> Finding | None:
        try:
            answer = seen.cluster.answer(request)
        except Unreadable as problem:
            return no_answer(service, problem)
        if answer.status >= 400:
            return wrong(
                f"status.{answer.status}",
                f"{service} answers /{path.lstrip('/')} with status {answer.status}",
                what,
                "Read the server's log:",
                f"$ kubectl logs service/{service} --tail=20",
            )
        if re.search(pattern, answer.body):
            return None
        return wrong(
            "content",
            f"the answer of {service} does not have {what}",
            what,
            "Compare what the server shows with what the page shows:",
            f"$ kubectl get --raw /api/v1/namespaces/{seen.cluster.namespace}"
            f"/services/{service}:{port}/proxy/{path.lstrip('/')}",
        )

    return Check(
        "answers", f"Its server answers with {what}.", judge, frozenset({f"answer {request}"})
    )


def no_answer(service: str, problem: Unreadable) -> Finding:
    """The API server's own refusals are nobody's fault, unless there is nothing to ask."""
    if problem.status == 404:
        return wrong(
            "no-service",
            f"there is no Service {service}",
            f"a Service named {service}",
            "Create it, or correct its name. This command shows which exist:",
            "$ kubectl get services",
        )
    if problem.status in (502, 503, 504):
        return converging(
            "no-endpoints",
            f"Service {service} does not answer yet: {problem.message}",
            "a server that answers",
            "Wait. If it stays so, see whether its Pods are ready:",
            "$ kubectl get pods",
        )
    raise problem
