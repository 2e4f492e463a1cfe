"""Which kubeconfig, and what is in it: how to reach the cluster.

Of our own because importing the official client alone takes twice the time
that a whole check may take. It is read as kubectl reads it: several files
are merged, and the first that has an entry wins. Called by ``cluster`` and
``__main__``.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from validator.connect import login, proxy
from validator.connect.connection import Connection, NoCluster, parse_address
from validator.connect.kubeconfig_entry import FIX, Entry, as_text, is_scalar

__all__ = ["Connection", "NoCluster", "candidates", "connect"]

CHECKOUT = Path(__file__).resolve().parent.parent
LOCAL_CLUSTER = "lab"
INSECURE = "insecure-skip-tls-verify"


class _File(NamedTuple):
    path: Path
    values: dict[str, Any]


def candidates(given: str | None) -> list[Path]:
    """The first of --kubeconfig, $KUBECONFIG, .lab and ~/.kube/config that is set or exists.

    $KUBECONFIG may name several files, which are merged as kubectl does.
    """
    if given:
        return [Path(given)]
    return _of_environment() or [place for place in _usual_places() if _is_file(place)][:1]


def connect(kubeconfig: str | None, context: str | None, namespace: str | None) -> Connection:
    """Resolve what the command line and the environment name. Raises: NoCluster."""
    files = _load_all(candidates(kubeconfig))
    name = context or _current_context(files)
    at = _entry(files, "context", name)
    own = at.text("namespace") or "default"
    namespace = namespace or own
    connection = Connection(
        server="",
        context=name,
        namespace=namespace,
        files=os.pathsep.join(str(file.path) for file in files),
        current_namespace=own,
        flags=_flags(kubeconfig, files, context, namespace if namespace != own else ""),
        other_namespaces=_other_namespaces(files, at.text("cluster"), namespace),
        user=at.text("user"),
    )
    user = _entry(files, "user", connection.user, optional=True)
    cluster = _entry(files, "cluster", at.text("cluster"))
    return _with_login(_with_cluster(connection, cluster), user)


def _with_cluster(connection: Connection, cluster: Entry) -> Connection:
    """What the cluster's entry says: where it is, and how to know that it is the right one."""
    authority, insecure = cluster.pem("certificate-authority"), cluster.flag(INSECURE)
    server = cluster.text("server")
    if "://" not in server:
        server = f"{'https' if authority or insecure else 'http'}://{server}"
    address = parse_address(server)
    if address is None or address.scheme not in ("http", "https"):
        raise cluster.broken(f"its server {_shown(cluster.text('server'))} is not a usable URL")
    chosen, why_kubectl = proxy.of(cluster, address)
    return replace(
        connection,
        server=address.url,
        authority=authority,
        insecure=insecure,
        server_name=cluster.text("tls-server-name") or None,
        proxy=chosen,
        headers=login.basic(address.login),
        plugin_config=_plugin_config(cluster),
        by_kubectl=why_kubectl,
    )


def _plugin_config(cluster: Entry) -> Any:
    """What the cluster's entry has for credential plugins."""
    extensions = cluster.values.get("extensions")
    for item in extensions if isinstance(extensions, list) else []:
        if isinstance(item, dict) and item.get("name") == "client.authentication.k8s.io/exec":
            return item.get("extension")
    return None


def _with_login(connection: Connection, user: Entry) -> Connection:
    """What the user's entry says: who we are. kubectl logs in itself where we cannot."""
    headers = login.headers(user) or connection.headers
    connection = replace(connection, headers=headers)
    why = connection.by_kubectl or login.only_by_kubectl(user)
    if why:
        return replace(connection, by_kubectl=why)
    found, changes = login.log_in(user, connection), login.may_change(user)
    return replace(
        connection,
        token=found.token,
        certificate=found.certificate,
        key=found.key,
        expires=found.expires,
        renew=(lambda: login.log_in(user, connection, again=True)) if changes else None,
        by_kubectl=login.encrypted(found.key),
    )


def _shown(server: str) -> str:
    """A server for a message: never with the password that stands before an @."""
    return server.rpartition("@")[2].strip() or "(empty)"


# Which files


def _of_environment() -> list[Path]:
    return [Path(part) for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]


def _usual_places() -> list[Path]:
    places = [_of_lab(CHECKOUT / ".lab")]
    try:
        return [*places, Path.home() / ".kube" / "config"]
    except RuntimeError:  # a user without a home
        return places


