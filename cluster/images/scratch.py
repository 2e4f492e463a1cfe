"""Images from scratch: one static program and nothing else. Every node needs two of them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import tarfile
from pathlib import Path

from cluster import paths
from cluster.host.machine import ARCHITECTURES
from cluster.node import addresses


def scratch_archive(target: Path, reference: str, program: Path, user: str = "") -> None:
    """Write a docker-archive of an image that holds one static program and nothing else."""
    layer = _layer(program)
    config = json.dumps(
        {
            "architecture": ARCHITECTURES[platform.machine()],
            "os": "linux",
            "config": {"Entrypoint": [f"/{program.name}"], "User": user},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_sha256(layer)}"]},
            "history": [{"created_by": f"COPY {program.name} /"}],
        }
    ).encode()
    manifest = [
        {"Config": f"{_sha256(config)}.json", "RepoTags": [reference], "Layers": ["layer.tar"]}
    ]
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    with tarfile.open(unfinished, "w") as archive:
        _add(archive, f"{_sha256(config)}.json", config)
        _add(archive, "layer.tar", layer)
        _add(archive, "manifest.json", json.dumps(manifest).encode())
    paths.hand_to_user(unfinished)
    paths.to_disk(unfinished)
    unfinished.replace(target)


def _layer(program: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        _add(layer, program.name, program.read_bytes(), mode=0o755)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def is_whole(archive: Path) -> bool:
    """After a power cut a file may be there and empty."""
    return archive.exists() and archive.stat().st_size > 0


def node_archives(programs: Path) -> list[Path]:
    """The archives that every node needs, made from its programs on first use."""
    wanted = {"pause": addresses.PAUSE_IMAGE, "coredns": addresses.COREDNS_IMAGE}
    found = []
    for name, reference in wanted.items():
        # By its reference: an archive of another name that an earlier version made is no use.
        archive = programs / f"{reference.replace('/', '_').replace(':', '_')}.tar"
        if not is_whole(archive):
            scratch_archive(archive, reference, programs / name)
        found.append(archive)
    return found
