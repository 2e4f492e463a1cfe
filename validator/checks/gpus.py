"""Checks of how many GPUs a Job asks for, under which name, and in which of its containers."""

from __future__ import annotations

from validator.checks.manifest import asks_for_gpus
from validator.engine import Check, Need, Seen
from validator.snapshot import Object, Snapshot, mapping, text
from validator.tfjobs import (
    GPU_RESOURCES,
    containers,
    gpus,
    gpus_of_cluster,
    host_mounts,
    main_container,
)
from validator.verdicts import Finding, blocked

OLD, TODAY = GPU_RESOURCES
NOTHING_LOST = (
    "Nothing is lost: read the page and its solution, and go on with the next module. No other "
    "exercise needs this one."
)


def need_gpus(resource: str = "") -> Need:
    """The cluster has GPUs; ``resource``: under this name."""

    def judge(cluster: Snapshot) -> Finding | None:
        there = gpus_of_cluster(cluster)
        if resource in there or (there and not resource):
            return None
        return blocked(
            "none",
            f"no node of this cluster offers {resource or 'a GPU'}",
            "a node with GPUs; the workshop's own cluster has simulated ones",
            NOTHING_LOST,
        )

    return Need("gpus", judge, frozenset({"nodes"}))


def one_gpu(*, today: bool = False) -> Check:
    """Its Pod asks for one GPU, in the container that works; ``today``: under today's name."""
    base = asks_for_gpus(1, resource=TODAY if today else "")

    def judge(seen: Seen) -> Finding | None:
        pod = next((pod for _, pod in seen.templates), {})
        asked = gpus(main_container(pod))
        return (
            _both_names(seen, asked)
            or (_old_name(seen) if today and OLD in asked else None)
            or _in_other_containers(seen, pod, asked)
            or _uncounted(seen, pod, asked)
            or base.judge(seen)
        )

    return Check(base.id, base.title, judge, base.reads)


def _both_names(seen: Seen, asked: dict[str, int]) -> Finding | None:
    if len(asked) < 2:
        return None
    return seen.wrong(
        "both",
        f"asks for {' and '.join(f'{n} {name}' for name, n in asked.items())}: two counters of "
        "the same cards",
        "one GPU, under one name",
        f"Delete the line with {OLD}.",
    )


def _old_name(seen: Seen) -> Finding:
    return seen.wrong(
        "old-name",
        f"asks for {OLD}, the name of 2017: nobody hands over a driver for it",
        f"1 {TODAY} under resources.limits of the container",
        f"Set `resources: {{limits: {{{TODAY}: 1}}}}` on the container.",
    )


def _in_other_containers(seen: Seen, pod: Object, asked: dict[str, int]) -> Finding | None:
    """The containers of a Pod add up: a Pod needs a node that has all of it."""
    main = main_container(pod)
    others = {text(c, "name"): gpus(c) for c in containers(pod) if c is not main and gpus(c)}
    if not others:
        return None
    shown = {**({text(main, "name"): asked} if asked else {}), **others}
    each = ", ".join(f"{name} {sum(amounts.values())}" for name, amounts in shown.items())
    return seen.wrong(
        "sum" if asked else "elsewhere",
        f"its containers ask for GPUs: {each}; what they ask for adds up, and each holds its own",
        f"1 GPU, in the container that works ({text(main, 'name')})",
        "Take the GPU out of the other containers, and ask for one in this container alone.",
    )


def _uncounted(seen: Seen, pod: Object, asked: dict[str, int]) -> Finding | None:
    """The driver alone lets a program at the cards, and Kubernetes knows nothing of it."""
    resources = mapping(main_container(pod), "resources")
    named = [*mapping(resources, "limits"), *mapping(resources, "requests")]
    if asked or not host_mounts(pod, main_container(pod)) or any("gpu" in n for n in named):
        return None
    return seen.wrong(
        "uncounted",
        "mounts the driver and asks for no GPU: it runs without a GPU of its own, and nobody "
        "counts the card that it uses",
        "1 GPU under resources of the container",
        f"Set `resources: {{limits: {{{OLD}: 1}}}}` on the container.",
    )
