"""Checks of a Jupyter server: its program, its token, its home, and that it lets nobody in."""

from __future__ import annotations

from validator import jupyter, places, program
from validator.checks.manifest import exists
from validator.checks.objects import no_answer
from validator.engine import Check, Seen
from validator.snapshot import Object, Unreadable, at, listed, mapping, text
from validator.subjects import Service
from validator.tfjobs import as_shown, main_container
from validator.verdicts import Finding, could_not_check, wrong

COMMAND = "[jupyter, lab, --ip=0.0.0.0, --no-browser]"
FROM_SECRET = "valueFrom: {secretKeyRef: {name: NAME, key: token}}"
# What a server says to somebody without its token.
KEPT_OUT = (401, 403)
INSIDE = "ClusterIP"


def server_exists(starter: str) -> Check:
    """The Deployment exists; of a manifest of 2017 the API server takes the Service alone."""
    plain = exists(starter)

    def judge(seen: Seen) -> Finding | None:
        finding, name = plain.judge(seen), seen.subject.name
        if not finding or finding.cause != "none" or not Service(name).find(seen.cluster):
            return finding
        return wrong(
            "refused",
            f"there is a Service {name}, and no Deployment: the API server has refused it",
            "a Deployment of apiVersion apps/v1, with a selector",
            "Set `apiVersion: apps/v1`. Under `spec`, beside `template`, write "
            f"`selector: {{matchLabels: {{app: {name}}}}}`. Then apply it again:",
            f"$ kubectl apply -f {seen.exercise.file}",
        )

    return Check("exists", plain.title, judge, plain.reads | {"services"})


def notebook_image() -> Check:
    """It runs the notebook image, and the cluster has it."""

    def judge(seen: Seen) -> Finding | None:
        trouble = seen.subject.trouble(seen.cluster, seen.object)
        if trouble and trouble.cause.startswith("image."):
            load = f"$ python -m cluster load {jupyter.IMAGE}"
            fix = ("Build it, and bring it to the cluster:", load)
            absent = trouble.cause == "image.absent"
            return trouble.but(
                cause=trouble.cause.removeprefix("image."), fix=fix if absent else trouble.fix
            )
        image = text(_container(seen), "image")
        if jupyter.is_image(image):
            return None
        return seen.wrong(
            "other",
            f"it runs image {image or '(none)'}",
            f"the notebook image, {jupyter.IMAGE}",
            f"Set `image: {jupyter.IMAGE}`.",
        )

    title = "It runs the notebook image, and the cluster has that image."
    return Check("image", title, judge, frozenset({"pods", "nodes", "events"}))


def runs_jupyter() -> Check:
    """It runs Jupyter's server, as the image's user, at all addresses of its Pod."""

    def judge(seen: Seen) -> Finding | None:
        pod, container = _pod(seen), _container(seen)
        line = jupyter.line(container)
        wanted, fix = f"`command: {COMMAND}`", f"Write `command: {COMMAND}`."
        if not jupyter.serves(line):
            shown = as_shown(line)[:80]
            if any("jupyter" in word for word in line):
                found = f"it cannot be seen what `{shown}` runs beside the server"
                return could_not_check("unclear", found, wanted, fix)
            return seen.wrong("other", f"it runs `{shown}`", wanted, fix)
        doubt = program.other_code(pod, container)
        if doubt:
            judged = seen.wrong if doubt.certain else could_not_check
            return judged(doubt.cause, doubt.reason, wanted, "Take that out of the manifest.")
        return _as_root(seen, pod, container, line) or _at_home(seen, line)

    return Check("server", "It runs Jupyter, not as root, where others reach it.", judge)


def _as_root(seen: Seen, pod: Object, container: Object, line: list[str]) -> Finding | None:
    contexts = (mapping(container, "securityContext"), mapping(pod, "securityContext"))
    user = next((c["runAsUser"] for c in contexts if "runAsUser" in c), None)
    if user != 0 and "--allow-root" not in line:
        return None
    return seen.wrong(
        "root",
        "it runs as root" if user == 0 else "--allow-root lets it run as root",
        "the image's user, 10001",
        "Delete `runAsUser: 0` and `--allow-root`.",
    )


def _at_home(seen: Seen, line: list[str]) -> Finding | None:
    given = jupyter.option(line, "ip")
    if given in jupyter.EVERYWHERE:
        return None
    return seen.wrong(
        "localhost",
        f"the server listens on {given or 'localhost'} alone, where only its own Pod reaches it",
        "a server that listens on all addresses of its Pod",
        "Write `--ip=0.0.0.0` into its command.",
    )


def token_from_a_secret() -> Check:
    """Its token comes from a Secret, and stands nowhere as text."""

    def judge(seen: Seen) -> Finding | None:
        given = jupyter.option(jupyter.line(_container(seen)), "token")
        variable = next(
            (v for v in listed(_container(seen), "env") if text(v, "name") == jupyter.TOKEN), None
        )
        wanted = f"the variable {jupyter.TOKEN}, from a Secret"
        found = _fault_of(given, variable, _container(seen))
        if not found:
            return None
        cause, what = found
        how = FROM_SECRET.replace("NAME", seen.subject.name)
        if cause == "env-from":
            return could_not_check(cause, what, wanted, f"Write `{jupyter.TOKEN}` with `{how}`.")
        return seen.wrong(
            cause,
            what,
            wanted,
            f"Write under `env` the variable {jupyter.TOKEN} with `{how}`"
            + (", and take `token` out of the command." if given is not None else "."),
        )

    return Check("token", "Its token comes from a Secret.", judge)


