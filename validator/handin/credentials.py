"""What looks like a credential: names such as ``db-password``, and words within any text.

Knows flat text only. ``redaction`` walks through data, and through texts within texts.
When in doubt a word is taken out: no verdict hangs on a word behind "password".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from validator.handin.credential_shapes import BY_MANNER, BY_SHAPE, PROGRAM, REDACTED, TIME

# Anywhere in a name, words joined by "-" in lower case: "db-password-2", "pgpassword".
_STRONG = re.compile(
    r"passw|passphrase|passcode|pwd|credential|secret-?key|client-?secret|key-data|"
    r"(?:api|access|account|private|storage|shared|signing|encryption|master|ssh)-?key|"
    r"conn(?:ection)?-?str"
)
# A whole word of a name: "csrf-token-2", but neither "tokenizer" nor "author".
_WORDS = (
    r"[a-z0-9]*secrets?|[a-z0-9]*tokens?|[a-z0-9]*auth|authorization|bearer|jwt|sas|pat|sig|"
    r"signature|cookies?|session-?id|dsn|webhook|(?:db|user|root|admin|my|pg|smtp|mail|redis)?pass"
)
_ANY_WORD = re.compile(rf"(?:^|-)(?:{_WORDS})(?:-|$)|.-keys?$")
_LAST_WORD = re.compile(rf"(?:^|-)(?:{_WORDS})(?:-?\d+)?$|.-keys?$")
_BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")


@lru_cache(maxsize=4096)
def is_credential(name: str) -> bool:
    """Whether something of this name is a credential: a map's key, a variable, an option."""
    words = _words(name)
    return bool(_STRONG.search(words) or _ANY_WORD.search(words))


@lru_cache(maxsize=4096)
def ends_as_credential(name: str) -> bool:
    """Whether a name before a colon is a credential's: no host or image such as "secret-a:80"."""
    words = _words(name)
    return bool(_STRONG.search(words) or _LAST_WORD.search(words))


def takes_credential(words: Sequence[str], value: str) -> bool:
    """Whether the next word of this command line is a credential: ``--password x``, ``mysql -p x``.

    words: what stands before it, from the program's name on.
    """
    last = words[-1] if words else ""
    if re.fullmatch(r"--[a-z][a-z0-9_-]*(?:=.*)?", value, re.DOTALL):
        return False
    if last in ("-u", "--user", "--proxy-user") and ":" in value:
        return True
    program = any(PROGRAM.search(word) for word in words)
    if program and (last in ("-p", "-a", "-w") or re.match(r"-p[^=\s]", value)):
        return True
    if last.startswith("-"):
        return "=" not in last and (last.strip("-") == "key" or is_credential(last))
    return bool(re.fullmatch(r"[\w.-]+", last)) and ends_as_credential(last)


def scrub(text: str) -> str:
    """A text without the words in it that look like credentials; each line keeps its time."""
    for pattern, instead in BY_SHAPE:
        text = pattern.sub(instead, text)
    text = _assignments(text)
    for pattern, instead in BY_MANNER:
        text = pattern.sub(instead, text)
    return text


def _words(name: str) -> str:
    return _BETWEEN_WORDS.sub("-", name).strip("-").lower()


# Name and value: ``name=value``, ``"name": "value"``, ``--name value``, ``name is value``.

_NAMED = re.compile(
    r"""
    (?<![\w.-])
    (?= [\w.-]{0,99}? (?i:pass|pwd|cred|secret|token|key|conn|auth|bearer|jwt|sas|pat|sig|cookie
                        |session|dsn|webhook|name|value)
      | (?i:api|access|account|private|storage|shared)[ ] )
    (?P<name> (?<!non-existent[ ]) (?i:api|access|account|private|storage|shared|secret)[ ](?i:key)
            | (?i:connection[ ]string)
            | [\w.-]{1,100} )
    (?P<close> (?: \\*["'`] | &quot; | &\#3[49]; | \\*\] )*)
    (?P<sep> [ \t]* (?: => | -> | := | ==? | : ) [ \t]* | [ \t]+ (?:is|was) [ \t]+ | [ \t]+ )
    """,
    re.VERBOSE,
)
_VALUE = re.compile(
    rf"""
    (?P<quote> "{{3}} | '{{3}} | \\*["'`] | &quot; )
        [^\n]*? (?: (?<!\\)(?P<end>(?P=quote)) [^\s,;:)}}\]&<>\\|"'`]* | (?= \n | \Z))
    | (?P<before> [ \t]*\n (?:{TIME}[ ])? [ \t]* ) \S+ [ \t]* (?= \n | \Z)  # on the next line
    | [|>][-+]?[ \t]*\n (?: (?:{TIME}[ ])? [ \t]+ [^\n]* (?P<after>\n|\Z) )+  # a block of YAML
    | [\[{{(] [^\n]*                                                           # a list, a mapping
    | \S+
    """,
    re.VERBOSE,
)
# What follows a colon in a sentence, and is no credential.
_SENTENCE = re.compile(
    r"(?:not|no|none|null|nil|true|false|invalid|unexpected|expected|failed|failure|cannot|could|"
    r"couldn't|the|an?|is|are|was|must|should|missing|unknown|required|expired|denied|forbidden|"
    r"unable|error|permission|secrets?|serviceaccounts?|configmaps?)(?=[\s.,;:]|$)"
    r"|(?:Get|Head|Post|Put|Patch|Delete) \\*\"?https?:"
)
_NOTHING = ("", "null", "true", "false", "None", "True", "False")
_COUNT = re.compile(r"\d{1,9}\b(?![\w.])")
_COUNTED = re.compile(r"(?:tokens|secrets)(?:-|$)")


def _assignments(text: str) -> str:
    """Values behind names of credentials; one scan from left to right."""
    parts, position, pair = list[str](), 0, False
    while match := _NAMED.search(text, position):
        parts.append(text[position : match.end()])
        position = match.end()
        value = _VALUE.match(text, position)
        if not value:
            continue
        bare = value[0].strip("\\\"'`,; \t\n")
        word, separated = match["name"].lower(), bool(match["sep"].strip())
        if word in ("name", "key") and separated:
            pair = is_credential(bare)
        of_pair = pair and word == "value" and separated
        if bare not in _NOTHING and (of_pair or _is_given(match, value)):
            parts.append(_instead(value))
            position, pair = value.end(), False
    return "".join([*parts, text[position:]])


def _is_given(match: re.Match[str], value: re.Match[str]) -> bool:
    """Whether this name is a credential's, and what follows is its value."""
    name, separator, quoted = match["name"], match["sep"].strip(), bool(match["close"])
    first, text, start = value[0][0], value.string, value.start()
    if _COUNT.match(text, start) and _COUNTED.search(_words(name)):
        return False
    if separator in ("is", "was", ":"):
        spaced = match["sep"][0] != ":"
        prose = _SENTENCE.match(text, start) or (quoted and spaced and first not in "\"'`\\")
        return not prose and ends_as_credential(name)
    credential = is_credential(name) or name.lstrip("-").lower() == "key"
    if separator:
        return credential
    return credential and name.startswith("-") and not quoted and first not in "-\n"


def _instead(value: re.Match[str]) -> str:
    """The mark, in the quotes of the value, or on its line."""
    quote, end = value["quote"] or value["before"] or "", value["end"] or value["after"] or ""
    return f"{quote}{REDACTED}{end}"
