"""What to say of each way in which Kubernetes refuses: a hint of its own for each cause.

The causes are tables in ``refusals``. What no row knows is passed on in the
API's own words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from validator.refusals import CONTAINER, CREATION, SPEC, TEMPLATE, Row
from validator.snapshot import Object, mapping
from validator.tfjobs import containers, not_text, quantity, words
from validator.verdicts import Finding, converging, wrong

LOAD = "python -m cluster load IMAGE"
LONGEST_MESSAGE = 400


_KINDS = {
    "number": "a number",
    "bool": "a truth value",
    "string": "one text",
    "object": "a mapping",
    "array": "a list",
}
_FIELDS = (
    *("args", "command", "env", "image", "imagePullPolicy", "name", "ports", "resources"),
    *("limits", "requests", "volumeMounts", "volumes", "mountPath", "hostPath", "subPath"),
    *("containers", "initContainers", "restartPolicy", "securityContext", "nodeSelector"),
    *("serviceAccountName", "tolerations", "value", "valueFrom", "template", "spec", "metadata"),
)


def match(rows: Sequence[Row], message: str, **given: str) -> Finding | None:
    """The finding of the first row whose pattern occurs in ``message``; None for no row."""
    said = re.sub(r"\s+", " ", message).strip()
    for row in rows:
        found = re.search(row.pattern, said)
        if found:
            groups = {key: value or "" for key, value in found.groupdict().items()}
            return _filled(row, {"message": one_line(message), **groups, **given})
    return None


def _filled(row: Row, groups: dict[str, str]) -> Finding:
    fill = _Groups(groups)
    cause, found, wanted = (part.format_map(fill) for part in (row.cause, row.found, row.wanted))
    fix = tuple(step.format_map(fill) for step in row.fix)
    if row.waits:
        return converging(cause, one_line(found), wanted, *fix)
    return wrong(cause, one_line(found), wanted, *fix, redo=row.redo)


class _Groups(dict[str, str]):
    """The groups of a match, and what follows from them; "" for one that is not there."""

    def __missing__(self, key: str) -> str:
        if key == "leaf":
            return _parts(self.get("path", ""))[-1]
        if key == "short":
            return _short(self.get("path", ""))
        if key == "is_value":
            return f" is {self['value']}" if self.get("value") else ""
        if key == "at_most":
            return "at most" if self.get("bound") == "maximum" else "at least"
        if key == "nearest":
            leaf = self["leaf"].lower()
            near = next((f for f in _FIELDS if edit_distance(f.lower(), leaf) <= 1), "")
            return f" (perhaps {near}?)" if near else ""
        if key == "asked":
            none = self.get("none")
            return f"and no {none} is set" if none else f"and the {self['kind']} is {self['given']}"
        if key == "a_got":
            return _KINDS.get(self["got"], "something else") if "got" in self else ""
        if key == "a_type":
            return _plain_type(str(self.get("type", "")))
        return ""


def _parts(path: str) -> list[str]:
    """The names of a field's path, without positions; "limits[memory]" are two."""
    return re.sub(r"\[\d+\]", "", path).replace("[", ".").replace("]", "").split(".")


def _short(path: str) -> str:
    """The end of a field's path, long enough to find it in a manifest."""
    parts = [p for p in _parts(path) if p not in ("spec", "template", "containers")]
    return ".".join(parts[-2:]) or path


def _plain_type(kind: str) -> str:
    """A type of Go in words."""
    known = {"string": "text (in quotes)", "bool": "true or false", "[]string": "a list of texts"}
    if kind in known:
        return known[kind]
    if kind.startswith("[]"):
        return "a list (each entry begins with a hyphen)"
    return "a number" if "int" in kind else "a mapping (`name: value`)"


def creation_hint(owner: str, message: str) -> Finding:
    """The finding for a child that the API server refused to create."""
    said = one_line(message)
    finding = match(CREATION, message)
    if finding and finding.cause == "quota.used-up" and _never_fits(message):
        return wrong(
            "quota.too-big",
            f"{owner}: {finding.found.replace('is used up', 'is too small')}; that is more than "
            "the quota allows at all",
            "a Pod that fits into the namespace's quota",
            "Ask for less under resources, or ask for a larger quota.",
            redo=True,
        )
    if finding:
        return finding.but(found=f"{owner}: {finding.found}")
    if "forbidden" in message:
        return wrong(
            "forbidden",
            f"{owner} was not allowed to create its children: {said}",
            "children that the cluster allows",
            "Change what the message names, or ask whoever runs the cluster.",
            redo=True,
        )
    return template_hint(owner, message) or wrong(
        "refused",
        f"{owner} could not create its children: {said}",
        "children that the API server accepts",
        "Fix what the message names in the manifest.",
        redo=True,
    )


def _never_fits(message: str) -> bool:
    """Whether a quota refuses what is asked for even when nothing else is there."""
    sides = [
        re.search(rf"{side}: (.+?)(?:, \w+: |$)", message) for side in ("requested", "limited")
    ]
    asked, limited = (dict(re.findall(r"([^=,]+)=([^,]+)", s[1])) if s else {} for s in sides)
    for resource, amount in asked.items():
        wanted, most = quantity(amount), quantity(limited.get(resource, ""))
        if wanted is not None and most is not None and wanted > most:
            return True
    return False


