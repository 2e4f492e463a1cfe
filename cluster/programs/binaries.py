"""The programs of the cluster, built once with Go from pinned sources into the user's cache.

The committed go.mod and go.sum files pin every byte of source, `golang.VERSION` the compiler.
A program is stored under the digest of its recipe and sources, and `folder()` is a folder of
links to what this checkout wants. A store is complete when its list of sizes says so: after
a power cut a file may be there and empty.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cluster import paths
from cluster.host import progress
from cluster.host.locks import locked
from cluster.programs import golang
from cluster.programs.compiling import Build
from cluster.programs.recipes import BUILD_FLAGS, NEEDED, RECIPES, Recipe

SOURCES = Path(__file__).resolve().parent / "go"
# All programs of the workspace, from an empty cache on two cores.
USUAL_MINUTES = 6
PINS = ("go.mod", "go.sum", "go.work", "go.work.sum")
SIZES = "sizes.json"


def digest(name: str) -> str:
    """Twelve characters that change with sources, pins, recipe, compiler and processor.

    In the workspace the pins of all count, because versions are chosen over all of them.
    """
    summed = hashlib.sha256(
        f"{platform.machine()} {golang.VERSION} {BUILD_FLAGS} {RECIPES[name]}".encode()
    )
    files = [path for path in (SOURCES / name).iterdir() if path.is_file()]
    if RECIPES[name].in_workspace:
        members = [SOURCES, *(SOURCES / member for member in NEEDED)]
        files += [folder / pin for folder in members for pin in PINS if (folder / pin).exists()]
    for path in sorted(set(files)):
        summed.update(str(path.relative_to(SOURCES)).encode() + b"\0" + path.read_bytes())
    return summed.hexdigest()[:12]


def folder() -> Path:
    """The folder with all programs that this checkout wants, built or not yet."""
    everything = " ".join(digest(name) for name in NEEDED)
    return paths.CACHE / "bin" / hashlib.sha256(everything.encode()).hexdigest()[:12]


def go_work() -> Path:
    """Go's caches while it builds, up to 9 GB: a build that was cut short goes on from them."""
    return paths.CACHE / "go-work"


def missing(names: Iterable[str] = NEEDED) -> list[str]:
    """Recipes of which a program is not in `folder()` yet, or not whole."""
    target = folder()
    return [name for name in names if not is_complete(name) or not _is_linked(name, target)]


def ensure(names: Iterable[str] = NEEDED, report: Callable[[str], None] | None = None) -> Path:
    """Build what is missing, and say how far it is; returns `folder()`.

    Raises: CannotGoOn if a build fails.
    """
    if not missing(names):
        return folder()
    with progress.line("Programs", report) as say:
        lock = paths.CACHE / "build.lock"
        with locked(lock, lambda: say("waiting for another build")):
            _sweep()
            for group in _groups(name for name in missing(names) if not is_complete(name)):
                _build(group, say)
            for name in missing(names):
                _link(name)
            if os.environ.get("KEEP_BUILD_CACHE") != "1":
                shutil.rmtree(go_work(), ignore_errors=True)
    return folder()


def is_complete(name: str) -> bool:
    """Whether a recipe's programs are in the store with the sizes that they were built with."""
    store = _store(name)
    try:
        sizes = json.loads((store / SIZES).read_text())
        return all((store / program).stat().st_size == sizes[program] for program in sizes)
    except (OSError, ValueError):
        return False


def _store(name: str) -> Path:
    return paths.CACHE / "bin" / "store" / f"{name}-{digest(name)}"


def _groups(names: Iterable[str]) -> list[list[str]]:
    """What one call of Go builds: all of the workspace at once, the others one by one."""
    wanted = list(names)
    together = [name for name in wanted if RECIPES[name].in_workspace]
    alone = [[name] for name in wanted if not RECIPES[name].in_workspace]
    return [group for group in (together, *alone) if group]


def _build(names: Sequence[str], say: Callable[[str], None]) -> None:
    """Build recipes with one call of Go, and store each under its digest."""
    recipes = [RECIPES[name] for name in names]
    source = SOURCES if recipes[0].in_workspace else SOURCES / names[0]
    paths.make_folder(paths.CACHE / "bin" / "store")
    with tempfile.TemporaryDirectory(dir=paths.CACHE / "bin" / "store", prefix=".new-") as scratch:
        packages = tuple(package for recipe in recipes for package in recipe.packages)
        minutes = recipes[0].usual_minutes or USUAL_MINUTES
        Build(source, packages, Path(scratch), go_work(), minutes).run(say)
        for name, recipe in zip(names, recipes, strict=True):
            _keep(name, recipe, Path(scratch))


def _keep(name: str, recipe: Recipe, built: Path) -> None:
    """Move a recipe's programs from where Go has put them into the store, safe on disk."""
    unfinished = built / f"store-{name}"
    unfinished.mkdir()
    sizes = {}
    for package, program in zip(recipe.packages, recipe.programs, strict=True):
        target = unfinished / program
        (built / output_of(package)).rename(target)
        sizes[program] = target.stat().st_size
    (unfinished / SIZES).write_text(json.dumps(sizes))
    for path in [*unfinished.iterdir(), unfinished]:
        paths.hand_to_user(path)
        paths.to_disk(path)
    store = _store(name)
    shutil.rmtree(store, ignore_errors=True)
    unfinished.rename(store)
    paths.to_disk(store.parent)


def output_of(package: str) -> str:
    """What Go calls the program of a package: its last word, but not a major version."""
    words = package.split("/")
    return words[-2] if re.fullmatch(r"v\d+", words[-1]) else words[-1]


def _source_of(name: str, program: str) -> Path:
    return _store(name) / (program if program in RECIPES[name].programs else name)


def _is_linked(name: str, target: Path) -> bool:
    try:
        return all(
            (target / program).samefile(_source_of(name, program))
            for program in RECIPES[name].outputs
        )
    except OSError:
        return False


def _link(name: str) -> None:
    """Link a recipe's programs from the store into `folder()`."""
    target = folder()
    paths.make_folder(target)
    for program in RECIPES[name].outputs:
        temporary = target / f".{program}.{os.getpid()}"
        temporary.unlink(missing_ok=True)
        os.link(_source_of(name, program), temporary)
        temporary.replace(target / program)


def _sweep() -> None:
    """Remove what a killed build left in the store; the lock is held."""
    for path in (paths.CACHE / "bin" / "store").glob(".*"):
        shutil.rmtree(path, ignore_errors=True)
