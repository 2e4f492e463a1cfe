"""Who took a snapshot, of which cluster, with which checkout; and whether a file is as it was.

What is not known is "", and stops nothing. A digest proves that a file
arrived as it was written, not that it is honest.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from validator.api import Api, Ask
from validator.connect.answer import Answer
from validator.connect.connection import Connection, NoCluster
from validator.kubeconfig import CHECKOUT
from validator.progress import digest
from validator.snapshot import at, mapping, text

# The UID of this namespace tells clusters apart: it is made once, with the cluster.
CLUSTER = "/api/v1/namespaces/kube-system"
VERSION = "/version"
TIMEOUT_SECONDS = 10


def identify(connection: Connection, data: dict[str, Any], name: str = "") -> dict[str, str]:
    """Who took these data, and of what: user, cluster, checkout, python, kubernetes, name."""
    cluster, version = _asked(connection)
    return {
        "user": user_of(connection.certificate) or _by_kubectl(connection) or connection.user,
        "cluster": text(cluster, "metadata", "uid"),
        "checkout": checkout(CHECKOUT),
        "python": platform.python_version(),
        "kubernetes": text(version, "gitVersion"),
        "name": name,
    }


def digest_matches(data: dict[str, Any]) -> bool | None:
    """Whether a file holds what was written to it; None where it has no digest."""
    written = mapping(data, "identity").get("digest")
    return written == digest(data) if isinstance(written, str) and written else None


def user_of(certificate: bytes | None) -> str:
    """The common name in a client certificate (PEM); "" without one."""
    if not certificate:
        return ""
    # Here and not above: it takes longer to import than a whole check.
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        names = x509.load_pem_x509_certificate(certificate).subject
        return str(names.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    except (ValueError, IndexError):
        return ""


def who_says(output: str) -> str:
    """The user's name in what ``kubectl auth whoami -o json`` prints; "" in anything else."""
    try:
        return text(json.loads(output), "status", "userInfo", "username")
    except (ValueError, RecursionError):
        return ""


def checkout(folder: Path) -> str:
    """ "1.0.0+812146e": the version, and the commit where there is one; of a ZIP, "1.0.0"."""
    return "+".join(filter(None, (_version(folder / "pyproject.toml"), _commit(folder))))


def _version(path: Path) -> str:
    import tomllib

    try:
        return str(at(tomllib.loads(path.read_text("utf-8")), "project", "version") or "")
    except (OSError, ValueError):
        return ""


def _commit(folder: Path) -> str:
    # Asked of this very folder: a ZIP may have been unpacked within another repository.
    git = folder / ".git"
    return _run(["git", f"--git-dir={git}", "rev-parse", "--short", "HEAD"]) if git.exists() else ""


def _asked(connection: Connection) -> tuple[Any, Any]:
    """The namespace kube-system, and the server's version; {} for what may not be read."""
    try:
        api = Api(connection)
    except NoCluster:
        return {}, {}
    try:
        cluster, version = api.fetch([Ask(CLUSTER), Ask(VERSION)])
        return _json(cluster), _json(version)
    except NoCluster:
        return {}, {}
    finally:
        api.close()


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.body) if answer.status == 200 else {}
    except (ValueError, RecursionError):
        return {}


def _by_kubectl(connection: Connection) -> str:
    """What the API server calls us. Only kubectl may ask that: it takes a POST."""
    options = [f"--context={connection.context}", f"--request-timeout={TIMEOUT_SECONDS}s"]
    files = {"KUBECONFIG": connection.files}
    return who_says(_run(["kubectl", *options, "auth", "whoami", "-o", "json"], files))


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> str:
    """What a program prints; "" where there is none, or it fails."""
    program = shutil.which(command[0])
    if not program:
        return ""
    try:
        done = subprocess.run(
            [program, *command[1:]],
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
