"""Devices of DRA: what the nodes' slices offer, and what a template of claims asks for; pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from validator.snapshot import Object, Snapshot, listed, mapping, text
from validator.tfjobs import quantity

# The name of NVIDIA's driver, and of the class that it brings.
DRIVER = "gpu.nvidia.com"
GIB = 2.0**30
_MEMORY = re.compile(
    r"device\.capacity\[['\"](?P<domain>[^'\"]+)['\"]\](?:\.memory\b|\[['\"]memory['\"]\])"
)
# Comparisons from which the least memory follows; what is written otherwise is not judged.
_AT_LEAST = re.compile(
    _MEMORY.pattern
    + r"\.(?:compareTo\(quantity\(['\"](?P<one>[^'\"]+)['\"]\)\)\s*(?:>=|>|==)\s*0"
    + r"|isGreaterThan\(quantity\(['\"](?P<two>[^'\"]+)['\"]\)\))"
)


class Device(NamedTuple):
    """A device that a node offers; memory in bytes."""

    name: str
    memory: float


def offered(cluster: Snapshot) -> list[Device]:
    """The devices of NVIDIA's driver that have a memory, smallest first. Raises: Unreadable."""
    found = [
        Device(text(device, "name"), memory)
        for slice_ in cluster.items("resourceslices")
        if text(slice_, "spec", "driver") == DRIVER
        for device in listed(slice_, "spec", "devices")
        if (memory := quantity(text(device, "capacity", "memory", "value")))
    ]
    return sorted(found, key=lambda device: device.memory)


def requests(template: Object) -> list[Object]:
    """What a ResourceClaimTemplate asks for; of a list of alternatives, each."""
    found: list[Object] = []
    for request in listed(template, "spec", "spec", "devices", "requests"):
        exactly = mapping(request, "exactly")
        found += [exactly] if exactly else listed(request, "firstAvailable")
    return found


def expressions(request: Object) -> list[str]:
    """The CEL expressions by which a request selects devices."""
    return [text(each, "cel", "expression") for each in listed(request, "selectors")]


def domain_of_memory(expression: str) -> str:
    """The driver under whose name an expression looks for the memory; "" where it does not."""
    match = _MEMORY.search(expression)
    return match["domain"] if match else ""


def asks_for_memory(request: Object) -> bool:
    """Whether a request says anything of the memory."""
    return "memory" in mapping(request, "capacity", "requests") or any(
        "memory" in each for each in expressions(request)
    )


def least_memory(request: Object) -> float | None:
    """The least memory that a request asks for, in bytes; None where that is not known."""
    return max((q for a in amounts(request) if (q := quantity(a)) is not None), default=None)


def amounts(request: Object) -> list[str]:
    """The amounts of memory that a request names, as they are written."""
    beside = mapping(request, "capacity", "requests").get("memory")
    found = [str(beside)] if beside else []
    for match in filter(None, map(_AT_LEAST.search, expressions(request))):
        found.append(match["one"] or match["two"])
    return found


def in_words(memory: float) -> str:
    """An amount of memory: "48 GiB"."""
    return f"{memory / GIB:g} GiB"


def offers(devices: list[Device]) -> str:
    """The devices in words: "gpu-4 with 40 GiB, gpu-5 with 80 GiB"."""
    shown = [f"{each.name} with {in_words(each.memory)}" for each in devices]
    return ", ".join(shown) or "none"
