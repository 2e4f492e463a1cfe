"""Redaction: takes out of a snapshot what looks like a secret, wherever it stands.

Called before a snapshot is written to a file, after ``whitelist`` has dropped
what no check reads. Secrets' data is never in one to begin with; this is about
what people put elsewhere. ``credentials`` knows what a secret looks like. Here
are the places: keys and values of maps, words of command lines, JSON within
texts, and texts that are encoded.
"""

from __future__ import annotations

import base64
import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from validator.handin.credential_shapes import REDACTED
from validator.handin.credentials import is_credential, scrub, takes_credential

# In these sections a key is the name of a Pod or a server, and not of what stands behind it.
_BY_NAME = ("logs", "answers", "missing")
_COPIES = ("kubectl.kubernetes.io/last-applied-configuration",)
# Nothing that Kubernetes stores goes so deep. A text within a text counts for several levels.
_MOST_LEVELS = 60
_LEVELS_OF_A_TEXT = 10
# Of a command line, so many words are looked at to see what a word is for.
_WORDS_BEFORE = 24
# After so many characters in which JSON seemed to begin, and did not, it is looked for no more.
_MOST_READ_IN_VAIN = 10_000_000

# No credential is recognised in so short a word.
_NOTHING_IN_IT = re.compile(r"[\w./-]{0,15}")
_SHORT = 500
_BASE64 = re.compile(r"(?<![\w+/-])[\w+/-]{16,}={0,2}(?![\w+/=-])")
_PERCENT = re.compile(r"(?<![^\s\"'<>])[^\s\"'<>%]*%[0-9A-Fa-f]{2}[^\s\"'<>]*")
_ADDRESS = re.compile(r"[a-z0-9][a-z0-9.-]*(?::\d{1,5})?")
_BRACKETS = re.compile(r"[{\[]+|\"")


def redact(data: Any) -> Any:
    """A copy of a snapshot, or any part of it, without what looks like a secret."""
    if not isinstance(data, dict):
        return _walk(data, _MOST_LEVELS)
    named = {
        section: {_text(name): _walk(value, _MOST_LEVELS) for name, value in data[section].items()}
        for section in _BY_NAME
        if isinstance(data.get(section), dict)
    }
    rest = {key: value for key, value in data.items() if key not in named}
    return {**_walk(rest, _MOST_LEVELS), **named}


def redact_text(text: str) -> str:
    """A text without what looks like a secret: flat text, JSON, or either of them encoded."""
    return _text(text)


def _walk(node: Any, levels: int) -> Any:
    if isinstance(node, str):
        return _text(node, levels)
    if isinstance(node, dict | list) and levels <= 0:
        return REDACTED
    if isinstance(node, dict):
        return _mapping(node, levels - 1)
    return _words(node, levels - 1) if isinstance(node, list) else node


def _mapping(node: dict[str, Any], levels: int) -> dict[str, Any]:
    line = _command_line(node, levels)
    named = {key.lower(): value for key, value in node.items() if isinstance(value, str)}
    of_pair = any(is_credential(named.get(key, "")) for key in ("name", "key"))
    clean = {}
    for key, value in node.items():
        if key in _COPIES:
            continue
        if is_credential(key) or (of_pair and key.lower() == "value"):
            clean[_text(key, levels)] = _blank(value, levels)
        elif key == "value" and _names_addresses(node):
            clean[key] = value
        else:
            clean[_text(key, levels)] = line[key] if key in line else _walk(value, levels)
    return clean


def _command_line(node: dict[str, Any], levels: int) -> dict[str, Any]:
    """A container's command and args: an option in one may have its value in the other."""
    command, args = node.get("command"), node.get("args")
    if not (isinstance(command, list) and isinstance(args, list)):
        return {}
    both = _words(command + args, levels)
    return {"command": both[: len(command)], "args": both[len(command) :]}


def _names_addresses(variable: dict[str, Any]) -> bool:
    """A TF_CONFIG that holds addresses alone, whatever the names of their hosts look like."""
    value = variable.get("value")
    if variable.get("name") != "TF_CONFIG" or not isinstance(value, str):
        return False
    config = _parsed(value)
    return isinstance(config, dict) and all(map(_ADDRESS.fullmatch, _strings(config, 5)))


