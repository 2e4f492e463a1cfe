"""Checks of a model server: its program, where its model is from, and what it has answered."""

from __future__ import annotations

import re
from posixpath import basename, dirname

from validator import model_server, places, program
from validator.checks import autoscaling
from validator.diagnosis import succeeded
from validator.engine import Check, Seen
from validator.snapshot import Object, created, mapping, name_of, text
from validator.tfjobs import as_shown, command_line, main_container, pod_spec, words
from validator.verdicts import Finding, converging, could_not_check, wrong

COMMAND = '["env", "--block-signal=TERM", "python", "-m", "fashion_mnist.serve"]'
METRICS = "monitoring/prometheus/metrics"
_COUNT = re.compile(r':tensorflow:serving:request_count\{.*status="(\w+)"\} (\d+)')
_CLAIM = frozenset({"tfjobs", "persistentvolumeclaims"})


def runs_the_server() -> Check:
    """It runs the image's model server, and no program of its own."""

    def judge(seen: Seen) -> Finding | None:
        pod = _pod(seen)
        container = main_container(pod)
        doubt = program.another_program(pod, container, model_server.PROGRAM)
        if doubt is None:
            return None
        if doubt.cause == "command":
            return _other_program(seen, container)
        wanted, fix = f"the image's own {model_server.PROGRAM}", "Take that out of the manifest."
        if doubt.certain:
            return seen.wrong(doubt.cause, doubt.reason, wanted, fix)
        return could_not_check(doubt.cause, doubt.reason, wanted, fix)

    return Check("server", "It runs the image's model server.", judge)


def _other_program(seen: Seen, container: Object) -> Finding:
    line = as_shown(command_line(container))
    wanted = f"`command: {COMMAND}`"
    if not words(container, "command"):
        found = f"there is no `command`, so the image trains (with {line or 'no options'})"
        return seen.wrong("no-command", found, wanted, f"Write {wanted}.")
    return seen.wrong("other", f"it runs `{line[:80]}`", wanted, f"Write {wanted}.")


def serves_from(claim: str) -> Check:
    """The model of a TfJob is at BASE/NAME/NUMBER in the container, for reading alone."""

    def judge(seen: Seen) -> Finding | None:
        pod = _pod(seen)
        container = main_container(pod)
        mounts = [m for m in places.mounts(pod, container) if m.claim == claim]
        if not mounts:
            return seen.wrong(
                "not-mounted",
                f"its container mounts nothing of the claim {claim}",
                f"the model on the claim {claim}, at {model_server.base_path(container)}/1",
                f"Write a volume of the claim {claim}, and a volumeMount in the container.",
            )
        return _other_path(seen, pod, claim, mounts) or _writable(seen, pod, claim)

    title = "Its model is at a number below the model's name, read-only."
    return Check("model", title, judge, _CLAIM)


def _other_path(seen: Seen, pod: Object, claim: str, mounts: list[places.Mount]) -> Finding | None:
    base = model_server.base_path(main_container(pod))
    saved = [place for _, place in model_server.trainings(seen.cluster, claim)]
    paths = [path for place in saved if (path := model_server.path_of(pod, place))]
    if saved and not paths:
        return seen.wrong(
            "folder",
            f"subPath is {mounts[0].sub_path}, and no TfJob saves its model there",
            f"subPath: {saved[0].folder}, where a TfJob saves it",
            f"Set `subPath: {saved[0].folder}` in the volumeMount.",
        )
    path = next((p for p in paths if _is_version(p, base)), (paths or [mounts[0].path])[0])
    if _is_version(path, base):
        return None
    cause, found = _what_is_wrong(path, base)
    return seen.wrong(
        cause,
        f"the model is at {path} in the container; {found}",
        f"the model at {base}/1",
        f"Set `mountPath: {base}/1` in the volumeMount"
        + (", or the variable MODEL_NAME to the name in the path." if cause == "name" else "."),
    )


def _is_version(path: str, base: str) -> bool:
    return dirname(path) == base and basename(path).isdecimal()


def _what_is_wrong(path: str, base: str) -> tuple[str, str]:
    if path == base:
        return "no-number", "a version is missing: the server looks for folders with a number"
    if dirname(path) == base:
        return "version", f"{basename(path)} is no version: only whole numbers are"
    if basename(path).isdecimal() and dirname(dirname(path)) == dirname(base):
        return "name", f"the model's name is {basename(base)}, so the server looks below {base}"
    return "path", f"the server looks below {base}"


