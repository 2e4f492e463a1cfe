"""Checks of a JupyterHub: that it stands, lets nobody in, and has started a user's server."""

from __future__ import annotations

from validator import diagnosis, places
from validator.engine import Check, Seen
from validator.snapshot import Object, Unreadable, created, is_true, mapping, name_of, text
from validator.subjects import Claim
from validator.tfjobs import gpus, gpus_of_cluster, main_container
from validator.verdicts import Finding, converging, not_started, wrong

USER = ("metadata", "annotations", "hub.jupyter.org/username")
COMPONENT = ("metadata", "labels", "component")
# By this variable the user's server speaks to the hub; KubeSpawner gives it to each Pod.
HUB_TOKEN = "JUPYTERHUB_API_TOKEN"
KEPT_OUT = (401, 403)


def hub_stands() -> Check:
    """Its Deployment is available."""

    def judge(seen: Seen) -> Finding | None:
        hub = seen.cluster.find("deployments", seen.subject.name)
        if hub is None:
            return wrong(
                "none",
                f"release {seen.subject.name} has made no Deployment of its name",
                "a release of the module's chart",
                "Install the chart of this module:",
                f"$ helm upgrade --install {seen.subject.name} "
                f"{{checkout}}/{seen.exercise.folder}/charts/hub -f {seen.exercise.file}",
            )
        return diagnosis.of_deployment(seen.cluster, hub)

    reads = frozenset({"deployments", "pods", "events", "logs"})
    return Check("hub", "Hub and proxy are ready.", judge, reads)


def hub_keeps_out(service: str, port: int) -> Check:
    """Without a token its API does not say who the users are."""
    request = f"{service}:{port}/hub/api/users"

    def judge(seen: Seen) -> Finding | None:
        try:
            status = seen.cluster.answer(request).status
        except Unreadable as problem:
            if problem.status in (502, 503, 504):
                return None  # `answers` says so
            raise
        if status in KEPT_OUT:
            return None
        return wrong(
            "open",
            f"without a token the hub answers /hub/api/users with status {status}",
            "403, which is the hub's answer to strangers",
            "Install the chart of this module as it is, with your values alone:",
            f"$ helm upgrade {seen.subject.name} {{checkout}}/{seen.exercise.folder}/charts/hub "
            f"-f {seen.exercise.file}",
        )

    title = "The hub's API lets nobody in without a token."
    return Check("locked", title, judge, frozenset({f"answer {request}"}))


def server_of(user: str, claim: str) -> Check:
    """The hub has started this user's server, on a claim of the user's own."""

    def judge(seen: Seen) -> Finding | None:
        pod = _pod(seen, user)
        if pod is None:
            return not_started(
                "none",
                f"no server of user {user}",
                f"a server of {user}, which the hub has started",
                f"Log in as {user} in the browser, or start it by the hub's API:",
                f"$ sh {{checkout}}/{seen.exercise.folder}/start-server.sh {user} gpu",
            )
        return _by_hand(seen, pod, user) or _not_ready(pod, user) or _home(seen, pod, claim)

    title = f"The hub has started a server for {user}, on a claim of its own."
    return Check("server", title, judge, frozenset({"pods", "persistentvolumeclaims"}))


def _pod(seen: Seen, user: str) -> Object | None:
    """The newest Pod that says it is this user's server."""
    found = [p for p in seen.cluster.items("pods") if text(p, *USER) == user]
    found = [p for p in found if text(p, *COMPONENT) == "singleuser-server"]
    return max(found, key=lambda p: text(p, "metadata", "creationTimestamp"), default=None)


def _by_hand(seen: Seen, pod: Object, user: str) -> Finding | None:
    container = main_container(mapping(pod, "spec"))
    names = [text(v, "name") for v in container.get("env") or [] if isinstance(v, dict)]
    if HUB_TOKEN in names:
        return None
    return wrong(
        "by-hand",
        f"Pod {name_of(pod)} has no variable {HUB_TOKEN}, which the hub gives to each server",
        f"a server of {user} that the hub has started",
        "Delete it, and let the hub start one:",
        f"$ kubectl delete pod {name_of(pod)}",
        f"$ sh {{checkout}}/{seen.exercise.folder}/start-server.sh {user} gpu",
    )


def _not_ready(pod: Object, user: str) -> Finding | None:
    if is_true(pod, "Ready"):
        return None
    return converging(
        "starting",
        f"the server of {user} is not ready: Pod {name_of(pod)} is {text(pod, 'status', 'phase')}",
        "a server that is ready",
        "Wait. If it stays so, look at its events:",
        f"$ kubectl describe pod {name_of(pod)}",
        since=created(pod),
    )


def _home(seen: Seen, pod: Object, claim: str) -> Finding | None:
    spec = mapping(pod, "spec")
    if claim not in places.claims(spec):
        return wrong(
            "home",
            f"Pod {name_of(pod)} mounts no claim {claim}: notebooks go with it",
            f"a home on the claim {claim}",
            "Set `storage: 1Gi` in your values, and upgrade. A server that runs keeps what it has: "
            "stop it, and start it again.",
        )
    found = seen.cluster.find("persistentvolumeclaims", claim)
    return Claim(claim).trouble(seen.cluster, found) if found else None


def server_has_gpu(user: str) -> Check:
    """The profile gave it one GPU; none is asked for where the cluster has none."""

    def judge(seen: Seen) -> Finding | None:
        pod = _pod(seen, user) or {}
        asked = gpus(main_container(mapping(pod, "spec")))
        if list(asked.values()) == [1] or not gpus_of_cluster(seen.cluster):
            return None
        return wrong(
            "none",
            f"the server of {user} asks for no GPU",
            "the profile with one GPU",
            "Set `gpuProfile: true` in your values, and upgrade. Then stop the server, and start "
            "it with the profile One GPU.",
        )

    return Check("profile", "Its profile gives it one GPU.", judge, frozenset({"pods", "nodes"}))
