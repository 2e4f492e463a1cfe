"""A learner's own images: from what built them to the cluster; and the sample image to the learner.

Called by `python -m cluster load` and `python -m cluster base`. docker, podman and buildah keep
images in stores of their own, and podman one for each user: all of them are looked into.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.host import commands
from cluster.images import archives, builders
from cluster.workshop import engine, foreign, table

NOBODY_ELSES = "localhost/"
SECONDS = 600


def check_name(name: str) -> None:
    """Raises: CannotGoOn with the fix for a name by which no Pod finds the image."""
    first, slash, _ = name.partition("/")
    if not slash or not (first == "localhost" or "." in first or ":" in first):
        wanted = f"{NOBODY_ELSES}{name}" + ("" if ":" in name else ":v1")
        raise CannotGoOn(
            f"{name} has no {NOBODY_ELSES} before it, and a Pod would look for it in a public "
            "registry",
            fix=f"name it `{wanted}`: `docker tag {name} {wanted}`, then load {wanted}",
        )
    _, _, tag = name.rpartition("/")[2].partition(":")
    if tag in ("", "latest") and "@" not in name:
        plain = name.removesuffix(":latest")
        raise CannotGoOn(
            f"{name} has no version, and Kubernetes pulls such an image each time",
            fix=f"give it one: `docker tag {name} {plain}:v1`, then load {plain}:v1",
        )


def export(name: str) -> Path:
    """The archive of an image, from the first store that has it; remove it after its use.

    Raises: CannotGoOn if no store has it.
    """
    check_name(name)
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    target = paths.CACHE / "exported" / f"{digest}-{os.getpid()}.tar"
    paths.make_folder(target.parent)
    remove_left_over(target.parent)
    looked = []
    for who, command in stores():
        looked.append(who)
        if has(command, name) and saved(command, name, target):
            return target
    raise CannotGoOn(
        f"no image is called {name}",
        f"looked into {', '.join(looked)}" if looked else "nothing here builds images",
        f"build it first (`docker build --tag {name} FOLDER`), or name an archive",
    )


def stores() -> Iterator[tuple[str, list[str]]]:
    """(what a store is called, the program with the options that lead to it)."""
    if engine.link().exists():
        yield "docker", [str(engine.link())]
    for name in ("docker", "podman"):
        program = engine.on_path(name)
        if program:
            yield f"{name} of PATH", [program]
    podman, invoker = engine.on_path("podman"), os.environ.get("SUDO_UID")
    if podman and invoker and os.geteuid() == 0:
        yield "podman of the user", ["sudo", "-u", f"#{invoker}", "-H", podman]
    if shutil.which("buildah") and os.geteuid() == 0:
        yield "buildah", ["buildah"]
        yield "the workshop's builds", builders.command("buildah")


def has(command: Sequence[str], name: str) -> bool:
    """Whether a store has an image of this name."""
    return commands.succeeds([*command, "inspect", "--type=image", name], SECONDS)


def saved(command: Sequence[str], name: str, target: Path) -> bool:
    """Write an image's archive. To standard output: a snap may not write into hidden folders."""
    if command[0] == "buildah":
        return commands.succeeds(
            [*command, "push", "--quiet", name, f"docker-archive:{target}:{name}"], SECONDS
        )
    with target.open("wb") as output:
        done = subprocess.run([*command, "save", name], stdout=output, stderr=subprocess.PIPE)
    if done.returncode:
        target.unlink()
    return done.returncode == 0


def exported(wanted: Sequence[str]) -> list[str]:
    """Archives in place of the names of images that this user's programs have.

    Paths are absolute, because root works in another folder. What is not found here may be
    root's, whose turn comes next.
    """
    found = []
    for name in wanted:
        path = Path(name)
        if path.is_file() or name in table.IMAGES:
            found.append(str(path.absolute()) if path.is_file() else name)
            continue
        try:
            found.append(str(export(name)))
        except CannotGoOn:
            check_name(name)
            if os.geteuid() == 0:
                raise
            found.append(name)
    return found


def remove_exported(archives: Iterable[Path]) -> None:
    """Remove those archives that are copies of ours: nobody needs them any more."""
    folder = (paths.CACHE / "exported").resolve()
    for archive in archives:
        if archive.parent.resolve() == folder:
            archive.unlink(missing_ok=True)


def remove_left_over(folder: Path) -> None:
    """Remove the archives of commands that ended before they could do so.

    A command keeps its process ID while sudo and root's part of it run.
    """
    for archive in folder.glob("*-[1-9]*.tar"):
        try:
            os.kill(int(archive.stem.rpartition("-")[2]), 0)  # only asks whether it runs
        except ProcessLookupError:
            archive.unlink(missing_ok=True)
        except PermissionError:
            continue  # it runs as root


def commands_for(own: foreign.OwnCluster, name: str, archive: Path) -> list[list[str]]:
    """The commands that bring an image to a cluster of the user's own."""
    call = [str(engine.link())]
    return foreign.load_commands(own, name, archive, "docker", call)


def bring_base(say: Callable[[str], None]) -> None:
    """Give the sample image to the learner's `docker`, unless it has it. Raises: CannotGoOn."""
    docker = str(engine.ensure(say))
    archive = table.IMAGES.build(table.SAMPLE)
    if _layers([docker, "image", "inspect", table.SAMPLE]) == layers_of(archive):
        say(f"docker has {table.SAMPLE}")
        return
    say(f"Giving {table.SAMPLE} to docker (about half a minute)")
    done = subprocess.run(
        [docker, "load", "--input", str(archive)], capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        raise CannotGoOn(f"docker did not take {table.SAMPLE}", done.stderr)
    say(f"docker has {table.SAMPLE}")


def layers_of(archive: Path) -> list[str]:
    """The layers of the one image of an archive, by the digests of their content."""
    with archives.reading(archive), tarfile.open(archive) as tar:

        def read(name: str) -> Any:
            file = tar.extractfile(name)
            return json.load(file) if file else {}

        return list(read(read("manifest.json")[0]["Config"])["rootfs"]["diff_ids"])


def _layers(inspect: list[str]) -> list[str]:
    """The layers of an image of docker's; none if it does not have the image."""
    done = subprocess.run(inspect, capture_output=True, text=True, errors="replace")
    try:
        return list(json.loads(done.stdout)[0]["RootFS"]["Layers"])
    except (ValueError, LookupError, TypeError):
        return []
