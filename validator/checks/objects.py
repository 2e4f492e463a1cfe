"""Checks of Deployments, Services, claims, Helm releases and servers.

``ready`` judges any subject that stands rather than ends; ``newest`` applies
checks of one subject to what another has made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from validator.engine import Check, Seen, Subject
from validator.snapshot import Unreadable, at, created, is_true, listed, mapping, name_of, text
from validator.subjects import Release, revision
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
            return _no_answer(service, problem)
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


def _no_answer(service: str, problem: Unreadable) -> Finding:
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


def release(revision_at_least: int = 1) -> Check:
    """A Helm release is deployed, in such a revision or a later one."""

    def judge(seen: Seen) -> Finding | None:
        trouble = seen.subject.trouble(seen.cluster, seen.object)
        now = revision(seen.object)
        if trouble or now >= revision_at_least:
            return trouble
        return wrong(
            "revision",
            f"Helm release {seen.subject.name} is at revision {now}",
            f"revision {revision_at_least} or later: upgrade it",
            "Upgrade it with another value, as the page shows. Its history:",
            f"$ helm history {seen.subject.name}",
        )

    title = "The release is deployed."
    if revision_at_least > 1:
        title = f"The release is deployed, in revision {revision_at_least} or later."
    return Check("release", title, judge)


def value_in(plural: str, path: Sequence[str | int], value: str, setting: str) -> Check:
    """An object of the release has this value at this path: the ``--set`` took effect."""

    def judge(seen: Seen) -> Finding | None:
        made = _of_release(seen, plural)
        found = [str(at(item, *path)) for item in made]
        if value in found:
            return None
        return wrong(
            "value",
            f"{setting} is not in effect: the release's {plural} have {', '.join(found) or 'none'}",
            f"{setting}={value}",
            "Upgrade the release with that value:",
            f"$ helm upgrade {seen.subject.name} CHART --reuse-values --set {setting}={value}",
        )

    title = f"{setting} is {value} in the live objects."
    return Check(f"value.{setting}", title, judge, frozenset({plural}))


def newest(plural: str, subject: Callable[[str], Subject], checks: Sequence[Check]) -> Check:
    """The same checks of the newest object of a kind that the release made."""

    def judge(seen: Seen) -> Finding | None:
        made = _of_release(seen, plural)
        if not made:
            return wrong(
                "none",
                f"Helm release {seen.subject.name} has made no {plural}",
                f"a chart that makes {plural}",
                "See what the chart makes:",
                f"$ helm get manifest {seen.subject.name}",
            )
        inner = Seen(seen.cluster, subject(name_of(made[-1])), seen.exercise)
        for check in checks:
            finding = check.judge(inner)
            if finding:
                return finding.but(cause=f"{check.id}.{finding.cause}", redo=False)
        return None

    titles = " ".join(check.title for check in checks)
    reads = frozenset({plural}).union(*(c.reads for c in checks), subject("x").reads)
    return Check(f"newest.{plural}", f"The newest of its {plural}: {titles}", judge, reads)


def _of_release(seen: Seen, plural: str) -> list[dict[str, object]]:
    own = seen.subject
    if not isinstance(own, Release):
        raise TypeError(f"{own.name} is no Helm release")
    return own.objects(seen.cluster, plural)


def mounts_claim(claim: str, over: str, *, sub_path: bool = False) -> Check:
    """Its container mounts this claim at ``over`` or above it; ``sub_path``: in a folder of it."""

    def judge(seen: Seen) -> Finding | None:
        pod = next((pod for _, pod in seen.templates), {})
        volumes = {
            text(v, "name")
            for v in listed(pod, "volumes")
            if text(v, "persistentVolumeClaim", "claimName") == claim
        }
        mounts = listed(main_container(pod), "volumeMounts")
        mine = [m for m in mounts if text(m, "name") in volumes]
        if not mine:
            return seen.wrong(
                "no-volume" if not volumes else "not-mounted",
                f"the container does not mount the claim {claim}",
                f"the claim {claim} mounted at {over}",
                f"Add a volume with `persistentVolumeClaim: {{claimName: {claim}}}` to the "
                "template's spec, and a volumeMount to the container.",
            )
        return _mount_place(seen, mine[0], over, sub_path)

    return Check("claim", f"It mounts the claim {claim} at {over}.", judge)


def _mount_place(seen: Seen, mount: dict[str, object], over: str, sub_path: bool) -> Finding | None:
    path = text(mount, "mountPath").rstrip("/")
    if path != over and not over.startswith(path + "/"):
        return seen.wrong(
            "beside",
            f"the claim is mounted at {path}, and the program writes to {over}",
            f"the claim at {over}",
            f"Set `mountPath: {over}`.",
        )
    if sub_path and not text(mount, "subPath"):
        return seen.wrong(
            "no-sub-path",
            "the claim is mounted without a subPath",
            "a folder of its own in the volume for each run",
            f"Add `subPath: {seen.subject.name}` to the volumeMount.",
        )
    return None
