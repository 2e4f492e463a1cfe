"""Checks of the Job that reads a TfJob's model back: another Pod, after the training's end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from posixpath import join, normpath, relpath
from typing import NamedTuple

from validator import evidence, places, program
from validator.checks.models import model_place
from validator.engine import Check, Seen
from validator.snapshot import Object, Unreadable, mapping, name_of, text, time_at
from validator.subjects import Job
from validator.tfjobs import SAMPLE_IMAGE, as_shown, command_line, is_sample_image, main_container
from validator.verdicts import Finding, converging, could_not_check, wrong

PROGRAM = "fashion_mnist.predict"
LEAST_ACCURACY = 0.80
# Two nodes' clocks may differ, and a program takes as long to start.
CLOCKS = timedelta(seconds=5)
_READS = frozenset({"jobs", "pods", "events", "logs", "nodes", "persistentvolumeclaims"})
# Options of the program that are followed by a value.
_WITH_VALUE = ("--images", "--data-dir")


def model_read_back(name: str, starter: str) -> Check:
    """A Job of this name has loaded the model from the same claim, after the training's end."""

    def judge(seen: Seen) -> Finding | None:
        job = seen.cluster.find("jobs", name)
        if job is None:
            return _none(seen, name, starter)
        return (
            _program(job) or _elsewhere(seen, job) or _too_early(seen, job) or _trouble(seen, job)
        )

    title = f"Job {name} has read the model from there, after the training's end."
    return Check("reader", title, judge, _READS)


def same_accuracy(name: str) -> Check:
    """The Job that read the model back has measured the training's own test accuracy."""

    def judge(seen: Seen) -> Finding | None:
        job = seen.cluster.find("jobs", name) or {}
        pod = next(iter(Job(name).pods(seen.cluster, job)), {})
        if not pod:
            return _pods_gone(seen, job)
        found, log = _accuracy(seen, pod)
        if found is None and log.cut:
            raise Unreadable(f"the middle of the log of Pod {name_of(pod)}", 0, "it is very long")
        wanted = _accuracy(seen, seen.pod)[0] if seen.pod else None
        if found is not None and (found == wanted or (not seen.pod and found >= LEAST_ACCURACY)):
            return None
        return wrong(
            "other" if found is not None else "none",
            f"the reader's test accuracy is {found}, and the training's is {wanted}"
            if found is not None
            else "the reader's log has no test accuracy",
            f"the training's own test accuracy{f', {wanted}' if wanted else ''}",
            "Another run has saved its model there since. Give each run a subPath of its own. Then "
            "train again:",
            *seen.subject.redo(seen.cluster, seen.object, seen.exercise.file),
            "Wait for its end, and read again:",
            *_redo(job),
        )

    return Check("same", "It measures the training's own test accuracy.", judge, _READS)


def _accuracy(seen: Seen, pod: Object) -> tuple[float | None, evidence.Training]:
    training = evidence.read(seen.log(pod, text(main_container(mapping(pod, "spec")), "name")))
    return training.test_accuracy, training


def _none(seen: Seen, name: str, starter: str) -> Finding:
    each, file = seen.exercise, f"{{checkout}}/my-{name}.yaml"
    return converging(
        "none",
        f"the training has ended, and there is no Job {name} yet",
        f"a Job {name} that reads the model from the claim",
        "If you have no copy of the starter yet, make one:",
        f"$ test -e {file} || cp {{checkout}}/{each.folder}/starter/{starter} {file}",
        f"Let it mount the claim, with the same subPath, and apply {file}:",
        f"$ kubectl apply -f {file}",
    )


class Call(NamedTuple):
    """What the reader's program was asked: ``model`` is "" where it names none."""

    model: str
    tests: bool


def _call(container: Object) -> Call | None:
    """The call of the image's own program; None where it is not known."""
    words, model = program.option_words(container, PROGRAM), ""
    if words is None:
        return None
    for before, word in zip(["", *words], words, strict=False):
        if not word.startswith("-") and before not in _WITH_VALUE:
            model = model or word
    return Call(normpath(model) if model else "", any(w.startswith("--t") for w in words))


def _pod(job: Object) -> Object:
    return mapping(job, "spec", "template", "spec")


