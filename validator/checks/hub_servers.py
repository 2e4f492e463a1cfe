"""Checks of a user's server: that the hub has started it, leads to it, and gave it home and GPU."""

from __future__ import annotations

from dataclasses import replace

from validator import places
from validator.case import Case
from validator.checks.hubs import Hub
from validator.checks.objects import no_answer
from validator.engine import Check, Seen
from validator.pods import pod_trouble
from validator.snapshot import Object, Unreadable, created, is_true, listed, mapping, name_of, text
from validator.subjects import Claim
from validator.tfjobs import gpus, gpus_of_cluster, main_container
from validator.verdicts import Finding, converging, not_started, wrong

USER = ("metadata", "annotations", "hub.jupyter.org/username")
COMPONENT = ("metadata", "labels", "app.kubernetes.io/component")
# By this variable the user's server speaks to the hub; KubeSpawner gives it to each Pod.
HUB_TOKEN = "JUPYTERHUB_API_TOKEN"
_SERVER = frozenset({"pods"})


def server_of(user: str, claim: str) -> Check:
    """The hub has started this user's server, on a claim of the user's own."""

    def judge(seen: Seen) -> Finding | None:
        pod = _pod(seen, user)
        if not pod:
            return not_started(
                "none",
                f"no server of user {user}",
                f"a server of {user}, which the hub has started",
                f"Log in as {user} in the browser and start it, or let the hub's API do it:",
                _own(seen).start(user),
            )
        return _by_hand(seen, pod, user) or _not_ready(seen, pod, user) or _home(seen, pod, claim)

    title = f"A server of {user} runs, with its home on a claim of {user}'s own."
    reads = _SERVER | {"persistentvolumeclaims", "events", "logs"}
    return Check("server", title, judge, reads)


def _by_hand(seen: Seen, pod: Object, user: str) -> Finding | None:
    variables = listed(main_container(mapping(pod, "spec")), "env")
    if any(text(each, "name") == HUB_TOKEN for each in variables):
        return None
    return wrong(
        "by-hand",
        f"Pod {name_of(pod)} has no variable {HUB_TOKEN}, which the hub gives to each server",
        f"a server of {user} that the hub has started",
        "Delete it, and let the hub start one:",
        f"$ kubectl delete pod {name_of(pod)}",
        _own(seen).start(user),
    )


def _not_ready(seen: Seen, pod: Object, user: str) -> Finding | None:
    if is_true(pod, "Ready"):
        return None
    case = Case(seen.cluster, f"the server of {user}", "a server that is ready", ends=False)
    trouble = pod_trouble(case, pod)
    if trouble and trouble.redo:
        return replace(trouble, redo=False, fix=(*trouble.fix, *_own(seen).again(user)))
    return trouble or converging(
        "starting",
        f"the server of {user} is not ready: Pod {name_of(pod)} is {text(pod, 'status', 'phase')}",
        "a server that is ready",
        "Wait. If it stays so, look at its events:",
        f"$ kubectl describe pod {name_of(pod)}",
        since=created(pod),
    )


def _home(seen: Seen, pod: Object, claim: str) -> Finding | None:
    user = text(pod, *USER)
    if claim not in places.claims(mapping(pod, "spec")):
        return wrong(
            "home",
            f"Pod {name_of(pod)} mounts no claim {claim}: it was started before `storage` was set",
            f"a home on the claim {claim}",
            "A server that runs keeps what it has. Stop it, and start it again:",
            *_own(seen).again(user),
        )
    found = seen.cluster.find("persistentvolumeclaims", claim)
    return Claim(claim).trouble(seen.cluster, found) if found else None


def server_known(user: str, service: str, port: int) -> Check:
    """The hub leads to it: a Pod that somebody else has made gets no route."""
    request = f"{service}:{port}/user/{user}/api"

    def judge(seen: Seen) -> Finding | None:
        try:
            answer = seen.cluster.answer(request)
        except Unreadable as problem:
            return no_answer(service, problem)
        if answer.status == 200 and '"version"' in answer.body[:100]:
            return None
        pod = _pod(seen, user)
        return converging(
            "unknown",
            f"the hub does not lead to Pod {name_of(pod)} at /user/{user}",
            f"a server of {user} that the hub has started",
            "Wait. If it stays so, delete the Pod, and let the hub start one:",
            f"$ kubectl delete pod {name_of(pod)}",
            _own(seen).start(user),
            since=created(pod),
        )

    reads = _SERVER | {f"answer {request}"}
    return Check("route", f"The hub leads {user} to this server.", judge, reads)


def server_has_gpu(user: str) -> Check:
    """The profile gave it one GPU; none is asked for where the cluster has none."""

    def judge(seen: Seen) -> Finding | None:
        asked = gpus(main_container(mapping(_pod(seen, user), "spec")))
        if list(asked.values()) == [1] or not gpus_of_cluster(seen.cluster):
            return None
        return wrong(
            "none",
            f"the server of {user} asks for no GPU: it was started with another profile",
            "the profile One GPU",
            "A server that runs keeps what it has. Stop it, and start it with this profile:",
            *_own(seen).again(user),
        )

    reads = _SERVER | {"nodes"}
    return Check("gpu", "It has one GPU (none, if the cluster has none).", judge, reads)


def _pod(seen: Seen, user: str) -> Object:
    """The newest Pod that says it is this user's server, and is not being deleted; {} for none."""
    found = [p for p in seen.cluster.items("pods") if text(p, *USER) == user]
    found = [p for p in found if text(p, *COMPONENT) == "singleuser-server"]
    found = [p for p in found if not text(p, "metadata", "deletionTimestamp")]
    return max(found, key=lambda p: text(p, "metadata", "creationTimestamp"), default={})


def _own(seen: Seen) -> Hub:
    if not isinstance(seen.subject, Hub):
        raise TypeError(f"{seen.subject.name} is no hub")
    return seen.subject