def _fault_of(
    given: str | None, variable: Object | None, container: Object
) -> tuple[str, str] | None:
    """(cause, what is wrong) with where the token comes from; None if it is from a Secret."""
    if given == "":
        return "none-asked", "an empty token: whoever reaches the port runs code with your rights"
    if given is not None:
        return "command", "the token stands in the command, where `kubectl get` shows it to all"
    if variable is None and listed(container, "envFrom"):
        return "env-from", f"it cannot be seen whether envFrom has {jupyter.TOKEN}"
    if variable is None:
        return "missing", (
            f"there is no variable {jupyter.TOKEN}: the server makes up a token, and writes it "
            "into its log"
        )
    if at(variable, "valueFrom", "configMapKeyRef") is not None:
        return "config-map", "the token comes from a ConfigMap, which many may read"
    if at(variable, "valueFrom", "secretKeyRef") is not None:
        return None
    if text(variable, "value"):
        return "text", "the token stands in the manifest, where `kubectl get` shows it to all"
    return "none-asked", "an empty token: whoever reaches the port runs code with your rights"


def home_on(claim: str) -> Check:
    """Its home is on this claim, so that notebooks outlive the Pod."""

    def judge(seen: Seen) -> Finding | None:
        pod, container = _pod(seen), _container(seen)
        place = places.of_path(pod, container, jupyter.HOME)
        if place and place.claim == claim:
            return None
        mine = [m.path for m in places.mounts(pod, container) if m.claim == claim]
        wanted = f"the claim {claim} at {jupyter.HOME}, where the server keeps its notebooks"
        if mine:
            found = f"the claim is mounted at {mine[0]}: notebooks go with the Pod"
            fix = f"Set `mountPath: {jupyter.HOME}`."
            return seen.wrong("path", found, wanted, fix)
        found = f"its container mounts nothing of the claim {claim}: notebooks go with the Pod"
        return seen.wrong(
            "not-mounted",
            found,
            wanted,
            f"Write a volume of the claim {claim}, and a volumeMount at {jupyter.HOME}.",
        )

    return Check("home", "Its home is on the claim.", judge)


def one_server() -> Check:
    """One replica, and never two while it is replaced: they would share a home."""

    def judge(seen: Seen) -> Finding | None:
        count = at(seen.object, "spec", "replicas")
        if isinstance(count, int) and count > 1:
            return seen.wrong(
                "replicas",
                f"it has {count} replicas: each knows its own kernels alone, and a request goes to "
                "either",
                "one replica",
                "Set `replicas: 1`, or delete the line.",
            )
        if text(seen.object, "spec", "strategy", "type") == "Recreate":
            return None
        return seen.wrong(
            "rolling",
            "a rolling update starts the new server before the old one has ended, on the same home",
            "strategy: {type: Recreate}",
            "Write `strategy: {type: Recreate}` under `spec`, beside `selector`.",
        )

    return Check("one", "There is one server at a time.", judge)


def stays_inside() -> Check:
    """Its Service has no address outside the cluster."""

    def judge(seen: Seen) -> Finding | None:
        service = Service(seen.subject.name).find(seen.cluster) or {}
        kind = text(service, "spec", "type") or INSIDE
        if kind == INSIDE:
            return None
        return seen.wrong(
            "outside",
            f"the Service is of type {kind}: it opens the server to who reaches the "
            f"{'node' if kind == 'NodePort' else 'load balancer'}",
            f"a Service of type {INSIDE}, and `kubectl port-forward` for yourself",
            f"Delete `type: {kind}` from the Service.",
        )

    return Check("inside", "Its Service has no address outside.", judge, frozenset({"services"}))


def asks_the_api(port: int) -> Check:
    """Its readiness probe asks for what needs no token."""
    wanted = f"readinessProbe: {{httpGet: {{path: {jupyter.OPEN}, port: {port}}}}}"

    def judge(seen: Seen) -> Finding | None:
        probe = mapping(_container(seen), "readinessProbe")
        path = text(probe, "httpGet", "path")
        if path.rstrip("/") == jupyter.OPEN:
            return None
        found = f"the readiness probe asks for {path or 'no path'}, and has no token"
        if not probe:
            found = "there is no readinessProbe: requests would come before the server listens"
        cause = "path" if probe else "none"
        return seen.wrong(cause, found, f"`{wanted}`", f"Write `{wanted}`.")

    return Check("probe", "It is ready once the server answers.", judge)


def keeps_out(service: str, port: int) -> Check:
    """Without the token it answers neither its files nor its status."""
    requests = [f"{service}:{port}/{path}" for path in jupyter.CLOSED]

    def judge(seen: Seen) -> Finding | None:
        for request in requests:
            try:
                status = seen.cluster.answer(request).status
            except Unreadable as problem:
                return no_answer(service, problem)
            if status not in KEPT_OUT:
                return wrong(
                    "open",
                    f"without a token the server answers /{request.partition('/')[2]} with status "
                    f"{status}",
                    "403, which is Jupyter's answer to strangers",
                    "Is there a configuration in the home that takes the token away? See:",
                    f"$ kubectl exec deployment/{seen.subject.name} -- ls -a .jupyter",
                )
        return None

    reads = frozenset(f"answer {request}" for request in requests)
    return Check("locked", "It lets nobody in without the token.", judge, reads)


def _container(seen: Seen) -> Object:
    return main_container(_pod(seen))


def _pod(seen: Seen) -> Object:
    return next((pod for _, pod in seen.templates), {})