def _writable(seen: Seen, pod: Object, claim: str) -> Finding | None:
    if model_server.is_read_only(pod, claim):
        return None
    return seen.wrong(
        "writable",
        "the server could write to the claim, and so change the model",
        "`readOnly: true` in the volumeMount",
        "Add `readOnly: true` to the volumeMount.",
    )


def model_of_a_tfjob(claim: str) -> Check:
    """A TfJob of this namespace has saved what is served."""

    def judge(seen: Seen) -> Finding | None:
        pod = _pod(seen)
        jobs = [
            job
            for job, place in model_server.trainings(seen.cluster, claim)
            if model_server.path_of(pod, place)
        ]
        if not jobs:
            return could_not_check(
                "unknown",
                "no TfJob in this namespace saves its model there: it cannot be seen who has "
                "trained this model",
                "a model that a TfJob has trained here",
                "If the check has not said done before, train the model as the page shows.",
            )
        if succeeded(jobs[0]):
            return None
        name = name_of(jobs[0])
        return converging(
            "training",
            f"TfJob {name} has not succeeded: there is no model yet",
            "a model that a TfJob has saved",
            "Wait for its end. This command shows how far it is:",
            f"$ kubectl get tfjob {name}",
            since=created(jobs[0]),
        )

    return Check("origin", "A TfJob has trained its model here.", judge, _CLAIM)


def asks_for_the_model() -> Check:
    """Its readiness probe asks for the model, so that it gets requests once a version is loaded."""

    def judge(seen: Seen) -> Finding | None:
        container = main_container(_pod(seen))
        name, port = model_server.model_name(container), model_server.port(container)
        wanted = f"readinessProbe: {{httpGet: {{path: /v1/models/{name}, port: {port}}}}}"
        probe = mapping(container, "readinessProbe")
        path = text(probe, "httpGet", "path")
        if path.startswith(f"/v1/models/{name}"):
            return None
        found = f"the readiness probe asks for {path or 'no path'}, and the server answers 404"
        if not probe:
            found = "there is no readinessProbe: requests would come before the model is loaded"
        cause = "path" if probe else "none"
        return seen.wrong(cause, found, f"`{wanted}`", f"Write `{wanted}`.")

    return Check("probe", "It is ready once the model is loaded.", judge)


def was_asked(service: str, port: int) -> Check:
    """It has answered a prediction, by its own count."""
    request = f"{service}:{port}/{METRICS}"

    def judge(seen: Seen) -> Finding | None:
        if _was_scaled(seen):
            # The count of one replica says nothing of the others.
            return None
        counts = dict(_COUNT.findall(seen.cluster.answer(request).body))
        if int(counts.get("OK", "0")):
            return None
        url = f"http://{service}:{port}/v1/models/{model_server.model_name(_container(seen))}"
        ask = (
            "Ask it for a prediction:",
            "$ kubectl run ask --rm -i --restart=Never --image=localhost/fashion-mnist:1.2.0 "
            f"--command -- python -m fashion_mnist.ask {url}",
        )
        if not counts:
            return converging(
                "none", "nobody has asked the server yet", "one prediction or more", *ask
            )
        return wrong(
            "refused",
            f"the server has refused all predictions: {', '.join(sorted(counts))}",
            "a prediction that it answers",
            "Send `instances` of shape 28 × 28 × 1, of numbers from 0 to 1. Or let ask do it:",
            *ask[1:],
        )

    reads = frozenset({f"answer {request}", "horizontalpodautoscalers", "jobs", "events"})
    return Check("asked", "It has answered a prediction.", judge, reads)


def _was_scaled(seen: Seen) -> bool:
    """Whether an autoscaler has made more replicas: then there was load."""
    scalers = seen.cluster.items_if_readable("horizontalpodautoscalers")
    loads = [
        job
        for job in seen.cluster.items_if_readable("jobs")
        if model_server.calls(main_container(pod_spec(mapping(job, "spec"))), autoscaling.LOAD)
    ]
    return any(
        text(s, "spec", "scaleTargetRef", "name") == seen.subject.name
        and any(autoscaling.went_up(seen.cluster, s, load) for load in loads or [{}])
        for s in scalers
    )


def _container(seen: Seen) -> Object:
    return main_container(_pod(seen))


def _pod(seen: Seen) -> Object:
    return next((pod for _, pod in seen.templates), {})
