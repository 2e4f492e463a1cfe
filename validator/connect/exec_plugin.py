"""Credential plugins (client.authentication.k8s.io), as clouds install them.

A plugin is asked once in a process, until its answer expires.
Source: Kubernetes, Authenticating, client-go credential plugins.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

from validator.connect.connection import Connection, Login, NoCluster
from validator.connect.kubeconfig_entry import Entry, as_text, is_scalar

API_GROUP = "client.authentication.k8s.io"
# Without a terminal there is nobody to wait for.
TIMEOUT_SECONDS = 60.0
# A login that expires while the request is on its way is of no use.
MARGIN_SECONDS = 10.0

_answers: dict[str, Login] = {}


def log_in(user: Entry, connection: Connection, again: bool) -> Login:
    """Ask the user's plugin, or remember what it said. Raises: NoCluster."""
    plugin = Entry(user.mapping("exec"), user.folder, f"{user.where}, exec")
    command, environment = _command(plugin), _environment(plugin)
    info = json.dumps(_request(plugin, connection))
    asked = json.dumps([command, environment, info])
    known = _answers.get(asked)
    if known and not again and not has_expired(known.expires):
        return known
    output = _run(plugin, command, {**environment, "KUBERNETES_EXEC_INFO": info})
    _answers[asked] = _login(plugin, output)
    return _answers[asked]


def has_expired(expires: float | None) -> bool:
    return expires is not None and time.time() >= expires


def _command(plugin: Entry) -> list[str]:
    command = plugin.text("command")
    if not command:
        raise plugin.broken("it has no command")
    if "/" in command:
        command = str(plugin.folder.absolute() / command)
    return [command, *plugin.texts("args")]


def _environment(plugin: Entry) -> dict[str, str]:
    """What the kubeconfig adds to the environment."""
    items = plugin.values.get("env")
    if not isinstance(items, list | None):
        raise plugin.broken("env is not a list")
    added = {}
    for item in items or []:
        if not isinstance(item, dict) or not item.get("name") or not is_scalar(item["name"]):
            raise plugin.broken("env has an entry without a name")
        entry = Entry(item, plugin.folder, plugin.where)
        added[as_text(item["name"])] = entry.text("value")
    return added


def _request(plugin: Entry, connection: Connection) -> dict[str, Any]:
    """What the plugin is told: the version, whether somebody can answer it, and the cluster."""
    spec: dict[str, Any] = {"interactive": _interactive(plugin)}
    if plugin.flag("provideClusterInfo"):
        spec["cluster"] = _cluster(connection)
    version = plugin.text("apiVersion") or f"{API_GROUP}/v1"
    return {"apiVersion": version, "kind": "ExecCredential", "spec": spec}


def _cluster(connection: Connection) -> dict[str, Any]:
    authority = base64.b64encode(connection.authority or b"").decode()
    told = {
        "server": connection.server,
        "tls-server-name": connection.server_name,
        "insecure-skip-tls-verify": connection.insecure,
        "certificate-authority-data": authority,
        "proxy-url": connection.proxy,
        "config": connection.plugin_config,
    }
    return {key: value for key, value in told.items() if value}


def _interactive(plugin: Entry) -> bool:
    """Whether the plugin may ask questions: a terminal is there, and it wants to."""
    mode = plugin.text("interactiveMode") or "IfAvailable"
    terminal = bool(sys.stdin) and sys.stdin.isatty()
    if mode == "Always" and not terminal:
        raise plugin.broken("its login needs a terminal", "run this in a terminal")
    return terminal and mode != "Never"


def _run(plugin: Entry, command: list[str], environment: dict[str, str]) -> bytes:
    """Its output; what it says on stderr (a code to type in, a reason) is shown as it comes."""
    interactive = _interactive(plugin)
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **environment},
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=None if interactive else TIMEOUT_SECONDS,
        )
    except FileNotFoundError:
        raise _missing(plugin) from None
    except subprocess.TimeoutExpired:
        raise _failed(plugin, f"did not answer within {TIMEOUT_SECONDS:.0f} seconds") from None
    except (OSError, ValueError) as error:
        raise _failed(plugin, getattr(error, "strerror", None) or "cannot be started") from None
    if done.returncode:
        raise _failed(plugin, f"failed (exit code {done.returncode})")
    return done.stdout


def _login(plugin: Entry, output: bytes) -> Login:
    """What the plugin printed, as a login. Raises: NoCluster; the output is never shown."""
    try:
        status = json.loads(output)["status"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _failed(plugin, "printed no login that kubectl understands") from None
    status = status if isinstance(status, dict) else {}
    parts = (status.get(key) for key in ("token", "clientCertificateData", "clientKeyData"))
    token, certificate, key = (part if isinstance(part, str) else "" for part in parts)
    if not token and not (certificate and key):
        raise _failed(plugin, "printed neither a token nor a certificate with its key")
    return Login(
        token or None,
        certificate.encode() if key and certificate else None,
        key.encode() if key and certificate else None,
        _expires(status.get("expirationTimestamp")),
    )


def _expires(stamp: object) -> float | None:
    """A time in seconds since 1970, a little early; None: as long as the process lives."""
    try:
        when = datetime.fromisoformat(str(stamp))
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - MARGIN_SECONDS


def _missing(plugin: Entry) -> NoCluster:
    hint = " ".join(plugin.text("installHint").split())
    return NoCluster(
        f"the login program {plugin.text('command')} that the kubeconfig names is not installed",
        hint or f"install {plugin.text('command')}, so that `kubectl get pods` works",
    )


def _failed(plugin: Entry, why: str) -> NoCluster:
    return NoCluster(
        f"the login program {plugin.text('command')} that the kubeconfig names {why}",
        "log in to your cloud again, so that `kubectl get pods` works",
    )
