"""Checks of a GPU by claim: the template and its selector, who uses the claim, which card came."""

from __future__ import annotations

from validator import devices
from validator.checks.gpus import NOTHING_LOST
from validator.checks.nvidia_smi import READS, sizes
from validator.devices import DRIVER, GIB, Device
from validator.engine import Check, Need, Seen
from validator.snapshot import Object, Snapshot, Unreadable, listed, mapping, name_of, text
from validator.tfjobs import containers, gpus, main_container, quantity
from validator.verdicts import Finding, blocked, could_not_check

TEMPLATES = "resourceclaimtemplates"
_EXPRESSION = f"device.capacity['{DRIVER}'].memory.compareTo(quantity('{{}}Gi')) >= 0"


def need_cards(least_gib: int) -> Need:
    """A card of so much memory can be claimed on this cluster."""

    def judge(cluster: Snapshot) -> Finding | None:
        there = devices.offered(cluster) if cluster.served("resourceslices") else []
        if there and there[-1].memory >= least_gib * GIB:
            return None
        return blocked(
            "small" if there else "none",
            f"the largest card that can be claimed has {devices.in_words(there[-1].memory)}"
            if there
            else f"this cluster offers no cards to claim (no ResourceSlice of {DRIVER})",
            f"a card of {least_gib} GiB or more, offered by the driver {DRIVER}",
            NOTHING_LOST,
        )

    return Need("dra", judge, frozenset({"resourceslices"}))


def claim_template() -> Check:
    """There is a ResourceClaimTemplate of the exercise's name, of NVIDIA's class."""

    def judge(seen: Seen) -> Finding | None:
        template = seen.cluster.find(TEMPLATES, seen.subject.name)
        if template is None:
            return _no_template(seen)
        names = [text(r, "deviceClassName") for r in devices.requests(template)] or [""]
        odd = next((name for name in names if name != DRIVER), None)
        return None if odd is None else _other_class(seen, odd)

    title = f"Its ResourceClaimTemplate asks for a device of the class {DRIVER}."
    return Check("template", title, judge, frozenset({TEMPLATES, "deviceclasses"}))


def _no_template(seen: Seen) -> Finding:
    name = seen.subject.name
    if seen.ended == "well":
        return could_not_check(
            "gone",
            f"the Job has succeeded, and there is no ResourceClaimTemplate {name} any more",
            "the template from which the claim was made",
            "If the check has not said done before, apply your manifest again:",
            f"$ kubectl apply -f {seen.exercise.file}",
        )
    return seen.wrong(
        "none",
        f"there is no ResourceClaimTemplate {name}: the Pod waits for a claim made from it",
        f"a ResourceClaimTemplate named {name}, beside the Job",
        "What does `kubectl apply` say? An unknown field: in resource.k8s.io/v1, deviceClassName "
        "and selectors stand under `exactly`. A compilation that failed: correct the expression.",
    )


def _other_class(seen: Seen, name: str) -> Finding:
    known = sorted(map(name_of, seen.cluster.items_if_readable("deviceclasses")))
    return _template(
        seen,
        "class" if name in known else "no-class",
        f"the template asks for the class {name or '(none)'}"
        + ("" if name in known else ", which this cluster does not have"),
        f"deviceClassName: {DRIVER}",
        f"Set `deviceClassName: {DRIVER}`. Classes of this cluster: {', '.join(known) or DRIVER}.",
    )


def _template(seen: Seen, cause: str, found: str, wanted: str, fix: str) -> Finding:
    """A fault in the template, which is made again with the Job."""
    delete = f"$ kubectl delete resourceclaimtemplate {seen.subject.name}"
    return seen.wrong(cause, found, wanted, fix, "A template cannot be changed. Delete it:", delete)


def selects_memory(least_gib: int) -> Check:
    """The template selects cards by their memory: this much or more."""

    def judge(seen: Seen) -> Finding | None:
        template = seen.cluster.find(TEMPLATES, seen.subject.name) or {}
        for request in devices.requests(template):
            finding = _selector(seen, request, least_gib) or _fits_none(seen, request)
            if finding:
                return finding
        return None

    title = f"Its selector takes cards with {least_gib} GiB of memory or more."
    return Check("selector", title, judge, frozenset({TEMPLATES, "resourceslices"}))


