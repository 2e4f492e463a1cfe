"""Who we are to the API server: what a kubeconfig's user entry says."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote, unquote

from validator.connect.connection import Connection, Login
from validator.connect.kubeconfig_entry import Entry, as_text, is_scalar

Headers = tuple[tuple[str, str], ...]

_UNUSABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# What a header's name may hold, beside letters and digits (RFC 7230, token).
_NAME_CHARACTERS = "!#$&'*+-.^_`|~"


def only_by_kubectl(user: Entry) -> str:
    """Why only kubectl can log this user in, or ""."""
    return "its user has an auth-provider" if user.values.get("auth-provider") else ""


def may_change(user: Entry) -> bool:
    """Whether logging in again may give something new: a plugin's login or a token's file."""
    return bool(user.values.get("exec") or user.values.get("tokenFile"))


def encrypted(key: bytes | None) -> str:
    """Why only kubectl can use this key, or ""."""
    return "its client key is encrypted" if key and b"ENCRYPTED" in key else ""


def log_in(user: Entry, connection: Connection, again: bool = False) -> Login:
    """Read the token, the certificate and the key, or ask the plugin. Raises: NoCluster.

    ``again``: the plugin's last answer was refused or has expired.
    """
    token = _checked(user, "token", _token(user))
    certificate, key = user.pem("client-certificate"), user.pem("client-key")
    if certificate and not key:
        raise user.broken("it has a client-certificate, but no client-key")
    if token or not user.mapping("exec"):
        return Login(token or None, certificate, key if certificate else None)
    from validator.connect import exec_plugin

    found = exec_plugin.log_in(user, connection, again)
    _checked(user, "the login program's token", found.token or "")
    pair = (found.certificate, found.key) if found.certificate else (certificate, key)
    return Login(found.token, *pair, found.expires)


def _token(user: Entry) -> str:
    """The token: that of the file, which may be renewed, before that of the kubeconfig."""
    written = user.file("tokenFile")
    if written is None:
        return user.text("token")
    return written.decode("utf-8", "replace").strip()


def _checked(user: Entry, what: str, value: str) -> str:
    """A value for a header: one line. Raises: NoCluster; the value is never shown."""
    if _UNUSABLE.search(value):
        raise user.broken(f"{what} has a line break or a control character in it")
    return value


def basic(login: str) -> Headers:
    """The header for ``user:password``, as it stands in a URL."""
    if not login:
        return ()
    encoded = base64.b64encode(unquote(login).encode()).decode()
    return (("Authorization", f"Basic {encoded}"),)


def headers(user: Entry) -> Headers:
    """Password and impersonation, for every request. Raises: NoCluster."""
    name = user.text("username")
    found = list(basic(quote(f"{name}:{user.text('password')}")) if name else ())
    found += [("Impersonate-User", user.text("as")), ("Impersonate-Uid", user.text("as-uid"))]
    found += [("Impersonate-Group", group) for group in user.texts("as-groups")]
    found += [(f"Impersonate-Extra-{key}", value) for key, value in _extra(user)]
    found = [(key, _checked(user, key, value)) for key, value in found if value]
    if any(key.startswith("Impersonate-") for key, _ in found) and not user.text("as"):
        raise user.broken("it has as-uid, as-groups or as-user-extra, but no `as`")
    return tuple(found)


def _extra(user: Entry) -> list[tuple[str, str]]:
    extra = Entry(user.mapping("as-user-extra"), user.folder, user.where)
    names = {key: quote(as_text(key), safe=_NAME_CHARACTERS) for key in extra.values}
    return [(names[key], v) for key in extra.values if is_scalar(key) for v in extra.texts(key)]