def template_hint(
    owner: str, message: str, pods: Sequence[Object] = (), gpu: str = "nvidia.com/gpu"
) -> Finding | None:
    """The finding for a template that the API server does not accept; None for other words.

    pods: the Pods' specs as the learner wrote them, to show the very value.
    """
    finding = None
    if "cannot unmarshal" in message or "cannot be read" in message:
        found = (odd_list(pod) or _odd_words(pod) for pod in pods)
        finding = next((each for each in found if each), None)
    finding = finding or match(TEMPLATE, message, gpu=gpu, amounts=_odd_amounts(pods))
    return finding and finding.but(found=f"{owner}: {finding.found}")


def _odd_words(pod: Object) -> Finding | None:
    return next((f for c in containers(pod) if (f := wrong_shape(c))), None)


def odd_list(pod: Object) -> Finding | None:
    """The finding for a mapping or a text where a Pod's spec has a list of mappings."""
    for key in ("containers", "initContainers", "volumes"):
        if finding := _not_a_list_of_mappings(key, pod.get(key)):
            return finding
    for container in containers(pod):
        for key in ("env", "envFrom", "ports", "volumeMounts"):
            if finding := _not_a_list_of_mappings(key, container.get(key)):
                return finding
    return None


def _not_a_list_of_mappings(key: str, value: object) -> Finding | None:
    if value is None or (isinstance(value, list) and all(isinstance(v, dict) for v in value)):
        return None
    where, odd = key, value
    if isinstance(value, list):
        where, odd = f"an entry of {key}", next(v for v in value if not isinstance(v, dict))
    return wrong(
        "not-a-list-of-mappings",
        f"{where} is {yaml_kind(odd)}",
        f"{key} as a list; each entry begins with a hyphen and has `name: value` lines",
        f"Write each entry of `{key}` as `- name: …`.",
        redo=True,
    )


def _odd_amounts(pods: Sequence[Object]) -> str:
    """The amounts under resources that are none; "an amount" where none is known to be."""
    amounts = [
        amount
        for pod in pods
        for container in containers(pod)
        for section in ("limits", "requests")
        for amount in mapping(container, "resources", section).items()
    ]
    odd = [f"{name}: {amount}" for name, amount in amounts if quantity(amount) is None]
    return ", ".join(odd) or "an amount"


def wrong_shape(container: Object) -> Finding | None:
    """The finding for ``command`` or ``args`` that are not a list of texts."""
    for key in ("command", "args"):
        if words(container, key) is None:
            return _not_a_list(key, container.get(key))
    odd = not_text(container)
    if odd is None:
        return None
    where, value = odd
    if isinstance(value, list | dict):
        return wrong(
            "shape",
            f"{where} is {yaml_kind(value)}, wanted one text",
            "a plain list of texts",
            f'Write {where.partition("[")[0]} as in `["--max-steps", "500"]`.',
            redo=True,
        )
    shown = yaml_text(value)
    if value is None:
        return wrong(
            "empty",
            f"{where} is empty",
            "a text in each entry",
            "Write the text in quotes, or delete the entry.",
            redo=True,
        )
    if isinstance(value, bool):
        return wrong(
            "unquoted",
            f"{where} is {shown} without quotes, which YAML reads as a truth value "
            "(as it does with yes, no, on, off, y and n)",
            f'{where} in quotes: "{shown}"',
            f'Write "{shown}" with its quotes, or the word that you meant.',
            redo=True,
        )
    return wrong(
        "unquoted",
        f"{where} is {shown} without quotes, which YAML reads as {yaml_kind(value)}",
        f'{where} in quotes: "{shown}"',
        f'Write "{shown}" with its quotes.',
        redo=True,
    )


def _not_a_list(key: str, value: object) -> Finding:
    shown = yaml_text(value)
    separate = ", ".join(f'"{word}"' for word in shown.split()) if isinstance(value, str) else ""
    example = f"[{separate}]" if separate else '["--max-steps", "500"]'
    return wrong(
        "one-text" if isinstance(value, str) else "not-a-list",
        f"{key} is {yaml_kind(value)} ({one_line(shown)}), wanted a list",
        f"{key} as a list of texts, one for each word",
        f"Write `{key}: {one_line(example)}`.",
        redo=True,
    )


def yaml_kind(value: object) -> str:
    """What YAML made of a value, in words."""
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "one text"
    return "a list" if isinstance(value, list) else "a mapping" if value else "empty"


def yaml_text(value: object) -> str:
    """A value as it stood in the manifest, as far as that is known."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def spec_hint(message: str, names: str) -> Finding | None:
    """The finding for a spec that the operator refused (InvalidSpec); None for other words."""
    if "none is named" in message and not names:
        return wrong(
            "no-containers",
            "a template has no containers under its spec",
            "containers under template.spec",
            "Put `containers:` under `spec:` of the template, as in the page's example.",
            redo=True,
        )
    return match(SPEC, message, names=names)


def container_hint(
    reason: str, message: str, *, container: str, image: str, limit: str, sample: str
) -> Finding | None:
    """The finding for the reason of a container that waits or has ended; None for no fault."""
    return match(
        CONTAINER,
        f"{reason} {message}",
        said=one_line(message) or reason,
        container=container,
        image=image,
        limit=limit or "memory",
        sample=sample,
    )


def one_line(message: str) -> str:
    """A message as one line of bounded length."""
    line = re.sub(r"\s+", " ", message).strip()
    return line if len(line) <= LONGEST_MESSAGE else line[: LONGEST_MESSAGE - 1] + "…"


def edit_distance(one: str, other: str) -> int:
    """Letters to insert, delete, replace or swap with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, target in enumerate(other, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != target))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == target:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
