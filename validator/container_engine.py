"""Reads the learner's container engine: what `docker` says of the exercises' images.

The only reader beside ``cluster``. It asks for what belongs to module 1, and changes nothing.
`docker` is what is on PATH; `.lab/bin/docker` may lead to podman, also through sudo, which never
asks for a password here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import Any

from validator import container_objects
from validator.hints import edit_distance
from validator.snapshot import Object, listed, name_of, text
from validator.tfjobs import SAMPLE_IMAGE

ENGINE = "engine"
# On a busy machine, podman needs some seconds to start.
SECONDS = 30.0
MOST_BYTES = 1024 * 1024
MOST_OBJECTS = 50
OURS = "module1-ex1"
# Under this name a snapshot keeps the log of a container: "<container>/docker".
LOG = "docker"
_NO_TERMINAL = {"WORKSHOP_SUDO": "-n", "NO_COLOR": "1"}


class _Silent(Exception):
    """The engine did not answer; the text is what it said."""


def read_into(data: dict[str, Any]) -> None:
    """Put engine, images, containers and their logs into a snapshot's data; or why they lack."""
    for kind in (ENGINE, "images", "containers"):
        data["objects"].pop(kind, None)
        data["missing"].pop(kind, None)
    try:
        found, logs = _read()
    except _Silent as problem:
        data["missing"][ENGINE] = {"status": 0, "message": str(problem)}
        return
    data["objects"].update(found)
    data["logs"].update(logs)


def _read() -> tuple[dict[str, list[Object]], dict[str, Object]]:
    program = shutil.which("docker")
    if program is None:
        raise _Silent("there is no `docker` on PATH")
    named = _run(
        program, "image", "ls", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"
    )
    ids = {line.partition(" ")[0]: None for line in named.splitlines() if _concerns(line)}
    images = [container_objects.image(raw) for raw in _inspect(program, "image", list(ids))]
    mine = {i["metadata"]["uid"] for i in images if not _is_sample(i)}
    listed_ = _run(
        program, "ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.Image}}"
    )
    ids = {
        line.partition(" ")[0]: None
        for line in listed_.splitlines()
        if OURS in line or any(uid in line for uid in mine)
    }
    containers = [
        container_objects.container(raw) for raw in _inspect(program, "container", list(ids))
    ]
    found = {ENGINE: [_engine(program)], "images": images, "containers": containers}
    return found, dict(_log(program, name_of(c)) for c in containers if _is_ours(c))


def _engine(program: str) -> Object:
    said = _run(program, "--version")
    name = "podman" if "podman" in said.lower() else "docker"
    return {"kind": "Engine", "metadata": {"name": name}}


def _concerns(line: str) -> bool:
    """Whether an image's name may be the exercise's, or that of the image it begins with."""
    last = container_objects.last_part(line.partition(" ")[2])
    return (
        "module1" in last
        or edit_distance(last, OURS) <= 2
        or last == container_objects.last_part(SAMPLE_IMAGE)
    )


def _is_sample(image: Object) -> bool:
    return name_of(image) == container_objects.last_part(SAMPLE_IMAGE)


def _is_ours(container: Object) -> bool:
    return name_of(container) == OURS or OURS in text(container, "spec", "image")


def _inspect(program: str, kind: str, ids: list[str]) -> list[Any]:
    if not ids:
        return []
    try:
        parsed = json.loads(_run(program, kind, "inspect", *ids[:MOST_OBJECTS]))
    except (ValueError, RecursionError):
        return []
    return listed({"all": parsed}, "all")


def _log(program: str, name: str) -> tuple[str, Object]:
    """(key, the whole log) of one container; of a very long one its beginning."""
    written = container_objects.log(_run(program, "logs", "--timestamps", name))
    return f"{name}/{LOG}", {
        "head": written[:MOST_BYTES],
        "tail": "",
        "cut": len(written) > MOST_BYTES,
    }


def _run(program: str, *words: str) -> str:
    """What a command prints, on both of its outputs. Raises: _Silent."""
    import subprocess  # not before it is needed: it takes a while

    try:
        done = subprocess.run(
            [program, *words],
            env={**os.environ, **_NO_TERMINAL},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise _Silent(f"`docker {words[0]}` gave no answer within {SECONDS:.0f} s") from None
    except OSError as error:
        raise _Silent(f"`docker` could not be run: {error.strerror}") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason given"]
        raise _Silent(re.sub(r"\s+", " ", lines[-1])[:300])
    # A program writes its log on either.
    return done.stdout + (done.stderr if words[0] == "logs" else "")
