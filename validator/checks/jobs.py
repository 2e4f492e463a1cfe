"""Checks of a Job of module 2: it runs once, and has a limit of memory."""

from __future__ import annotations

from validator.engine import Check, Seen
from validator.snapshot import at, mapping
from validator.tfjobs import main_container, quantity
from validator.verdicts import Finding


def one_completion() -> Check:
    """It ends with one Pod that has ended well."""

    def judge(seen: Seen) -> Finding | None:
        count = at(seen.object, "spec", "completions")
        if count in (None, 1):
            return None
        return seen.wrong(
            "count",
            f"completions is {count}: the Job trains the same model {count} times",
            "one training",
            "Delete `completions` from the manifest: 1 is the default.",
        )

    return Check("completions", "It wants one Pod to end well.", judge)


def memory_limit(example: str) -> Check:
    """Its container has a limit of memory; example: an amount that is enough."""

    def judge(seen: Seen) -> Finding | None:
        pod = next((pod for _, pod in seen.templates), {})
        resources = mapping(main_container(pod), "resources")
        limit = mapping(resources, "limits").get("memory")
        if limit is not None and quantity(limit) != 0:
            return None
        cause, found = "none", "the container has no limit of memory"
        if limit is not None:
            cause, found = "zero", f"the limit of memory is {limit}, which means none"
        elif "memory" in mapping(resources, "requests"):
            cause, found = "request-only", "memory stands under resources.requests alone"
        return seen.wrong(
            cause,
            found,
            "resources.limits.memory: without it, one program can take the memory of the node",
            f"Set `resources: {{limits: {{memory: {example}}}}}` on the container.",
        )

    return Check("memory", "Its container has a limit of memory.", judge)