def _selector(seen: Seen, request: Object, least_gib: int) -> Finding | None:
    wanted = f"a selector that takes cards with {least_gib} GiB or more"
    fix = f"Set the expression: `{_EXPRESSION.format(least_gib)}`"
    if not devices.asks_for_memory(request):
        other = devices.expressions(request)
        found = f"selects by {other[0]}" if other else "has no selector: any card will do"
        cause = "no-memory" if other else "none"
        return _template(seen, cause, f"the template {found}", wanted, fix)
    domains = {devices.domain_of_memory(each) for each in devices.expressions(request)} - {""}
    if domains - {DRIVER}:
        return _template(
            seen,
            "domain",
            f"the expression looks for the memory under {min(domains - {DRIVER})}, where no "
            "device has one: the scheduler says `no such key`",
            f"the memory under the name of the driver, {DRIVER}",
            fix,
        )
    for amount in devices.amounts(request):
        if quantity(amount) is None:
            return _template(
                seen,
                "amount",
                f"the amount {amount} in the selector is none that Kubernetes knows",
                f"an amount such as {least_gib}Gi, without a B at its end",
                fix,
            )
    least = devices.least_memory(request)
    if least is None or least >= least_gib * GIB:
        return None
    shown = devices.in_words(least)
    return _template(seen, "too-small", f"the selector takes cards of {shown} too", wanted, fix)


def _fits_none(seen: Seen, request: Object) -> Finding | None:
    """No card is that large, now; what has ended had one."""
    least, there = devices.least_memory(request), _offered(seen)
    if seen.ended or least is None or not there or least <= there[-1].memory:
        return None
    return _template(
        seen,
        "fits-none",
        f"the selector asks for {devices.in_words(least)}, and no card has so much",
        f"a size that a card has: {devices.offers(there)}",
        "Lower the amount in the expression.",
    )


def _offered(seen: Seen) -> list[Device]:
    try:
        return devices.offered(seen.cluster)
    except Unreadable:
        return []


def uses_the_claim() -> Check:
    """The Pod has a claim from the template, and the container that works uses it."""

    def judge(seen: Seen) -> Finding | None:
        pod = next((pod for _, pod in seen.templates), {})
        name = seen.subject.name
        claims = listed(pod, "resourceClaims")
        mine = {text(c, "name") for c in claims if text(c, "resourceClaimTemplateName") == name}
        if not mine:
            return _no_claim(seen, claims)
        main = main_container(pod)
        if any(text(c, "name") in mine for c in listed(main, "resources", "claims")):
            return None
        return _unused(seen, pod, main, min(mine))

    title = "Its container uses a claim that is made from the template."
    return Check("claim", title, judge)


def _no_claim(seen: Seen, claims: list[Object]) -> Finding:
    name = seen.subject.name
    by_name = next((n for c in claims if (n := text(c, "resourceClaimName"))), "")
    other = next((n for c in claims if (n := text(c, "resourceClaimTemplateName"))), "")
    found = "the Pod has no resourceClaims"
    if by_name:
        found = (
            f"the Pod wants the ResourceClaim {by_name} itself: it waits until somebody makes "
            "one, and shares its card with every Pod that names it"
        )
    elif other:
        found = f"the Pod has a claim from the template {other}"
    return seen.wrong(
        "by-name" if by_name else "other-template" if other else "none",
        found,
        f"a claim of its own, made from the template {name}",
        f"Write `resourceClaims: [{{name: gpu, resourceClaimTemplateName: {name}}}]` in the "
        "Pod's template.",
    )


def _unused(seen: Seen, pod: Object, main: Object, claim: str) -> Finding:
    others = [c for c in containers(pod) if c is not main and listed(c, "resources", "claims")]
    aside = f"; {text(others[0], 'name')} does" if others else ""
    return seen.wrong(
        "unused",
        f"the Pod has the claim {claim}, and the container {text(main, 'name')} does not ask for "
        f"it{aside}: it sees no card",
        "the claim under resources.claims of the container",
        f"Add `resources: {{claims: [{{name: {claim}}}]}}` to the container.",
    )


def shows_memory(least_gib: int) -> Check:
    """The Pod was given a claim, and its log shows a card of this size or a larger one."""

    def judge(seen: Seen) -> Finding | None:
        found = sizes(seen)
        if not listed(seen.pod, "status", "resourceClaimStatuses"):
            return seen.wrong(
                "no-claim",
                f"Pod {name_of(seen.pod)} was given no claim",
                "a Pod with a claim of its own",
                "Let the Job make the Pod.",
            )
        if found and min(found) >= least_gib * 1024:
            return None
        shown = f"a card of {min(found)} MiB" if found else "no amount of memory"
        asked = gpus(main_container(mapping(seen.pod, "spec")))
        return seen.wrong(
            "both" if asked else "small" if found else "none",
            f"its log shows {shown}"
            + (", since the container asks for GPUs by number, too" if asked else ""),
            f"the memory of a card with {least_gib} GiB or more, and of no other card",
            f"Delete {' and '.join(asked)} from the container's `resources`: the claim brings the "
            "card."
            if asked
            else 'Set `command: ["nvidia-smi", "--query-gpu=memory.total", "--format=csv"]`.',
        )

    title = f"Its log shows a card of {least_gib} GiB or more."
    return Check("memory", title, judge, READS | {r"line \d+ MiB"})
