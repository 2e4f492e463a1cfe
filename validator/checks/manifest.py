"""Checks of what the learner asked for: the object's own words, before and after it runs."""

from __future__ import annotations

import re

from validator import near_misses
from validator.engine import Check, Seen
from validator.evidence import read
from validator.hints import wrong_shape
from validator.scheduling import too_many_gpus
from validator.snapshot import Object, Unreadable, at, created, listed, mapping, text
from validator.tfjobs import (
    GPU_RESOURCES,
    SAMPLE_IMAGE,
    command_line,
    containers,
    counts,
    gpu_resource,
    gpus,
    gpus_of_cluster,
    holds_driver,
    is_sample_image,
    main_container,
    option,
    runs_own_image,
    same_name,
    shape,
    words,
)
from validator.verdicts import Finding


def exists(starter: str = "", *start: str) -> Check:
    """The exercise's object is there.

    starter: file name of the starter in the module's folder, of which the learner
    completes a copy. start: the steps with which a learner begins, in its place.
    """

    def judge(seen: Seen) -> Finding | None:
        if seen.object:
            return None
        return near_misses.missing(seen, start or _from_starter(seen, starter))

    return Check("exists", "{kind} {name} exists.", judge, frozenset({"near misses"}))


def _from_starter(seen: Seen, starter: str) -> tuple[str, ...]:
    each = seen.exercise
    return (
        "If you have no copy of the starter yet, make one:",
        # Never over what the learner has written already.
        f"$ test -e {each.file} || cp {{checkout}}/{each.folder}/starter/{starter} {each.file}",
        f"Complete {each.file} and apply it:",
        f"$ kubectl apply -f {each.file}",
    )


def replicas(**wanted: int) -> Check:
    """It has so many replicas of each type, and no others."""
    asked = ", ".join(f"{count} {kind}" for kind, count in wanted.items())

    def judge(seen: Seen) -> Finding | None:
        if counts(seen.object) == wanted:
            return None
        return seen.wrong(
            _difference(counts(seen.object), wanted),
            f"spec.replicaSpecs asks for {shape(seen.object)}",
            asked,
            f"Write {'one entry' if len(wanted) == 1 else f'{len(wanted)} entries'} in "
            f"spec.replicaSpecs: {asked}.",
        )

    return Check("replicas", f"It has {asked}, and no other replica.", judge)


def _difference(there: dict[str, int], wanted: dict[str, int]) -> str:
    """The cause: a type too many, a type that is missing, else another count."""
    extra = [kind for kind in there if kind not in wanted]
    missing = [kind for kind in wanted if kind not in there]
    if extra:
        return f"extra.{extra[0].lower()}"
    return f"missing.{missing[0].lower()}" if missing else "count"


def container_named(name: str) -> Check:
    """Each template has a container of that name."""

    def judge(seen: Seen) -> Finding | None:
        for role, pod in seen.templates:
            names = [text(c, "name") or "(no name)" for c in containers(pod)]
            if name not in names:
                return seen.wrong(
                    "name",
                    f"containers of the {role}: {', '.join(names) or 'none'}",
                    f"a container named {name}: by that name the operator finds the one that "
                    "trains",
                    f"Set `name: {name}` on the container.",
                )
        return None

    return Check("container", f"Its container is named {name}.", judge)


def arguments_are_text() -> Check:
    """command and args are lists of texts."""

    def judge(seen: Seen) -> Finding | None:
        for _, pod in seen.templates:
            for container in containers(pod):
                finding = wrong_shape(container)
                if finding:
                    return finding
        return None

    return Check("args", "Its command and args are lists of texts.", judge)


def sample_image(own: str = "") -> Check:
    """Every replica runs the sample image, and the cluster has it.

    own: an image of the learner's that does as well.
    """

    def judge(seen: Seen) -> Finding | None:
        trouble = None if seen.ended else seen.subject.trouble(seen.cluster, seen.object)
        if trouble and trouble.cause.startswith("image."):
            return trouble.but(cause=trouble.cause.removeprefix("image."))
        for role, pod in seen.templates:
            image = text(main_container(pod), "image")
            if not (is_sample_image(image) or (own and same_name(image, own))):
                return seen.wrong(
                    "other",
                    f"the {role} runs image {image or '(none)'}",
                    f"the sample image, {SAMPLE_IMAGE}" + (f", or your own, {own}" if own else ""),
                    f"Set `image: {SAMPLE_IMAGE}`.",
                )
        return None

    return Check(
        "image",
        f"It runs the sample image{' or your own' if own else ''}, and the cluster has that image.",
        judge,
        frozenset({"pods", "jobs", "nodes"}),
    )


def asks_for_gpus(count: int, *, or_none: bool = False, resource: str = "") -> Check:
    """It asks for so many GPUs; ``or_none``: for none on a cluster that has none.

    resource: the name that a hint writes where the manifest has none.
    """

    def judge(seen: Seen) -> Finding | None:
        container = _container(seen)
        asked = gpus(container)
        if list(asked.values()) == [count]:
            excess = None if seen.ended else too_many_gpus(_of_cluster(seen, asked), container)
            return excess and excess.but(cause=excess.cause.removeprefix("gpus."))
        if not asked and or_none and (not gpus_of_cluster(seen.cluster) or _gpus_came_later(seen)):
            return None
        return _other_number(seen, container, asked, count, resource)

    no_gpu = " (or none, if the cluster has no GPU)" if or_none else ""
    title = f"It asks for {'one GPU' if count == 1 else f'{count} GPUs'}{no_gpu}."
    return Check("gpus", title, judge, frozenset({"nodes"}))


