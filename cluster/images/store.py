"""Images as containerd unpacked them, kept in the user's cache: what a new node begins with.

To import the workshop's images takes longer than to start a node. So they are imported once,
by a containerd that runs no containers, and a new node gets the result as hard links: in less
than a second, without more of the disk, and with nothing of another node in it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cluster import files, paths
from cluster.errors import CannotGoOn
from cluster.host import commands, folders
from cluster.host.locks import locked
from cluster.node import linux

FOLDER = paths.CACHE / "image-store"
# What no node changes once it is there; of all else a node gets copies.
SHARED = (
    "io.containerd.content.v1.content/blobs",
    "io.containerd.snapshotter.v1.overlayfs/snapshots",
)
BYTES_PER_SECOND = 100_000_000


def root(folder: Path = FOLDER) -> Path:
    """What containerd calls its root."""
    return folder / "containerd"


def holds(archives: Sequence[Path], folder: Path = FOLDER) -> bool:
    """Whether the store has these archives; while it is filled, it has none."""
    return read_list(_list(folder)) == [fingerprint(archive) for archive in archives]


def _list(folder: Path) -> Path:
    return folder / "archives.json"


def fingerprint(archive: Path) -> str:
    """A text that changes with the archive."""
    status = archive.stat()
    return f"{archive}:{status.st_size}:{status.st_mtime_ns}"


def read_list(path: Path) -> list[str]:
    """The fingerprints in a file; none where it cannot be read."""
    try:
        known: list[str] = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    return known


def lend(
    archives: Sequence[Path],
    programs: Path,
    containers: Path,
    say: Callable[[str], None],
    folder: Path = FOLDER,
) -> bool:
    """Put images into the empty folder of a new node's containerd, its root.

    The store is filled first, unless it holds these archives. Returns: False where the node has
    to import them itself, because no link leads there from the cache.
    Raises: CannotGoOn if an archive cannot be imported.
    """
    if not archives or not can_link(folder, containers):
        return False
    lock = folder.with_suffix(".lock")
    with locked(lock, lambda: say("Waiting: another command unpacks images")):
        if not holds(archives, folder):
            fill(archives, programs, say, folder)
        link(root(folder), containers)
    return True


def can_link(folder: Path, containers: Path) -> bool:
    """Whether a file of the store can be a file of the node's, too.

    They have to share a file system, on which root may write: a home on NFS may be none.
    """
    try:
        paths.make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            linked = containers.with_name(Path(file.name).name)
            os.link(file.name, linked)
            linked.unlink()
    except OSError:
        return False
    return True


def fill(
    archives: Sequence[Path], programs: Path, say: Callable[[str], None], folder: Path
) -> None:
    """Import the archives, and nothing else, into an empty store."""
    began = time.monotonic()
    seconds = 2 + sum(archive.stat().st_size for archive in archives) // BYTES_PER_SECOND
    say(f"Unpacking the workshop's images (about {seconds} s; once for all clusters)")
    _list(folder).unlink(missing_ok=True)
    folders.remove(root(folder))
    # Mounts, sockets and processes of its own: nothing is left of it if this process is killed.
    apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    unpack = [sys.executable, "-m", "cluster.images.unpacking", str(programs), str(root(folder))]
    try:
        for _ in commands.lines([*apart, *unpack, *map(str, archives)], folder=paths.CHECKOUT):
            pass
    except commands.FailedError as error:
        why = commands.last_line(str(error))
        raise CannotGoOn("the workshop's images could not be unpacked", why) from None
    # After a power cut the list is there only if all that it names is.
    linux.sync_filesystem(str(folder))
    files.write(_list(folder), json.dumps([fingerprint(archive) for archive in archives]))
    say(f"Unpacked the images: {time.monotonic() - began:.0f} s")


def link(source: Path, containers: Path) -> None:
    """Make the node's folder, which is empty, in one step: an interruption leaves it empty."""
    unfinished = unfinished_of(containers)
    folders.remove(unfinished)
    copy_tree(str(source), str(unfinished), {f"{source}/{name}" for name in SHARED})
    unfinished.replace(containers)


def copy_tree(source: str, target: str, shared: set[str], is_shared: bool = False) -> None:
    """Copy a folder; below the `shared` ones files are links. Owners, modes and attributes stay.

    Not `cp`, which is not everywhere GNU's: an overlay needs the extended attributes of folders.
    """
    is_shared = is_shared or source in shared
    os.mkdir(target)
    with os.scandir(source) as entries:
        for entry in entries:
            there = f"{target}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                copy_tree(entry.path, there, shared, is_shared)
            elif is_shared:
                os.link(entry.path, there, follow_symlinks=False)
            else:
                shutil.copy2(entry.path, there, follow_symlinks=False)
    status = os.stat(source)
    os.chown(target, status.st_uid, status.st_gid)
    shutil.copystat(source, target)


def unfinished_of(containers: Path) -> Path:
    """What an interrupted call leaves beside a node's folder."""
    return containers.with_name(f".{containers.name}.new")
