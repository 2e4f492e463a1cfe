"""Checks of a HorizontalPodAutoscaler: what it scales, by what, under which load, and whether."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import urlsplit

from validator import model_server, program
from validator.case import GRACE_SECONDS, WAIT
from validator.engine import Check, Need, Seen
from validator.snapshot import (
    Object,
    Snapshot,
    at,
    condition,
    created,
    listed,
    mapping,
    name_of,
    text,
    time_at,
)
from validator.subjects import Job
from validator.tfjobs import as_shown, command_line, containers, main_container
from validator.verdicts import Finding, blocked, converging, could_not_check, wrong

METRICS_GROUP = "metrics.k8s.io"
LOAD = "fashion_mnist.ask"
SHORTEST_LOAD_SECONDS = 30.0
# From the last question to the end of what follows: a measurement, a decision.
AFTERWARDS = timedelta(seconds=60)
# Kubernetes keeps an event for an hour. Until then, one that is missing says something.
EVENTS_KEPT_SECONDS = 3600.0
# What its event says of more replicas, for their measurements.
UP = "above target"
_ENDED = ("status", "completionTime")
_READS = frozenset({"horizontalpodautoscalers", "deployments", "jobs", "pods", "events"})


def need_metrics() -> Need:
    """The cluster measures what Pods take."""

    def judge(cluster: Snapshot) -> Finding | None:
        if cluster.serves_group(METRICS_GROUP) or not cluster.data.get("groups"):
            return None
        return blocked(
            "none",
            f"this cluster does not serve {METRICS_GROUP}: nobody measures what Pods take",
            "a cluster with metrics-server, as the workshop's own has",
            "Install metrics-server, or ask whoever runs the cluster. No other exercise needs it.",
        )

    return Need("metrics", judge, frozenset({"groups"}))


def scales(deployment: str) -> Check:
    """Its target is this Deployment."""

    def judge(seen: Seen) -> Finding | None:
        target = mapping(seen.object, "spec", "scaleTargetRef")
        kind, name = text(target, "kind"), text(target, "name")
        if (kind, name) == ("Deployment", deployment):
            return None
        return seen.wrong(
            "name" if kind == "Deployment" else "kind",
            f"it scales {kind} {name}",
            f"scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {deployment}}}",
            f"Set scaleTargetRef to the Deployment {deployment}.",
        )

    return Check("target", f"It scales the Deployment {deployment}.", judge)


def by_cpu(percent: int) -> Check:
    """It wants so many percent of the requested CPU, and nothing else."""
    wanted = f"cpu, target: {{type: Utilization, averageUtilization: {percent}}}"

    def judge(seen: Seen) -> Finding | None:
        metrics = listed(seen.object, "spec", "metrics")
        names = [text(m, "resource", "name") or text(m, "type") for m in metrics]
        if names != ["cpu"]:
            cause, found = "other", f"it looks at {', '.join(names) or 'nothing'}"
        elif text(metrics[0], "resource", "target", "type") != "Utilization":
            cause, found = "kind", "its target is an amount of CPU, not a share of the request"
        else:
            value = at(metrics[0], "resource", "target", "averageUtilization")
            cause, found = "value", f"it wants {value} % of the requested CPU"
            if value == percent:
                return None
        return seen.wrong(cause, found, wanted, f"Write under `metrics` one Resource: {wanted}.")

    return Check("metric", f"It wants {percent} % of the requested CPU.", judge)


def bounds(least: int, most: int) -> Check:
    """From how many replicas to how many."""

    def judge(seen: Seen) -> Finding | None:
        low, high = (at(seen.object, "spec", key) for key in ("minReplicas", "maxReplicas"))
        if (low, high) == (least, most):
            return None
        return seen.wrong(
            "most" if high != most else "least",
            f"minReplicas is {low}, and maxReplicas is {high}",
            f"{least} to {most} replicas",
            f"Set `minReplicas: {least}` and `maxReplicas: {most}`.",
        )

    return Check("bounds", f"It keeps {least} to {most} replicas.", judge)


def server_asks_for_cpu(deployment: str) -> Check:
    """The Deployment is there, and each of its containers requests CPU."""

    def judge(seen: Seen) -> Finding | None:
        server = seen.cluster.find("deployments", deployment)
        if server is None:
            return blocked(
                "missing",
                f"there is no Deployment {deployment}",
                "exercise 1 of this module, done",
                "Do exercise 1 first. This command checks it:",
                "$ python -m validator module9 --exercise 1",
            )
        pod = mapping(server, "spec", "template", "spec")
        without = [text(c, "name") for c in containers(pod) if not _requests_cpu(c)]
        if not without:
            return None
        return wrong(
            "no-request",
            f"container {without[0]} of Deployment {deployment} requests no CPU: there is nothing "
            "to take a share of",
            "resources.requests.cpu of each container",
            "Write `resources: {requests: {cpu: 200m}}` into the Deployment, and apply it:",
            f"$ kubectl apply -f {{checkout}}/my-{deployment}.yaml",
        )

    return Check("request", "The Deployment requests CPU.", judge, _READS)


def _requests_cpu(container: Object) -> bool:
    sections = (mapping(container, "resources", key) for key in ("requests", "limits"))
    return any("cpu" in section for section in sections)


def measures() -> Check:
    """The autoscaler knows how much CPU the Pods take, or has known it when it scaled."""

    def judge(seen: Seen) -> Finding | None:
        active = condition(seen.object, "ScalingActive")
        if active.get("status") == "True" or text(seen.object, "status", "lastScaleTime"):
            return None
        return converging(
            "unknown",
            "the autoscaler has no measurement yet: " + (text(active, "message") or "it begins"),
            "a number in place of <unknown>",
            "Wait: a Pod is measured every 15 seconds. If it stays so, see whether the server is "
            "ready:",
            "$ kubectl get pods",
            since=created(seen.object),
        )

    return Check("measured", "It knows how much CPU the Pods take.", judge, _READS)


def under_load(name: str, service: str) -> Check:
    """The Job that makes the load asks the Service, long enough."""

    def judge(seen: Seen) -> Finding | None:
        job = seen.cluster.find("jobs", name)
        if job is None:
            return _no_load(seen, name)
        pod = mapping(job, "spec", "template", "spec")
        return _other_load(job, pod, service) or _failed(seen, job)

    title = f"Job {name} asks the Service {service}."
    return Check("load", title, judge, _READS | {"logs"})


def _no_load(seen: Seen, name: str) -> Finding:
    return converging(
        "none",
        f"there is no load: no Job {name}",
        "questions for a minute",
        "Make the load:",
        f"$ kubectl apply -f {{checkout}}/{seen.exercise.folder}/manifests/load.yaml",
        since=created(seen.object),
    )


def _other_load(job: Object, pod: Object, service: str) -> Finding | None:
    container = main_container(pod)
    doubt = program.another_program(pod, container, LOAD)
    if doubt and doubt.certain:
        words = as_shown(command_line(container))
        found = f"it runs `{words[:80]}`" if doubt.cause == "command" else doubt.reason
        return _load(job, "program", found, f"python -m {LOAD}")
    if doubt:
        found = f"Job {name_of(job)}: {doubt.reason}"
        return could_not_check("unclear", found, f"python -m {LOAD}", *_again(job))
    line = program.option_words(container, LOAD) or []
    url = next((word for word in line if "://" in word), "")
    host = urlsplit(url).hostname or "" if url.isprintable() else ""
    if host.partition(".")[0] != service:
        found = f"it asks {host or 'nobody'}, which is one Pod at most, and not the Service"
        return _load(job, "address", found, f"http://{service}:{model_server.PORT}/v1/models/…")
    seconds = _seconds(line)
    if seconds >= SHORTEST_LOAD_SECONDS:
        return None
    wanted = f"--seconds {SHORTEST_LOAD_SECONDS:.0f} or more: the autoscaler looks every 15 seconds"
    return _load(job, "short", f"it asks for {seconds:g} seconds", wanted)


def _seconds(line: list[str]) -> float:
    given = [b for a, b in pairwise(line) if a == "--seconds"]
    given += [word.partition("=")[2] for word in line if word.startswith("--seconds=")]
    try:
        return float(given[-1]) if given else 0.0
    except ValueError:
        return 0.0


def _load(job: Object, cause: str, found: str, wanted: str) -> Finding:
    return wrong(cause, f"Job {name_of(job)}: {as_shown([found])}", wanted, *_again(job))


def _again(job: Object) -> tuple[str, ...]:
    return (
        "Make the load once more, from the page's manifest:",
        f"$ kubectl delete job {name_of(job)}",
        "$ kubectl apply -f {checkout}/modules/9-going-further/manifests/load.yaml",
    )


def _failed(seen: Seen, job: Object) -> Finding | None:
    """Why it does not ask; None while it does, and once it has."""
    trouble = Job(name_of(job)).trouble(seen.cluster, job)
    if trouble is None or trouble.cause in ("running", "training"):
        return None
    return trouble.but(redo=False, fix=(*trouble.fix, *_again(job)))


def was_scaled(load: str) -> Check:
    """It has changed the number of replicas, while the load ran or right after it."""

    def judge(seen: Seen) -> Finding | None:
        job = seen.cluster.find("jobs", load) or {}
        began, ended = (time_at(job, "status", key) for key in ("startTime", "completionTime"))
        scaled = time_at(seen.object, "status", "lastScaleTime")
        if not (began and scaled and scaled >= began):
            return _not_scaled(seen, job, ended)
        late = _too_late(seen, job, ended)
        return late or (None if went_up(seen.cluster, seen.object, job) else _not_seen(job))

    return Check("scaled", "It has scaled the Deployment under load.", judge, _READS)


def went_up(cluster: Snapshot, scaler: Object, load: Object) -> bool:
    """Whether it has made more replicas, as its events say.

    It also takes replicas away: its own some time after a load, and those that somebody has added
    by hand. Once the events have expired, nobody sees which it was, and what was done stays done.
    """
    said = cluster.events(scaler, "SuccessfulRescale")
    if any(UP in message for message in said):
        return True
    scaled = time_at(scaler, "status", "lastScaleTime")
    began, ended = time_at(load, "status", "startTime"), time_at(load, *_ENDED)
    if scaled and not began:  # the load is gone: deleted, perhaps
        return not said and cluster.age_seconds(scaled) > EVENTS_KEPT_SECONDS
    if not (scaled and began and scaled >= began):
        return False
    if cluster.age_seconds(began) > EVENTS_KEPT_SECONDS:
        return True
    return not said and (ended is None or scaled <= ended + AFTERWARDS)


def _not_seen(job: Object) -> Finding:
    return could_not_check(
        "down",
        "the autoscaler has changed the number of replicas, and it cannot be seen whether it has "
        "made more of them: it has taken some away since",
        "more replicas under load",
        "If the check has not said done before:",
        *_again(job),
    )


def _too_late(seen: Seen, job: Object, ended: datetime | None) -> Finding | None:
    """An autoscaler that was made after the load has followed something else."""
    made = created(seen.object)
    if not (made and ended and made > ended):
        return None
    return wrong(
        "after",
        "the load had ended before the autoscaler was made: it has corrected what somebody else "
        "had set",
        "an autoscaler that is there while the load runs",
        *_again(job),
    )


def _not_scaled(seen: Seen, job: Object, ended: datetime | None) -> Finding:
    wanted = "more replicas under load"
    if ended is None or seen.cluster.age_seconds(ended) < GRACE_SECONDS:
        found = "the load runs" if ended is None else "the load has just ended"
        return converging(
            "waiting",
            f"{found}, and nothing is scaled yet",
            wanted,
            WAIT,
            "$ kubectl get hpa",
            since=time_at(job, "status", "startTime"),
        )
    made = created(seen.object)
    if made and made > ended - timedelta(seconds=SHORTEST_LOAD_SECONDS):
        found = "the load ended before the autoscaler had looked twice"
        return wrong("before", found, wanted, *_again(job))
    return could_not_check(
        "none",
        "the load has ended, and nothing was scaled: the Pods took less than half of what they "
        "request",
        wanted,
        *_again(job),
    )