def _program(job: Object) -> Finding | None:
    container = main_container(_pod(job))
    call, image = _call(container), text(container, "image")
    if not is_sample_image(image):
        found = f"the reader runs image {image or '(none)'}"
        return _wrong(job, "image", found, f"the sample image, {SAMPLE_IMAGE}",
                      f"Set `image: {SAMPLE_IMAGE}`.")  # fmt: skip
    doubt = program.another_program(_pod(job), container, PROGRAM)
    if (doubt and doubt.cause == "command") or (call and not call.model):
        line = as_shown(command_line(container))[:80]
        return _wrong(
            job,
            "program",
            f"the reader runs {line or 'the training, the program of the image'}",
            f"python -m {PROGRAM} with the folder of the model",
            f'Set `command: ["python", "-m", "{PROGRAM}"]` and `args: ["/models/model", '
            '"--test"]`.',
        )
    if call and not call.tests:
        wanted = f"python -m {PROGRAM} {call.model} --test"
        return _wrong(job, "no-test", "the reader has no --test", wanted, "Add --test to its args.")
    return _doubted(job, doubt) if doubt else None


def _doubted(job: Object, doubt: program.Doubt) -> Finding:
    wanted = f"the image's own program, python -m {PROGRAM}"
    fix = "Take that out of the reader's manifest."
    if doubt.certain:
        return _wrong(job, f"code.{doubt.cause}", doubt.reason, wanted, fix)
    return could_not_check(f"code.{doubt.cause}", doubt.reason, wanted, fix, *_redo(job))


def _elsewhere(seen: Seen, job: Object) -> Finding | None:
    """Whether it reads another place than that in which the training has saved."""
    pod, saved = _pod(job), model_place(seen)
    container = main_container(pod)
    call = _call(container)
    if saved is None or call is None:
        return None
    place = places.of_path(pod, container, call.model)
    if place and (place.claim, place.folder) == (saved.claim, saved.folder):
        return None
    mine = [m for m in places.mounts(pod, container) if m.claim == saved.claim]
    if not mine:
        return _wrong(
            job,
            "no-claim",
            f"the reader does not mount the claim {saved.claim}",
            f"the claim {saved.claim} in the reader, with subPath {saved.mount.sub_path}",
            f"Write into the reader a volume of the claim {saved.claim}, and a volumeMount with "
            f"`mountPath: /models` and `subPath: {saved.mount.sub_path}`.",
        )
    if mine[0].sub_path != saved.mount.sub_path:
        return _wrong(
            job,
            "sub-path",
            f"subPath of the reader: {mine[0].sub_path or '(none)'}; of the training: "
            f"{saved.mount.sub_path}",
            "the same subPath in both",
            f"Set `subPath: {saved.mount.sub_path}` in the reader's volumeMount.",
        )
    right = join(mine[0].path, relpath(saved.folder, mine[0].sub_path))
    return _wrong(
        job,
        "path",
        f"the reader loads {call.model}, and it would find the model at {right}",
        f"the folder {right}",
        f'Set `args: ["{right}", "--test"]` in the reader.',
    )


def _too_early(seen: Seen, job: Object) -> Finding | None:
    reader, name = Job(name_of(job)), name_of(job)
    ended, since = _times(seen.pod)[1] or time_at(seen.object, "status", "completionTime"), None
    pods = reader.pods(seen.cluster, job)
    if pods:
        since = _times(pods[0])[0]
    if not (reader.ended(seen.cluster, job) and since and ended) or since >= ended - CLOCKS:
        return None
    return _wrong(
        job,
        "too-early",
        f"Job {name} started {(ended - since).total_seconds():.0f} s before the training's end",
        "a reader that starts after the training's end",
        "The TfJob is in phase Done by now.",
    )


def _times(pod: Object) -> tuple[datetime | None, datetime | None]:
    """When the container that works in a Pod began and ended."""
    name = text(main_container(mapping(pod, "spec")), "name")
    state = mapping(evidence.container_status(pod, name), "state")
    ended, running = mapping(state, "terminated"), mapping(state, "running")
    return time_at(ended or running, "startedAt"), time_at(ended, "finishedAt")


def _trouble(seen: Seen, job: Object) -> Finding | None:
    """Why the reader has not ended well; its manifest is one of its own."""
    trouble = Job(name_of(job)).trouble(seen.cluster, job)
    if trouble and trouble.redo:
        return trouble.but(
            redo=False, fix=(*trouble.fix, "Then run the reader again:", *_redo(job))
        )
    return trouble


def _pods_gone(seen: Seen, job: Object) -> Finding:
    return could_not_check(
        "pods-gone",
        f"Job {name_of(job)} is Complete, but its Pod is gone, and with it its log",
        "the Pod that has read the model, with its log",
        "If the check has not said done before, run the reader again:",
        *_redo(job),
    )


def _wrong(job: Object, cause: str, found: str, wanted: str, fix: str) -> Finding:
    return wrong(cause, as_shown([found]), wanted, fix, "Then run the reader again:", *_redo(job))


def _redo(job: Object) -> Sequence[str]:
    name = name_of(job)
    return (f"$ kubectl delete job {name}", f"$ kubectl apply -f {{checkout}}/my-{name}.yaml")
