"""Checks of an image of the learner's own, and of the container that ran it (module 1).

They read the learner's container engine, and the names of the images on the cluster's nodes.
"""

from __future__ import annotations

import re

from validator import evidence
from validator.engine import Check, Seen
from validator.hints import edit_distance
from validator.snapshot import Object, Unreadable, at, mapping, name_of, text, time_at
from validator.subjects import LocalImage, engine_of
from validator.tfjobs import (
    SAMPLE_IMAGE,
    as_shown,
    images_of_nodes,
    is_sample_image,
    repository,
    same_name,
    tag,
)
from validator.verdicts import Finding, converging, could_not_check, not_started

_READ = frozenset({"engine"})
_SHELLS = ("sh", "bash", "dash")
# What TensorFlow takes; an image without it is smaller.
TENSORFLOW_BYTES = 400_000_000
COMMAND_NOT_FOUND = (126, 127)
KILLED = 137


def _image(seen: Seen) -> LocalImage:
    assert isinstance(seen.subject, LocalImage)
    return seen.subject


def engine_answers() -> Check:
    """There is a container command, and it answers."""

    def judge(seen: Seen) -> Finding | None:
        try:
            engine_of(seen.cluster)
        except Unreadable as problem:
            message = problem.message
            cause = "none" if "on PATH" in message else "silent"
            if "permission denied" in message.lower():
                cause = "permission"
            return could_not_check(
                cause,
                f"your container engine did not answer: {message}",
                "a `docker` that answers: module 1 reads it",
                "A new terminal does not know the lab yet: `source .lab/activate`. If it does, let "
                "the lab look for a container engine again, and see what it says:",
                "$ python -m cluster base",
                "$ docker version",
            )
        return None

    return Check("engine", "Your container engine answers.", judge, _READ, opens=True)


def image_built() -> Check:
    """The image is there, under its whole name."""

    def judge(seen: Seen) -> Finding | None:
        return None if seen.object else _near_miss(seen) or _nothing(seen)

    return Check("exists", "Your image is built, under its whole name.", judge, _READ)


def _near_miss(seen: Seen) -> Finding | None:
    wanted = _image(seen).reference
    for image in seen.cluster.items("images"):
        names = [n for n in at(image, "spec", "names") or [] if not is_sample_image(n)]
        for name in names:
            how = _difference(name, wanted)
            if how:
                return seen.wrong(
                    f"name.{how[0]}",
                    f"there is an image {name}: {how[1]}",
                    f"an image named {wanted}",
                    "Give the image the right name, too:",
                    f"$ docker tag {name} {wanted}",
                ).but(redo=False)
    return None


def _difference(name: str, wanted: str) -> tuple[str, str] | None:
    """(cause, in words) of a name that was meant to be ``wanted``; None for another image."""
    if repository(name) == repository(wanted):
        if tag(name) == "latest":
            return "no-tag", "without a version it is called latest, which Kubernetes always pulls"
        return "tag", f"its version is {tag(name)}, not {tag(wanted)}"
    last, wanted_last = (repository(n).rpartition("/")[2] for n in (name, wanted))
    if last == wanted_last:
        return "prefix", "without localhost/ before it, a Pod looks for it in a public registry"
    if edit_distance(last, wanted_last) <= 2:
        return "misspelled", f"{last} is not {wanted_last}"
    return None


def _nothing(seen: Seen) -> Finding:
    folder = _image(seen).context
    return not_started(
        "none",
        f"no image {_image(seen).reference} in your container engine",
        "an image that you have built",
        "If you have no copy of the starter yet, make one:",
        f"$ test -e {folder} || cp -r {{checkout}}/{seen.exercise.folder}/starter {folder}",
        f"Complete {folder}/Dockerfile, and build. The last word is the folder with all that COPY "
        "can see; if `docker build` prints an error, no image is made:",
        f"$ {_image(seen).build}",
    )


def built_on_the_sample_image() -> Check:
    """It begins with the sample image, and adds something."""

    def judge(seen: Seen) -> Finding | None:
        mine = at(seen.object, "spec", "layers") or []
        base = _sample(seen)
        if base is None:
            return _by_size(seen)
        theirs = at(base, "spec", "layers") or []
        if mine[: len(theirs)] != theirs:
            return seen.wrong(
                "other",
                f"{_image(seen).reference} does not begin with the layers of {SAMPLE_IMAGE}",
                "an image with Python and TensorFlow, to which you add your program",
                f"Begin your Dockerfile with `FROM {SAMPLE_IMAGE}`. If docker does not have that "
                "image, this command brings it:",
                "$ python -m cluster base",
            )
        if len(mine) == len(theirs):
            return seen.wrong(
                "nothing-added",
                f"{_image(seen).reference} has the layers of {SAMPLE_IMAGE}, and none of its own",
                "a layer with your program",
                "Copy the program into the image: `COPY main.py /app/main.py`.",
            )
        return None

    return Check("base", "It begins with the sample image, and adds a layer.", judge, _READ)