def _gpus_came_later(seen: Seen) -> bool:
    """Whether it has ended well, and every node with GPUs was made after it. Raises: Unreadable."""
    made = created(seen.object)
    nodes = seen.cluster.items("nodes")
    times = [
        created(n)
        for n in nodes
        if any(at(n, "status", "allocatable", r) not in (None, "0") for r in GPU_RESOURCES)
    ]
    return seen.ended == "well" and all(made and time and time > made for time in times)


def _of_cluster(seen: Seen, asked: dict[str, int]) -> dict[str, int]:
    """What the nodes offer; as much as is asked for, where nodes cannot be read."""
    try:
        return gpus_of_cluster(seen.cluster)
    except Unreadable:
        return asked


def _other_number(
    seen: Seen, container: Object, asked: dict[str, int], count: int, name: str
) -> Finding:
    resource = next(iter(asked), "") or name or gpu_resource(seen.cluster)
    excess = too_many_gpus(_of_cluster(seen, asked), container) if asked else None
    cause, found = _how_gpus(container, asked, resource)
    return seen.wrong(
        "too-many" if excess else cause,
        excess.found if excess else found,
        f"{count} GPU under resources.limits of the container",
        f"Set `resources: {{limits: {{{resource}: {count}}}}}` on the container.",
    )


def _how_gpus(container: Object, asked: dict[str, int], resource: str) -> tuple[str, str]:
    """(cause, what was found) for a number of GPUs that is not the wanted one."""
    if asked:
        return "count", "asks for " + " and ".join(f"{n} {r}" for r, n in asked.items())
    resources = mapping(container, "resources")
    for name in GPU_RESOURCES:
        if name in resources:
            return "no-limits", f"{name} is under resources, not under resources.limits"
    section = {**mapping(resources, "requests"), **mapping(resources, "limits")}
    for name, amount in section.items():
        if name in GPU_RESOURCES:
            return "amount", f"asks for {amount} {name}, which is no whole number of GPUs"
        if "gpu" in str(name).lower():
            return "resource", f"asks for {name}, which is not a GPU resource of this cluster"
    return "none", f"no GPU asked for (no {resource} under resources.limits)"


def mounts_from_node(*wanted: str) -> Check:
    """Its manifest mounts these folders of the node, and no others; none given: it mounts none."""

    def judge(seen: Seen) -> Finding | None:
        volumes = [v for _, pod in seen.templates for v in listed(pod, "volumes")]
        there = {text(v, "hostPath", "path").rstrip("/") for v in volumes} - {""}
        missing = sorted(set(wanted) - there)
        extra = sorted(filter(holds_driver, there - set(wanted)))
        if missing:
            return seen.wrong(
                "missing",
                f"hostPath volumes in the manifest: {', '.join(sorted(there)) or 'none'}",
                f"the node's {' and '.join(missing)}",
                "Add a hostPath volume and a volumeMount for each.",
            )
        if extra and not wanted:
            return seen.wrong(
                "by-hand",
                f"hostPath volumes in the manifest: {', '.join(extra)}",
                "no driver folders in the manifest: the operator mounts them",
                "Delete the hostPath volumes and their volumeMounts.",
            )
        return None

    title = (
        f"Its manifest mounts {' and '.join(wanted)} from the node."
        if wanted
        else "Its manifest mounts no driver folders: the operator does."
    )
    return Check("host-mounts", title, judge)


def option_is(name: str, value: str) -> Check:
    """It asks for exactly this value of an option of its program.

    Once the program has printed its steps, its log decides, not these words.
    """

    def judge(seen: Seen) -> Finding | None:
        container = _container(seen)
        given = option(container, name)
        if given == value or seen.ended == "badly" or _has_steps(seen):
            return None
        if given.isdigit():
            return _asked(seen, f"{name} is {given}", name, value)
        if given or words(container, "command") or _in_variables(container):
            return None
        near = _misspelled(container, name)
        if " " in near:
            return _one_word(seen, near)
        if runs_own_image(container):
            # Its Dockerfile may have the value.
            return None
        if near:
            return _asked(seen, f"the option {near}, which the program does not know", name, value)
        return _asked(seen, f"no {name} in args", name, value)

    return Check("option", f"It asks for {name} {value}.", judge, frozenset({"logs"}))


def _one_word(seen: Seen, near: str) -> Finding:
    listed_words = ", ".join(f'"{word}"' for word in near.split())
    return seen.wrong(
        "one-word",
        f'"{near}" is one entry: the program gets one word with a space in it',
        "one entry for each word",
        f"Write `[{listed_words}]`.",
    )


def _asked(seen: Seen, found: str, name: str, value: str) -> Finding:
    cause = "missing" if found.startswith("no ") else "value"
    cause = "misspelled" if found.startswith("the option") else cause
    return seen.wrong(cause, found, f"{name} {value}", f'Set `args: ["{name}", "{value}"]`.')


def _has_steps(seen: Seen) -> bool:
    try:
        log = seen.log(seen.pod, text(_container(seen), "name"))
        return bool(read(log).steps)
    except Unreadable:
        return False


def _in_variables(container: Object) -> bool:
    return any("$(" in word for word in command_line(container))


def _misspelled(container: Object, name: str) -> str:
    def plain(word: str) -> str:
        return re.sub(r"[^a-z]", "", word.partition("=")[0].lower())

    return next((w for w in command_line(container) if plain(w) == plain(name)), "")


def _container(seen: Seen) -> Object:
    """The container that does the work in the first template."""
    return main_container(next((pod for _, pod in seen.templates), {}))
