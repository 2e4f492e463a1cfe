"""Redaction: takes out of a snapshot what a grader has no business to read.

Called before a snapshot is written to a file. Secrets' data is never in one to
begin with; this is about what people put elsewhere.
"""

from __future__ import annotations

import re
from typing import Any

REDACTED = "REDACTED"
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?|secret|token|api_?key|access_?key|private_?key|credential|auth",
    re.IGNORECASE,
)
# name=value or name: value, wherever it stands in an argument or a log line.
_ASSIGNMENT = re.compile(
    r"(?i)\b([\w.-]*(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|credential)[\w.-]*"
    r"\s*[=:]\s*)(\S+)"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
_COPIES = ("kubectl.kubernetes.io/last-applied-configuration",)


def redact(node: Any) -> Any:
    """A copy of a snapshot, or any part of it, without what looks like a secret."""
    if isinstance(node, dict):
        return {key: _value(key, value, node) for key, value in node.items() if key not in _COPIES}
    if isinstance(node, list):
        return [_after_option(node, i, redact(value)) for i, value in enumerate(node)]
    return _scrub(node) if isinstance(node, str) else node


def _value(key: str, value: Any, parent: dict[str, Any]) -> Any:
    """``value`` of an environment variable is judged by its ``name``."""
    name = parent.get("name")
    if key == "value" and isinstance(name, str) and _SECRET_NAME.search(name):
        return REDACTED
    return redact(value)


def _after_option(words: list[Any], position: int, value: Any) -> Any:
    """``--password hunter2`` as two words of a command line."""
    before = words[position - 1] if position else None
    if not (isinstance(before, str) and before.startswith("-") and isinstance(value, str)):
        return value
    return REDACTED if _SECRET_NAME.search(before) and "=" not in before else value


def _scrub(words: str) -> str:
    return _BEARER.sub(rf"\1 {REDACTED}", _ASSIGNMENT.sub(rf"\1{REDACTED}", words))