def _sample(seen: Seen) -> Object | None:
    names = ((image, at(image, "spec", "names") or []) for image in seen.cluster.items("images"))
    return next((image for image, given in names if SAMPLE_IMAGE in given), None)


def _by_size(seen: Seen) -> Finding | None:
    """Where the sample image is gone: whether TensorFlow can be in the image at all."""
    size = int(at(seen.object, "status", "size") or 0)
    if size >= TENSORFLOW_BYTES:
        return None
    return seen.wrong(
        "small",
        f"{_image(seen).reference} has {size // 1_000_000} MB: TensorFlow alone has more",
        "an image with Python and TensorFlow, to which you add your program",
        f"Begin your Dockerfile with `FROM {SAMPLE_IMAGE}`. This command brings that image:",
        "$ python -m cluster base",
    )


def entry_point() -> Check:
    """It starts the learner's program, by a list of words."""

    def judge(seen: Seen) -> Finding | None:
        words = at(seen.object, "spec", "entrypoint") or []
        wanted = 'ENTRYPOINT ["python", "/app/main.py"]'
        fix = f"Write it as a list of words: `{wanted}`."
        if words and words[0].rpartition("/")[2] in _SHELLS:
            return seen.wrong(
                "shell",
                f"its entry point is `{' '.join(words[:2])} …`: a shell starts the program, and "
                "what you type behind the image's name is lost, as is the signal to stop",
                wanted,
                fix,
            )
        if not words or any(evidence.ENTRY_POINT in word for word in words):
            return seen.wrong(
                "inherited",
                "its entry point is that of the image it begins with: your program never starts "
                "(CMD is only what comes behind the entry point)",
                wanted,
                "Write ENTRYPOINT, not CMD. " + fix,
            )
        if len(words) == 1 and " " in words[0]:
            return seen.wrong(
                "one-word",
                f'its entry point is one word with spaces in it, "{words[0]}": no program has '
                "that name",
                wanted,
                "Put each word into quotes of its own. " + fix,
            )
        return None

    return Check("entry", "Its entry point is a list of words, and is yours.", judge, _READ)


def not_root() -> Check:
    """Its program is not root."""

    def judge(seen: Seen) -> Finding | None:
        user = text(seen.object, "spec", "user").partition(":")[0]
        if user not in ("", "0", "root"):
            return None
        return seen.wrong(
            "root",
            "its program runs as root",
            "a program that runs as an ordinary user: a mistake then does less harm",
            "Take `USER root` out of the Dockerfile. A program that must write files may do so "
            "below /tmp.",
        )

    return Check("user", "Its program is not root.", judge, _READ)


def ran(steps: int) -> Check:
    """A container of the exercise's name has run the image to its end."""

    def judge(seen: Seen) -> Finding | None:
        container = _container(seen)
        if container is None:
            return _never_ran(seen, steps)
        if text(container, "spec", "imageId") != text(seen.object, "metadata", "uid"):
            return _again(
                seen,
                "older-image",
                f"container {name_of(container)} ran another build than the one that is called "
                f"{_image(seen).reference} now",
                steps,
            )
        return _how_it_ended(seen, container, steps)

    return Check("ran", "Container {name} has run it to its end.", judge, _READ)


def _container(seen: Seen) -> Object | None:
    containers = seen.cluster.items("containers")
    return next((c for c in containers if name_of(c) == seen.subject.name), None)


def _run_it(seen: Seen, steps: int) -> str:
    own = _image(seen)
    return f"$ docker run --name {own.name} {own.reference} --max-steps {steps}"


def _again(
    seen: Seen, cause: str, found: str, steps: int, *advice: str, wanted: str = ""
) -> Finding:
    """A fault of the run: the name of the container has to be free for another one."""
    return seen.wrong(
        cause,
        found,
        wanted or f"a container {seen.subject.name} of your image that has trained {steps} steps",
        *advice,
        "A name is free again once its container is removed. Then run your image:",
        f"$ docker rm --force {seen.subject.name}",
        _run_it(seen, steps),
    ).but(redo=False)


def _never_ran(seen: Seen, steps: int) -> Finding:
    uid = text(seen.object, "metadata", "uid")
    others = [c for c in seen.cluster.items("containers") if text(c, "spec", "imageId") == uid]
    wanted = f"a container named {seen.subject.name}"
    if others:
        return seen.wrong(
            "other-name",
            f"your image ran as container {name_of(others[-1])}, a name that docker chose or you "
            "typed",
            wanted,
            "Give the container its name, before that of the image:",
            _run_it(seen, steps),
        ).but(redo=False)
    return seen.wrong(
        "none",
        f"no container {seen.subject.name}: your image has not run, or `--rm` removed what it left",
        wanted,
        "Run it. What stands behind the image's name goes to your program:",
        _run_it(seen, steps),
    ).but(redo=False)


