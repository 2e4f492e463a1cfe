"""Container images without a registry: our own from scratch, the workshop's by a builder.

`cluster.up` loads them into a node; `cluster.workshop` hands them to other clusters.
A built image is kept in the cache as an archive under the digest of its context, so a
second build of the same files takes no time and needs no builder.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import tarfile
from collections.abc import Callable
from pathlib import Path

from cluster import builders, components, paths, progress
from cluster.errors import CannotGoOn
from cluster.locks import locked

# The images of the workshop and the folders that they are built from.
CONTEXTS = {
    "localhost/fashion-mnist:1.2.0": "sample-image",
    "localhost/tf-job-operator:1.1.0": "operator",
    "localhost/notebook:1.0.0": "modules/8-jupyter/image",
}
# One module alone needs them: `python -m cluster load` builds them there.
ON_DEMAND = ("localhost/notebook:1.0.0",)
WORKSHOP = tuple(image for image in CONTEXTS if image not in ON_DEMAND)
USUAL_BUILD = {
    "sample-image": "2 minutes",
    "operator": "a minute",
    "modules/8-jupyter/image": "80 seconds",
}
IGNORED = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


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


def node_archives(programs: Path) -> list[Path]:
    """The archives that every node needs, made from its programs on first use."""
    wanted = {"pause": components.PAUSE_IMAGE, "coredns": components.COREDNS_IMAGE}
    found = []
    for name, reference in wanted.items():
        # By its reference: an archive of another name that an earlier version made is no use.
        archive = programs / f"{reference.replace('/', '_').replace(':', '_')}.tar"
        if not is_whole(archive):
            scratch_archive(archive, reference, programs / name)
        found.append(archive)
    return found


def builder() -> str:
    """The tool that builds here: docker, podman or buildah."""
    return builders.find()


def archive_of(image: str) -> Path:
    """Where the archive of a workshop's image is or will be, for the files as they are now."""
    name, _, version = image.rpartition("/")[2].partition(":")
    digest = context_digest(paths.CHECKOUT / CONTEXTS[image])
    for base in own_bases(image):
        digest = _sha256(f"{digest} {archive_of(base).name}".encode())[:12]
    return paths.CACHE / "images" / f"{name}-{version}-{digest}.tar"


def own_bases(image: str) -> list[str]:
    """The workshop's images that one of them is built on: it changes with them."""
    dockerfile = paths.CHECKOUT / CONTEXTS[image] / "Dockerfile"
    if not dockerfile.exists():
        return []
    return [base for base in builders.base_images(dockerfile.read_text()) if base in CONTEXTS]


def context_digest(context: Path) -> str:
    """Twelve characters that change with any file of a build context."""
    summed = hashlib.sha256(platform.machine().encode())
    for path in sorted(context.rglob("*")):
        if path.is_file() and not IGNORED & set(path.relative_to(context).parts):
            name = path.relative_to(context).as_posix()
            executable = bool(path.stat().st_mode & 0o100)
            summed.update(f"{name}\0{executable}\0".encode() + path.read_bytes() + b"\0")
    return summed.hexdigest()[:12]


def names_in(archive: Path) -> list[str]:
    """The names of the images that an archive holds; [] where it names none."""
    try:
        with tarfile.open(archive) as tar:
            file = tar.extractfile("manifest.json")
            named = json.load(file) if file else []
        return [name for image in named for name in image["RepoTags"] or []]
    except (KeyError, TypeError, ValueError, tarfile.TarError):
        return []


def is_built(image: str) -> bool:
    return is_whole(archive_of(image))


def is_whole(archive: Path) -> bool:
    """After a power cut a file may be there and empty."""
    return archive.exists() and archive.stat().st_size > 0


def build(image: str, report: Callable[[str], None] | None = None) -> Path:
    """Build one of the workshop's images, unless its archive is there; returns the archive.

    Raises: CannotGoOn, or KeyError if the image is not the workshop's.
    """
    archive = archive_of(image)
    if is_whole(archive):
        return archive
    for base in own_bases(image):
        build(base, report)
    name = image.rpartition("/")[2].partition(":")[0]
    with progress.line(f"Image {name}", report) as say:
        # The builders' stores take one build at a time.
        lock = paths.CACHE / "images.lock"
        with locked(lock, lambda: say("waiting for another build")):
            if not is_whole(archive):
                _build(image, archive, say)
    return archive


def _build(image: str, archive: Path, say: Callable[[str], None]) -> None:
    folder = CONTEXTS[image]
    context = paths.CHECKOUT / folder
    if not (context / "Dockerfile").exists():
        raise CannotGoOn(f"{folder}/Dockerfile is not there", fix="this checkout is not whole")
    tool = builder()
    say(f"building with {tool}, usually {USUAL_BUILD[folder]}")
    paths.make_folder(archive.parent)
    for base in builders.base_images((context / "Dockerfile").read_text()):
        if base in CONTEXTS:
            builders.run(builders.take_command(tool, base, archive_of(base)), f"taking {base}")
        else:
            builders.ensure_base(tool, base)
    has_bundle = builders.bundle().exists()
    builders.run(builders.build_command(tool, image, context, has_bundle), f"building {image}")
    say("exporting")
    export(tool, image, archive)


def export(tool: str, image: str, archive: Path) -> None:
    """Write a built image's archive; of its earlier builds the last stays, for another checkout."""
    unfinished = archive.with_name(f".{archive.name}")
    unfinished.unlink(missing_ok=True)
    builders.export(tool, image, unfinished)
    paths.hand_to_user(unfinished)
    paths.to_disk(unfinished)
    earlier = archive.parent.glob(archive.name[: -len("-123456789012.tar")] + "-*.tar")
    for old in sorted(earlier, key=lambda path: path.stat().st_mtime)[:-1]:
        old.unlink()
    unfinished.replace(archive)
    if tool == "buildah":
        for each in (image, *own_bases(image)):
            name = builders.full_reference(each)
            builders.run([*builders.command(tool), "rmi", "--force", name], "")
