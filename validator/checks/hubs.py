"""Checks of a JupyterHub: that it stands, with which values, and that it lets nobody in."""

from __future__ import annotations

import json
from posixpath import basename

from validator import diagnosis, jupyter
from validator.checks.objects import no_answer
from validator.checks.releases import Chart, again, made
from validator.engine import Check, Seen
from validator.snapshot import Object, Unreadable, listed, mapping, name_of, text
from validator.tfjobs import as_shown, gpus_of_cluster, main_container
from validator.verdicts import Finding, wrong

# The chart hands its values to the hub in this variable.
VALUES = "HUB_VALUES"
EVERYWHERE = "0.0.0.0"
KEPT_OUT = (401, 403)
_HUB = frozenset({"deployments"})


class Hub(Chart):
    """A release of the module's chart, with the learner's file of values."""

    def __init__(self, name: str, folder: str) -> None:
        super().__init__(name, f"{folder}/charts/hub")
        self.script = f"sh {folder}/hub.sh"
        self.command += f" --values {{checkout}}/my-{name}.yaml"

    def start(self, user: str) -> str:
        """The step that starts a user's server."""
        return f"$ {self.script} start {user} gpu"

    def again(self, user: str) -> tuple[str, ...]:
        """The steps that stop a user's server, and start it with the values of now."""
        return (f"$ {self.script} stop {user}", self.start(user))


def hub_stands() -> Check:
    """The release has made the chart's hub, and it is available."""

    def judge(seen: Seen) -> Finding | None:
        hub, name = _hub(seen), seen.subject.name
        if not hub:
            return wrong(
                "none",
                f"release {name} has no Deployment {name}",
                "a release of the module's chart",
                "Install the chart of this module:",
                *again(seen),
            )
        return _other(seen, hub) or _localhost(seen) or diagnosis.of_deployment(seen.cluster, hub)

    reads = frozenset({"deployments", "pods", "events", "logs"})
    return Check("hub", "The hub and its proxy are ready.", judge, reads)


def _other(seen: Seen, hub: Object) -> Finding | None:
    """What runs there is no JupyterHub, or none that the chart has made."""
    container = main_container(mapping(hub, "spec", "template", "spec"))
    image, line = text(container, "image"), jupyter.line(container)
    if not jupyter.is_image(image):
        return wrong(
            "image",
            f"the hub runs image {image or '(none)'}, which has no JupyterHub",
            f"the notebook image, {jupyter.IMAGE}",
            "Take `image` out of your values: the chart has the right one. Then upgrade:",
            *again(seen),
        )
    if line and basename(line[0]) == "jupyterhub" and _values(seen):
        return None
    return wrong(
        "other",
        f"Deployment {seen.subject.name} runs `{as_shown(line)[:60]}`, and is not of this chart",
        "the hub of the module's chart",
        "Install the chart of this module as it is, with your values alone:",
        *again(seen),
    )


def _localhost(seen: Seen) -> Finding | None:
    address = _values(seen).get("hubIp")
    if address == EVERYWHERE:
        return None
    return wrong(
        "localhost",
        f"the hub listens on {address} alone: no server of a user reaches it",
        f"hubIp: {EVERYWHERE}, all addresses of the hub's Pod",
        "Take `hubIp` out of your values: the chart has the right one. Then upgrade:",
        *again(seen),
    )


def hub_admits(user: str) -> Check:
    """The values name this user."""

    def judge(seen: Seen) -> Finding | None:
        users = _texts(_values(seen).get("users"))
        if user in users:
            return None
        return wrong(
            "other" if users else "nobody",
            f"the hub lets in {', '.join(users) or 'nobody'}, and not {user}",
            f"{user} among the users",
            f"Set `users: [{user}, learner2]` in your values, and upgrade:",
            *again(seen),
        )

    return Check("users", f"User {user} may log in.", judge, _HUB)


def hub_keeps_homes() -> Check:
    """The values give each user a claim."""

    def judge(seen: Seen) -> Finding | None:
        if _values(seen).get("storage"):
            return None
        return wrong(
            "none",
            "`storage` is empty: a home goes when its server stops",
            "a claim of 1Gi for each user",
            "Set `storage: 1Gi` in your values, and upgrade:",
            *again(seen),
        )

    return Check("storage", "Each user has a home on a claim.", judge, _HUB)


def hub_offers_gpu() -> Check:
    """The values offer a server with one GPU; where the cluster has none, that is no matter."""

    def judge(seen: Seen) -> Finding | None:
        if _values(seen).get("gpuProfile") is True or not gpus_of_cluster(seen.cluster):
            return None
        return wrong(
            "none",
            "`gpuProfile` is false: nobody can choose a server with a GPU",
            "a profile with one GPU",
            "Set `gpuProfile: true` in your values, and upgrade:",
            *again(seen),
        )

    return Check("profile", "It offers a server with one GPU.", judge, _HUB | {"nodes"})


def hub_keeps_out(service: str, port: int) -> Check:
    """Without a token its API does not say who the users are."""
    request = f"{service}:{port}/hub/api/users"

    def judge(seen: Seen) -> Finding | None:
        try:
            status = seen.cluster.answer(request).status
        except Unreadable as problem:
            return no_answer(service, problem)
        if status in KEPT_OUT:
            return None
        return wrong(
            "open",
            f"without a token the hub answers /hub/api/users with status {status}",
            "403, which is the hub's answer to strangers",
            "Install the chart of this module as it is, with your values alone:",
            *again(seen),
        )

    title = "The hub's API lets nobody in without a token."
    return Check("locked", title, judge, frozenset({f"answer {request}"}))


def _hub(seen: Seen) -> Object:
    """The release's Deployment of its name; {} for none. Raises: Unreadable."""
    name = seen.subject.name
    return next((d for d in made(seen, "deployments") if name_of(d) == name), {})


def _values(seen: Seen) -> Object:
    """The values that the hub runs with; {} where it does not say. Raises: Unreadable."""
    variables = listed(main_container(mapping(_hub(seen), "spec", "template", "spec")), "env")
    written = next((text(v, "value") for v in variables if text(v, "name") == VALUES), "")
    try:
        values = json.loads(written)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _texts(value: object) -> list[str]:
    """The texts in a list; none in anything else."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