def _how_it_ended(seen: Seen, container: Object, steps: int) -> Finding | None:
    state, code = text(container, "status", "state"), at(container, "status", "exitCode")
    name = name_of(container)
    if state in ("running", "restarting", "paused", "stopping"):
        return converging(
            "running",
            f"container {name} is {state}: {_training(seen, container).progress()}",
            "a container that has ended",
            "Wait for its end. Its log shows how it goes:",
            f"$ docker logs --follow {name}",
            since=time_at(container, "status", "startedAt"),
        )
    if not text(container, "status", "startedAt") or code in COMMAND_NOT_FOUND:
        words = as_shown(at(container, "spec", "commandLine") or [])
        return _again(
            seen,
            "not-started",
            f"container {name} never started its program: there is no `{words}` in the image, or "
            "it cannot be run",
            steps,
            'Correct ENTRYPOINT: the first word is a program, here `"python"`. Then build again:',
            f"$ {_image(seen).build}",
        )
    return _failed(seen, container, int(code), steps) if code else None


def _failed(seen: Seen, container: Object, code: int, steps: int) -> Finding:
    name = name_of(container)
    last = _training(seen, container).last_line
    said = f": {last}" if last else ""
    cause, advice = _why(last, code)
    build = () if cause == "option" else (f"$ {_image(seen).build}",)
    return _again(
        seen,
        f"exit.{code}.{cause}" if cause else f"exit.{code}",
        f"container {name} ended with exit code {code}{said}",
        steps,
        advice or "Its log says why:",
        *(build if advice else (f"$ docker logs {name}",)),
    )


# (cause, pattern of the last line, what to do)
_FAILURES = (
    (
        "option",
        r"unrecognized arguments: (.+)",
        "The program does not know {0}. Its options are written with hyphens: --max-steps.",
    ),
    (
        "file",
        r"can't open file '?([^']+?)'?:",
        "The entry point names {0}, and the image has no such file. COPY puts a file where its "
        "second word says. Let the two paths be the same, and build again:",
    ),
    (
        "module",
        r"No module named '?([\w.]+)",
        f"The image has no Python module {{0}}. Begin with `FROM {SAMPLE_IMAGE}`, and build again:",
    ),
)


def _why(last_line: str, code: int) -> tuple[str, str]:
    """(cause, what to do) of a program that failed; ("", "") if it is not known."""
    for cause, pattern, advice in _FAILURES:
        match = re.search(pattern, last_line)
        if match:
            return cause, advice.format(*match.groups())
    if code == KILLED:
        return "killed", "Somebody ended it (docker stop, docker kill), or the memory was full."
    return "", ""


def _training(seen: Seen, container: Object) -> evidence.Training:
    """What the container's log says. Raises: Unreadable."""
    return evidence.read(seen.log(container, "docker"))


def trained_in_container(steps: int) -> Check:
    """The container's log is that of a training of so many steps."""

    def judge(seen: Seen) -> Finding | None:
        container = _container(seen) or {}
        training = _training(seen, container)
        if training.last_step != steps:
            return _again(
                seen,
                "steps" if training.steps else "no-steps",
                f"the last step in the log of {name_of(container)} is {training.last_step}",
                steps,
                wanted=f"a training of {steps} steps",
            )
        doubt = evidence.doubt(training, _as_pod(container), "docker")
        if doubt is None:
            return None
        return _again(
            seen,
            doubt.cause,
            f"the log of {name_of(container)} does not look like a training: {doubt.reason}",
            steps,
            "Let the program that is given, main.py, train.",
        )

    return Check("trained", f"Its log shows a training of {steps} steps.", judge, _READ)


def _as_pod(container: Object) -> Object:
    """The container, as a Pod with one of that name would have it."""
    status = mapping(container, "status")
    ended = {key: status.get(key) for key in ("exitCode", "startedAt", "finishedAt")}
    spec = {
        "name": "docker",
        "image": text(container, "spec", "image"),
        "args": at(container, "spec", "args") or [],
    }
    statuses = [{"name": "docker", "state": {"terminated": ended}}]
    return {"spec": {"containers": [spec]}, "status": {"containerStatuses": statuses}}


def on_the_cluster() -> Check:
    """A node has the image."""

    def judge(seen: Seen) -> Finding | None:
        if not seen.object or not seen.cluster.items("nodes"):
            raise Unreadable("nodes", 0, "the cluster names no node")
        wanted = _image(seen).reference
        there = images_of_nodes(seen.cluster)
        if any(same_name(name, wanted) and tag(name) == tag(wanted) for name in there):
            return None
        return seen.wrong(
            "missing",
            f"no node of the cluster says that it has {wanted}",
            "a cluster that has your image: it does not look into docker",
            "Load it. The command ends when a node says that it has the image:",
            f"$ python -m cluster load {wanted}",
        ).but(redo=False)

    return Check("loaded", "The cluster has it.", judge, _READ | {"nodes"})
