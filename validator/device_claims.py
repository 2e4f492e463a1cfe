"""Why a Pod with device claims has no node: its class, its selector, or who has the cards."""

from __future__ import annotations

import re
from datetime import datetime

from validator import holders
from validator.case import Case
from validator.hints import one_line
from validator.snapshot import Object, name_of
from validator.verdicts import Finding, wrong

_WANTED = "a card that the claim takes"


def unscheduled_claim(
    case: Case, pod: Object, message: str, since: datetime | None
) -> Finding | None:
    """The finding where the scheduler speaks of device claims; None for other words."""
    missing = re.search(r"device class (\S+) does not exist", message)
    if missing:
        return case.graced(_no_class(pod, missing[1]), since)
    if "CEL runtime error" in message:
        return case.graced(_fails(pod, message), since)
    if "cannot allocate all claims" not in message:
        return None
    held = holders.of_claims(case.cluster, pod)
    return case.on_its_way(
        "unscheduled.claim",
        f"no card that the claim of Pod {name_of(pod)} takes is free now"
        + (f"; in this namespace, these Pods have claims: {held}" if held else ""),
        "Wait until another Pod ends, or delete what you no longer need. This command shows the "
        "claims of this namespace:",
        "$ kubectl get resourceclaims",
        "If nothing here holds the card, another namespace does, or no card is like that:",
        "$ kubectl get resourceslices --output=yaml",
        since=since,
        late=one_line(message),
    )


def _no_class(pod: Object, name: str) -> Finding:
    return wrong(
        "unscheduled.no-class",
        f"the claim of Pod {name_of(pod)} asks for the DeviceClass {name}, which this cluster "
        "does not have",
        "a DeviceClass that exists",
        "Correct deviceClassName in the template of the claim. This command shows the classes:",
        "$ kubectl get deviceclasses",
        redo=True,
    )


def _fails(pod: Object, message: str) -> Finding:
    return wrong(
        "unscheduled.selector",
        f"the selector in the claim of Pod {name_of(pod)} fails: {one_line(message)}",
        _WANTED,
        "Look for attributes and memory under the name of the device's driver. This command "
        "shows the devices:",
        "$ kubectl get resourceslices --output=yaml",
        redo=True,
    )
