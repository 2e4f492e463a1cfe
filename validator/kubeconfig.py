"""Which kubeconfig, and what is in it: how to reach the cluster.

Of our own because importing the official client alone takes twice the time
that a whole check may take. Called by ``cluster`` and ``__main__``.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
LOCAL_CLUSTER = "lab"


class NoCluster(Exception):
    """There is no way to reach a cluster; ``next_step`` says what to do about it."""

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.next_step = next_step


@dataclass(frozen=True)
class Connection:
    """One context of a kubeconfig, resolved. Certificates and keys are PEM."""

    server: str
    context: str
    namespace: str
    files: str
    authority: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = None
    token: str | None = None
    insecure: bool = False
    server_name: str | None = None


def candidates(given: str | None) -> list[Path]:
    """The first of --kubeconfig, $KUBECONFIG, .lab and ~/.kube/config that is set or exists.

    $KUBECONFIG may name several files, which are merged as kubectl does.
    """
    if given:
        return [Path(given)]
    named = [Path(part) for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    if named:
        return named
    places = [_of_lab(CHECKOUT / ".lab"), Path.home() / ".kube" / "config"]
    return [place for place in places if place.is_file()][:1]


def connect(kubeconfig: str | None, context: str | None, namespace: str | None) -> Connection:
    """Resolve what the command line and the environment name. Raises: NoCluster."""
    files = [path for path in candidates(kubeconfig) if path.is_file()]
    if not files:
        raise _none(candidates(kubeconfig))
    configs = [(path, _load(path)) for path in files]
    name = context or next((c["current-context"] for _, c in configs if _current(c)), "")
    entry, _ = _entry(configs, "contexts", "context", name)
    cluster, home = _entry(configs, "clusters", "cluster", str(entry.get("cluster", "")))
    user, user_home = _entry(configs, "users", "user", str(entry.get("user", "")), optional=True)
    token, certificate, key = _credentials(user, user_home)
    return Connection(
        server=str(cluster.get("server", "")),
        context=name,
        namespace=namespace or str(entry.get("namespace") or "default"),
        files=os.pathsep.join(map(str, files)),
        authority=_pem(cluster, "certificate-authority", home),
        certificate=certificate,
        key=key,
        token=token,
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        server_name=cluster.get("tls-server-name"),
    )


def _of_lab(lab: Path) -> Path:
    """The cluster that the workshop uses: a remembered one of the learner's, else the local one."""
    try:
        return Path(json.loads((lab / "own-cluster.json").read_text())["kubeconfig"])
    except (OSError, ValueError, KeyError, TypeError):
        return lab / "clusters" / LOCAL_CLUSTER / "kubeconfig"


def _none(looked_at: list[Path]) -> NoCluster:
    where = ", ".join(map(str, looked_at)) or "--kubeconfig, $KUBECONFIG, .lab or ~/.kube/config"
    return NoCluster(
        f"no kubeconfig at {where}",
        "`make lab` starts the workshop's cluster; or name yours with --kubeconfig FILE",
    )


def _load(path: Path) -> dict[str, Any]:
    import yaml

    try:
        loaded = yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as error:
        raise _broken(path, error.strerror or "unreadable") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise _broken(path, "not YAML") from None
    if not isinstance(loaded, dict):
        raise _broken(path, "not a kubeconfig")
    return loaded


def _broken(path: Path | str, why: str) -> NoCluster:
    return NoCluster(
        f"kubeconfig {path}: {why}", "correct it, or name another with --kubeconfig FILE"
    )


def _current(config: dict[str, Any]) -> bool:
    return isinstance(config.get("current-context"), str) and bool(config["current-context"])


def _entry(
    configs: list[tuple[Path, dict[str, Any]]],
    section: str,
    key: str,
    name: str,
    optional: bool = False,
) -> tuple[dict[str, Any], Path]:
    """The named entry of the first file that has it, and that file's folder."""
    for path, config in configs:
        for item in config.get(section) or []:
            if isinstance(item, dict) and item.get("name") == name:
                found = item.get(key)
                return (found if isinstance(found, dict) else {}), path.parent
    if optional:
        return {}, Path()
    what = f"no {key} named {name}" if name else "no current context"
    raise _broken(", ".join(str(path) for path, _ in configs), what)


def _pem(section: dict[str, Any], key: str, home: Path) -> bytes | None:
    """The PEM under ``key-data`` in base64, or in the file that ``key`` names."""
    try:
        if section.get(f"{key}-data"):
            return base64.b64decode(str(section[f"{key}-data"]), validate=False)
        return (home / str(section[key])).read_bytes() if section.get(key) else None
    except (OSError, binascii.Error) as error:
        raise NoCluster(
            f"{key} of the kubeconfig cannot be read: {error}",
            "correct the kubeconfig, or name another with --kubeconfig FILE",
        ) from None


def _credentials(user: dict[str, Any], home: Path) -> tuple[str | None, bytes | None, bytes | None]:
    """(token, certificate, key) of a user, of whichever kind the kubeconfig has."""
    if isinstance(user.get("exec"), dict):
        return _from_plugin(user["exec"])
    token = user.get("token")
    if user.get("tokenFile"):
        try:
            token = (home / str(user["tokenFile"])).read_text().strip()
        except OSError as error:
            raise NoCluster(f"the token file cannot be read: {error}", "log in again") from None
    return token, _pem(user, "client-certificate", home), _pem(user, "client-key", home)


def _from_plugin(plugin: dict[str, Any]) -> tuple[str | None, bytes | None, bytes | None]:
    """Ask a credential plugin (client.authentication.k8s.io), as clouds install them."""
    version = str(plugin.get("apiVersion", "client.authentication.k8s.io/v1"))
    request = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
    extra = {str(e["name"]): str(e["value"]) for e in plugin.get("env") or []}
    environment = {**os.environ, **extra, "KUBERNETES_EXEC_INFO": json.dumps(request)}
    command = [str(plugin.get("command", "")), *map(str, plugin.get("args") or [])]
    try:
        answer = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        status = json.loads(answer.stdout)["status"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        raise NoCluster(
            f"the credential plugin {command[0]} of the kubeconfig failed: {error}",
            "log in to your cloud again, so that `kubectl get pods` works",
        ) from None
    pair = (status.get("clientCertificateData"), status.get("clientKeyData"))
    certificate, key = (part.encode() if isinstance(part, str) else None for part in pair)
    return status.get("token"), certificate, key