def _of_lab(lab: Path) -> Path:
    """The cluster that the workshop uses: a remembered one of the learner's, else the local one."""
    try:
        return Path(json.loads((lab / "own-cluster.json").read_text())["kubeconfig"])
    except (OSError, ValueError, KeyError, TypeError):
        return lab / "clusters" / LOCAL_CLUSTER / "kubeconfig"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _flags(
    given: str | None, files: list[_File], context: str | None, namespace: str
) -> tuple[str, ...]:
    """What kubectl has to be told: it does not look into .lab."""
    found_in_lab = not _of_environment() and files[0].path == _usual_places()[0]
    kubeconfig = given or (os.path.relpath(files[0].path) if found_in_lab else "")
    flags = {"kubeconfig": kubeconfig, "context": context, "namespace": namespace}
    return tuple(f"--{flag}={value}" for flag, value in flags.items() if value)


# What is in them


def _load_all(paths: list[Path]) -> list[_File]:
    """The files that exist. Raises: NoCluster if there is none, or one cannot be read."""
    texts = [(path, text) for path in paths if (text := _read(path)) is not None]
    if texts:
        return [_File(path, _parse(path, text)) for path, text in texts]
    where = ", ".join(map(str, paths)) or "--kubeconfig, $KUBECONFIG, .lab or ~/.kube/config"
    raise NoCluster(
        f"no kubeconfig at {where}",
        "`make lab` starts the workshop's cluster; or name yours with --kubeconfig FILE",
    )


def _read(path: Path) -> str | None:
    """The text of a file; None if it does not exist. Raises: NoCluster."""
    try:
        return path.read_text("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError:
        raise _broken(path, "is a folder, not a file") from None
    except UnicodeDecodeError:
        raise _broken(path, "is not a text file") from None
    except (OSError, ValueError) as error:
        raise _broken(path, getattr(error, "strerror", None) or "is not a file name") from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    """JSON if it is JSON, for yaml takes longer to import than the whole file to read."""
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        loaded = _parse_yaml(path, text)
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise _broken(path, "is not a kubeconfig")
    return loaded


def _parse_yaml(path: Path, text: str) -> object:
    import yaml

    try:
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except Exception:  # not only YAMLError: a bad date or number raises what Python raises
        raise _broken(path, "is not YAML") from None


def _broken(path: Path, why: str) -> NoCluster:
    return NoCluster(f"kubeconfig {path} {why}", FIX)


def _current_context(files: list[_File]) -> str:
    for file in files:
        name = file.values.get("current-context")
        if is_scalar(name) and as_text(name):
            return as_text(name)
    return ""


def _entry(files: list[_File], kind: str, name: str, optional: bool = False) -> Entry:
    """The entry of this name in the first file that has it. Raises: NoCluster."""
    for path, entry_name, entry in _entries(files, kind):
        if name and entry_name == name:
            where = f"{path}, {kind} {name}"
            if entry is not None and not isinstance(entry, dict):
                raise Entry({}, path.parent, where).broken(f"{kind} is not a mapping")
            return Entry(entry or {}, path.parent, where)
    where = ", ".join(str(file.path) for file in files)
    if optional:
        return Entry({}, files[0].path.parent, where)
    none = "no current context" if kind == "context" else f"the context names no {kind}"
    what = f"no {kind} named {name}" if name else none
    raise Entry({}, Path(), where).broken(what)


def _entries(files: list[_File], kind: str) -> list[tuple[Path, str, Any]]:
    """(file, name, what is under ``kind``) of all contexts, clusters or users."""
    found = []
    for path, values in files:
        listed = values.get(f"{kind}s")
        if not isinstance(listed, list | None):
            raise _broken(path, f"is broken: {kind}s is not a list")
        for item in listed or []:
            if isinstance(item, dict) and is_scalar(item.get("name")):
                found.append((path, as_text(item.get("name")), item.get(kind)))
    return found


def _other_namespaces(files: list[_File], cluster: str, used: str) -> tuple[str, ...]:
    """The namespaces that contexts of this cluster name, and default."""
    contexts = [entry for _, _, entry in _entries(files, "context") if isinstance(entry, dict)]
    here = [entry for entry in contexts if as_text(entry.get("cluster")) == cluster]
    names = {as_text(e["namespace"]) for e in here if isinstance(e.get("namespace"), str)}
    return tuple(sorted((names | {"default"}) - {used, ""}))
