"""One question to the API server, and its answer, as data."""

from __future__ import annotations

import json
from typing import NamedTuple

METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
MOST_MESSAGE = 300


class Ask(NamedTuple):
    """A GET. ``path`` may have a query. The body is cut at ``most_bytes``; 0: not cut."""

    path: str
    accept: str = "application/json"
    most_bytes: int = 0


class Answer(NamedTuple):
    """What came. ``status`` 0: nothing; ``message`` says why, as a part of a sentence.

    ``is_status``: the body is a Status object of the API, not what a backend wrote.
    ``retry_after``: seconds after which the server wants to be asked again.
    """

    status: int
    body: bytes = b""
    message: str = ""
    cut: bool = False
    is_status: bool = False
    retry_after: float | None = None


def answered(
    status: int, body: bytes, cut: bool = False, retry_after: float | None = None
) -> Answer:
    """An answer; a refusal's message is the API's own, else what can be told of it."""
    if 200 <= status < 300:
        return Answer(status, body, cut=cut, is_status=body.startswith(b'{"kind":"Status"'))
    message = _message_of_status(body)
    told = _foreign(status, body) if message is None else message
    return Answer(status, body, told, cut, message is not None, retry_after)


def _message_of_status(body: bytes) -> str | None:
    """The message of a Status object; None if the body is none."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parsed, dict) or parsed.get("kind") != "Status":
        return None
    message = parsed.get("message") or parsed.get("reason")
    return message if isinstance(message, str) else f"HTTP {parsed.get('code')}"


def _foreign(status: int, body: bytes) -> str:
    """For an answer that is not the API's: its status, and its words if they are plain text."""
    text = body[: MOST_MESSAGE * 4].decode("utf-8", "replace").strip()
    if not text or text.startswith(("<", "{", "[")):
        return f"HTTP {status}"
    words = "".join(c if c.isprintable() else " " for c in text)
    return f"HTTP {status}: {' '.join(words.split())[:MOST_MESSAGE]}"
