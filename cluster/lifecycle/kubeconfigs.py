"""Read a kubeconfig of ours: JSON, or YAML after `kubectl config set-context`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cluster import paths
from cluster.errors import CannotGoOn

# What `node.certificates` writes: the name of an entry, what is in it, and what that holds.
OURS = {
    "clusters": ("workshop", "cluster", {"server", "certificate-authority-data"}),
    "users": ("admin", "user", {"client-certificate-data", "client-key-data"}),
}


def read(path: Path) -> dict[str, Any]:
    """Our cluster and its user, without what kind or minikube added to the same file.

    Raises: OSError, CannotGoOn if it is no kubeconfig of ours.
    """
    text = path.read_text(errors="replace")
    try:
        found = json.loads(text)
    except ValueError:
        found = _from_yaml(path, text)
    try:
        return {section: [_ours(found, section)] for section in OURS}
    except (LookupError, TypeError, AttributeError):
        raise _damaged(path) from None


def _ours(config: Any, section: str) -> dict[str, Any]:
    name, part, keys = OURS[section]
    entry: dict[str, Any] = {each["name"]: each for each in config[section]}[name]
    if not keys <= entry[part].keys():
        raise KeyError(name)
    return entry


def _from_yaml(path: Path, text: str) -> Any:
    try:
        import yaml  # here: what runs as root has no packages
    except ImportError:
        fix = f"use the workshop's Python: {paths.CHECKOUT / '.venv/bin/python'}"
        raise CannotGoOn(f"{path} is YAML, which this Python does not read", fix=fix) from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise _damaged(path) from None


def _damaged(path: Path) -> CannotGoOn:
    return CannotGoOn(
        f"{path} is no kubeconfig any more",
        fix="`python -m cluster restart` writes it again",
    )
