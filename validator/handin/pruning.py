"""Pruning: applies the rules of ``kept_fields`` to one object; pure.

Of a value that is not of the kind that a rule expects, its own kind is kept: a
check may say that something is a text where a list was wanted.
"""

from __future__ import annotations

import json
import re
from typing import Any

from validator.handin.credential_shapes import REDACTED
from validator.handin.kept_fields import (
    BARE,
    EVERY_OTHER,
    KEPT,
    KEPT_LABELS,
    LABELS,
    METADATA,
    OTHER,
    PLAIN,
    POD,
    POD_SPEC,
    SERVER,
    SERVER_SPEC,
    WHOLE,
    Field,
)
from validator.redaction import redact
from validator.snapshot import Object, listed, text
from validator.tfjobs import command_line, main_container

# Of variables, the names are kept, and these values: what a check reads, what leads to code in a
# volume, what a word of the command line is replaced by, what could be printed as a log.
VALUES = re.compile(
    r"TF_CONFIG|LD_(?:LIBRARY_PATH|PRELOAD|AUDIT)|PYTHON[A-Z]+|PATH|BASH_ENV|ENV|"
    r"TF_PLUGGABLE_DEVICE_LIBRARY_PATH|pycache_prefix|MODEL_(?:NAME|BASE_PATH)|HUB_VALUES"
)
WORDS_OF_A_LOG = re.compile(r"loss|accuracy|of the cluster|took|saved model")
ADDRESSES = ("cluster", "task", "environment")


def pruned(item: Object, kind: str, named: frozenset[str]) -> Object:
    """What is kept of an object of this kind; ``named``: labels that own selectors name."""
    rule = {"kind": PLAIN, "metadata": METADATA, **KEPT[kind]} if kind in KEPT else BARE
    found: Object = kept(item, rule, named)
    return found


def kept(node: Any, field: Field, named: frozenset[str] = frozenset()) -> Any:
    """What a field's rule leaves of a value. Of a value of another kind: of which kind it is."""
    if field == WHOLE or not isinstance(node, dict | list | str):
        return node
    if field == PLAIN:
        return node if isinstance(node, str) else _kind_of(node)
    if isinstance(field, list):
        if not isinstance(node, list):
            return _kind_of(node)
        return [kept(item, field[0], named) for item in node if isinstance(item, dict)]
    if not isinstance(node, dict):
        return _kind_of(node)
    if field == LABELS:
        return {k: v for k, v in node.items() if k in named or KEPT_LABELS.fullmatch(k)}
    if field in (POD, SERVER):
        return _quiet(kept(node, POD_SPEC if field == POD else SERVER_SPEC, named))
    other = field.get(EVERY_OTHER)
    rules = {key: field.get(key, other) for key in node}
    found = {key: kept(node[key], rule, named) for key, rule in rules.items() if rule is not None}
    return found or (OTHER if node else {})


def _kind_of(value: Any) -> Any:
    """Whether there is something, and whether it is a text, a list or a map."""
    if not value or not isinstance(value, dict | list):
        return REDACTED if value and isinstance(value, str) else value
    return OTHER if isinstance(value, dict) else [REDACTED]


def _quiet(spec: Object) -> Object:
    """A Pod's spec: the words of the container that works alone, and no values of variables."""
    main = main_container(spec)
    for container in (*listed(spec, "containers"), *listed(spec, "initContainers")):
        works = container is main
        # Redacted, as a variable behind an option for a password is one.
        line = " ".join(redact(command_line(container))) if works else ""
        for variable in listed(container, "env"):
            if "value" in variable:
                value = variable["value"]
                variable["value"] = _value(variable, line) if works else _kind_of(value)
        for key in ("command", "args"):
            if key in container and not works:
                container[key] = _hidden(container[key])
    return spec


def _value(variable: Object, line: str) -> Any:
    name, value = text(variable, "name"), variable["value"]
    if name == "TF_CONFIG":
        return _addresses(value)
    # Without the quotes with which a shell's words may be cut into pieces.
    printed = WORDS_OF_A_LOG.search(re.sub(r"['\"\\]", "", str(value)))
    read = VALUES.fullmatch(name) or f"$({name})" in line or (line and printed)
    return value if read else _kind_of(value)


def _addresses(value: Any) -> str:
    """A TF_CONFIG as the operator writes it; whatever else somebody put there is left out."""
    try:
        config = json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return REDACTED
    if not isinstance(config, dict):
        return REDACTED
    wanted = {key: config[key] for key in ADDRESSES if key in config}
    return value if wanted == config else json.dumps(wanted)


def _hidden(words: Any) -> Any:
    """That a container has words of its own, and of which kind: YAML's numbers are a mistake."""
    if not isinstance(words, list):
        return _kind_of(words)
    if all(isinstance(word, str) for word in words):
        return [REDACTED] if words else []
    return [_kind_of(word) for word in words]
