"""Container images without a registry: each is built once, and kept as an archive.

The archive is in the user's cache under the digest of the image's context, so a second build
of the same files takes no time and needs no builder. The caller says which images there are.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import lzma
import os
import platform
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.host import progress
from cluster.host.locks import locked
from cluster.images import bases, builders
from cluster.images.scratch import is_whole

IGNORED = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}


@dataclass(frozen=True)
class Source:
    """What an image is built from: a folder of the checkout, and how long that usually takes."""

    folder: str
    usual: str = "some minutes"

    @property
    def context(self) -> Path:
        return paths.CHECKOUT / self.folder


@dataclass(frozen=True)
class Images:
    """Images that are built here, by name. One may be the base of another."""

    sources: Mapping[str, Source]

    def __iter__(self) -> Iterator[str]:
        return iter(self.sources)

    def __contains__(self, name: str) -> bool:
        return name in self.sources

    def archive_of(self, image: str) -> Path:
        """Where the archive of an image is or will be, for the files as they are now."""
        name, _, version = image.rpartition("/")[2].partition(":")
        digest = context_digest(self.sources[image].context)
        for base in self.own_bases(image):
            text = f"{digest} {self.archive_of(base).name}"
            digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        return paths.CACHE / "images" / f"{name}-{version}-{digest}.tar"

    def own_bases(self, image: str) -> list[str]:
        """The images of ours that one of them is built on: it changes with them."""
        return [base for base in self._bases(image) if base in self]

    def _bases(self, image: str) -> list[str]:
        dockerfile = self.sources[image].context / "Dockerfile"
        return bases.base_images(dockerfile.read_text()) if dockerfile.exists() else []

    def is_built(self, image: str) -> bool:
        return is_whole(self.archive_of(image))

    def build(self, image: str, report: Callable[[str], None] | None = None) -> Path:
        """Build an image, unless its archive is there; returns the archive.

        Raises: CannotGoOn, or KeyError if the image is none of these.
        """
        archive = self.archive_of(image)
        if is_whole(archive):
            return archive
        for base in self.own_bases(image):
            self.build(base, report)
        name = image.rpartition("/")[2].partition(":")[0]
        with progress.line(f"Image {name}", report) as say:
            # The builders' stores take one build at a time.
            lock = paths.CACHE / "images.lock"
            with locked(lock, lambda: say("waiting for another build")):
                if not is_whole(archive):
                    self._build(image, archive, say)
        return archive

    def _build(self, image: str, archive: Path, say: Callable[[str], None]) -> None:
        source = self.sources[image]
        if not (source.context / "Dockerfile").exists():
            what = f"{source.folder}/Dockerfile is not there"
            raise CannotGoOn(what, fix="this checkout is not whole")
        tool = builders.find()
        say(f"building with {tool}, usually {source.usual}")
        paths.make_folder(archive.parent)
        for base in self._bases(image):
            if base in self:
                take = builders.take_command(tool, base, self.archive_of(base))
                builders.run(take, f"taking {base}")
            else:
                bases.ensure_base(tool, base)
        has_bundle = builders.bundle().exists()
        command = builders.build_command(tool, image, source.context, has_bundle)
        builders.run(command, f"building {image}")
        say("exporting")
        export(tool, image, archive)
        if tool == "buildah":
            for each in (image, *self.own_bases(image)):
                name = builders.full_reference(each)
                builders.run([*builders.command(tool), "rmi", "--force", name], "")


def context_digest(context: Path) -> str:
    """Twelve characters that change with any file of a build context."""
    summed = hashlib.sha256(platform.machine().encode())
    for path in sorted(context.rglob("*")):
        if path.is_file() and not IGNORED & set(path.relative_to(context).parts):
            name = path.relative_to(context).as_posix()
            executable = bool(path.stat().st_mode & 0o100)
            summed.update(os.fsencode(f"{name}\0{executable}\0") + path.read_bytes() + b"\0")
    return summed.hexdigest()[:12]


def names_in(archive: Path) -> list[str]:
    """The names of the images that an archive holds; [] where it names none."""
    try:
        with reading(archive), tarfile.open(archive) as tar:
            file = tar.extractfile("manifest.json")
            named = json.load(file) if file else []
        return [name for image in named for name in image["RepoTags"] or []]
    except (KeyError, TypeError, ValueError):
        return []


@contextlib.contextmanager
def reading(archive: Path) -> Iterator[None]:
    """Read an archive inside. Raises: CannotGoOn if it is cut off, or damaged."""
    try:
        yield
    except (EOFError, RecursionError, zlib.error, lzma.LZMAError, tarfile.TarError):
        raise CannotGoOn(f"{archive} is not a whole archive", fix="make it again") from None


def export(tool: str, image: str, archive: Path) -> None:
    """Write a built image's archive.

    Of its earlier builds, whatever their version, the last stays, for another checkout.
    """
    unfinished = archive.with_name(f".{archive.name}")
    unfinished.unlink(missing_ok=True)
    builders.export(tool, image, unfinished)
    paths.hand_to_user(unfinished)
    paths.to_disk(unfinished)
    name = archive.name.rsplit("-", 2)[0]  # of NAME-VERSION-DIGEST.tar
    earlier = archive.parent.glob(f"{name}-[0-9]*-*.tar")
    for old in sorted(earlier, key=lambda path: path.stat().st_mtime)[:-1]:
        old.unlink()
    unfinished.replace(archive)