def _strings(node: Any, levels: int) -> list[str]:
    if isinstance(node, str) or levels <= 0:
        return [str(node)]
    if isinstance(node, dict):
        node = [*node, *node.values()]
    return (
        [text for each in node for text in _strings(each, levels - 1)]
        if isinstance(node, list)
        else []
    )


def _words(node: list[Any], levels: int) -> list[Any]:
    clean = []
    for position, value in enumerate(node):
        before = node[position - 1] if position else None
        if isinstance(before, str) and not isinstance(value, dict | list):
            words = node[max(0, position - _WORDS_BEFORE) : position]
            given = takes_credential([w for w in words if isinstance(w, str)], str(value))
            clean.append(_blank(value, levels) if given else _walk(value, levels))
        else:
            clean.append(_walk(value, levels))
    return clean


def _blank(value: Any, levels: int) -> Any:
    """A value of the same kind that tells nothing."""
    if isinstance(value, dict) and levels > 0:
        return {_text(key, levels): _blank(each, levels - 1) for key, each in value.items()}
    if isinstance(value, list) and levels > 0:
        return [_blank(each, levels - 1) for each in value]
    if value is None or isinstance(value, bool) or value == "":
        return value
    return 0 if isinstance(value, int | float) else REDACTED


def _text(text: str, levels: int = _MOST_LEVELS) -> str:
    """As most texts are short, and many occur often, these are remembered."""
    if _NOTHING_IN_IT.fullmatch(text):
        return text
    if levels <= 0:
        return REDACTED
    return _short_text(text, levels) if len(text) <= _SHORT else _any_text(text, levels)


def _any_text(text: str, levels: int) -> str:
    inner = levels - _LEVELS_OF_A_TEXT
    parsed = _parsed(text)
    if isinstance(parsed, dict | list | str):
        clean = _walk(parsed, inner)
        return text if clean == parsed else json.dumps(clean)
    text = scrub(_embedded(text, inner))
    text = _PERCENT.sub(lambda m: _unless_clean(m[0], unquote(m[0]), inner), text)
    return _BASE64.sub(lambda m: _unless_clean(m[0], _decoded(m[0]), inner), text)


_short_text = lru_cache(maxsize=20_000)(_any_text)


def _parsed(text: str) -> Any:
    """The JSON that a text is; None if it is none, or hides something behind equal keys."""
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return None
    try:
        return json.loads(text, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError):
        return None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("two equal keys")
    return dict(pairs)


_DECODER = json.JSONDecoder(object_pairs_hook=_without_doubles)


def _embedded(text: str, levels: int) -> str:
    """The text with the JSON in it redacted as JSON: maps, lists, and strings with escapes."""
    parts, position, budget = list[str](), 0, _MOST_READ_IN_VAIN
    while budget > 0 and (match := _BRACKETS.search(text, position)):
        # Where many brackets open, the outermost is tried, then the innermost.
        for start in (match.start(), match.end() - 1):
            end, parsed, cost = _json_at(text, start)
            budget -= cost
            if end > start:
                break
        clean = _walk(parsed, levels)
        same = end <= start or clean == parsed
        parts += [
            text[position:start],
            text[start : max(end, start + 1)] if same else json.dumps(clean),
        ]
        position = max(end, start + 1)
    return "".join([*parts, text[position:]])


def _json_at(text: str, start: int) -> tuple[int, Any, int]:
    """(where the JSON that begins here ends, or ``start``; the JSON; characters read in vain)"""
    try:
        parsed, end = _DECODER.raw_decode(text, start)
    except RecursionError:
        return start, None, _MOST_READ_IN_VAIN // 100
    except json.JSONDecodeError as error:
        endless = error.msg.startswith("Unterminated")
        return start, None, (len(text) if endless else error.pos) - start
    except ValueError:
        return start, None, 0
    # Any two quotes make a string, and perhaps the wrong two.
    found = not isinstance(parsed, str) or "\\" in text[start:end]
    return (end, parsed, 0) if found else (start, None, 0)


def _unless_clean(written: str, decoded: str, levels: int) -> str:
    clean = decoded == written or _text(decoded, levels) == decoded
    return written if clean else REDACTED


def _decoded(word: str) -> str:
    """The text of which a word is the base64; "" if it is none."""
    plain = word.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        text = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
    except ValueError:
        return ""
    return text if all(c.isprintable() or c.isspace() for c in text) else ""
