"""Read a kubeconfig of ours: JSON, or YAML after `kubectl config set-context`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cluster import paths
from cluster.errors import CannotGoOn


def read(path: Path) -> dict[str, Any]:
    """The file's content. Raises: OSError, CannotGoOn if it is no kubeconfig."""
    text = path.read_text()
    try:
        found = json.loads(text)
    except ValueError:
        found = _from_yaml(path, text)
    if not isinstance(found, dict) or not all(found.get(key) for key in ("clusters", "users")):
        raise _damaged(path)
    return found


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
