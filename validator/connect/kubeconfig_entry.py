"""One named entry of a kubeconfig, read with care: every value may be of a wrong type."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, NamedTuple

from validator.connect.connection import NoCluster

FIX = "correct it, or name another with --kubeconfig FILE"


class Entry(NamedTuple):
    """A mapping, the folder of its file, and what messages call it."""

    values: dict[str, Any]
    folder: Path
    where: str

    def broken(self, why: str, fix: str = FIX) -> NoCluster:
        return NoCluster(f"kubeconfig {self.where}: {why}", fix)

    def text(self, key: str) -> str:
        """A text, or "" where there is none. Raises: NoCluster for a list or a mapping."""
        value = self.values.get(key)
        if not is_scalar(value):
            raise self.broken(f"{key} is not a text")
        return as_text(value)

    def flag(self, key: str) -> bool:
        """Raises: NoCluster for what is neither true nor false."""
        value = self.values.get(key)
        if value not in (None, True, False):
            raise self.broken(f"{key} is neither true nor false")
        return bool(value)

    def texts(self, key: str) -> list[str]:
        """A list of texts. Raises: NoCluster for anything else."""
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(map(is_scalar, value)):
            raise self.broken(f"{key} is not a list of texts")
        return [as_text(item) for item in value]

    def mapping(self, key: str) -> dict[str, Any]:
        """Raises: NoCluster for what is no mapping."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, dict):
            raise self.broken(f"{key} is not a mapping")
        return value or {}

    def file(self, key: str) -> bytes | None:
        """What is in the file that ``key`` names; relative to the kubeconfig's folder."""
        name = self.text(key)
        if not name:
            return None
        try:
            return (self.folder / name).read_bytes()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "not a file name"
            raise self.broken(f"{key} {name} cannot be read: {why}") from None

    def pem(self, key: str) -> bytes | None:
        """The PEM under ``key-data`` in base64, or in the file that ``key`` names."""
        data = self.text(f"{key}-data")
        if not data:
            return self.file(key)
        try:
            return base64.b64decode("".join(data.split()), validate=True)
        except ValueError:
            raise self.broken(f"{key}-data is not base64") from None


def is_scalar(value: object) -> bool:
    """Whether YAML wrote this on one line: an unquoted name may look like a number or a date."""
    return not isinstance(value, list | dict | set | tuple)


def as_text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
