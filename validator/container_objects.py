"""Images and containers of docker or podman, as objects of a snapshot; pure.

Both programs print JSON that is nearly the same. What differs is made alike here: podman names an
image by its bare digest, and prints a time stamp of its own for each part of a line of a log.

    image      {"kind": "Image", "metadata": {name, uid, creationTimestamp},
                "spec": {"names", "entrypoint", "cmd", "user", "layers"}, "status": {"size"}}
    container  {"kind": "Container", "metadata": {name, uid, creationTimestamp},
                "spec": {"image", "imageId", "commandLine", "args"},
                "status": {"state", "exitCode", "error", "startedAt", "finishedAt"}}
"""

from __future__ import annotations

import re
from typing import Any

from validator.snapshot import Object, at, text
from validator.tfjobs import repository

# A second stamp in one line: podman stamps what a program writes, not each line.
_SECOND_STAMP = re.compile(r"(?<=.)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d) ")
_NEVER = "0001-01-01"


def image(raw: Any) -> Object:
    """An image, of what `image inspect` prints of it."""
    names = [name for name in _texts(raw, "RepoTags") if "<none>" not in name]
    return {
        "kind": "Image",
        "metadata": {
            "name": last_part(names[0]) if names else "",
            "uid": bare(text(raw, "Id")),
            "creationTimestamp": text(raw, "Created"),
        },
        "spec": {
            "names": names,
            "entrypoint": _texts(raw, "Config", "Entrypoint"),
            "cmd": _texts(raw, "Config", "Cmd"),
            "user": text(raw, "Config", "User"),
            "layers": _texts(raw, "RootFS", "Layers"),
        },
        "status": {"size": int(at(raw, "Size") or 0)},
    }


def container(raw: Any) -> Object:
    """A container, of what `container inspect` prints of it."""
    times = {
        key: text(raw, "State", key[0].upper() + key[1:]) for key in ("startedAt", "finishedAt")
    }
    return {
        "kind": "Container",
        "metadata": {
            "name": text(raw, "Name").lstrip("/"),
            "uid": bare(text(raw, "Id")),
            "creationTimestamp": text(raw, "Created"),
        },
        "spec": {
            "image": text(raw, "Config", "Image"),
            "imageId": bare(text(raw, "Image")),
            "commandLine": [text(raw, "Path"), *_texts(raw, "Args")],
            "args": _texts(raw, "Config", "Cmd"),
        },
        "status": {
            "state": text(raw, "State", "Status"),
            "exitCode": int(at(raw, "State", "ExitCode") or 0),
            "error": text(raw, "State", "Error"),
            **{key: time for key, time in times.items() if time and not time.startswith(_NEVER)},
        },
    }


def log(written: str) -> str:
    """A log with one time stamp in each line."""
    lines = (_SECOND_STAMP.sub("", line) for line in written.split("\n"))
    return "\n".join(line for line in lines if line.partition(" ")[2] or not line)


def bare(digest: str) -> str:
    """A digest without the name of its function."""
    return digest.removeprefix("sha256:")


def last_part(name: str) -> str:
    """The last part of an image's name, without its tag."""
    return repository(name).rpartition("/")[2]


def _texts(node: Any, *path: str) -> list[str]:
    value = at(node, *path)
    if isinstance(value, str):
        return value.split()
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
