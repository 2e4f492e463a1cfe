"""Other machines, played on this one: programs that answer as theirs do, files laid over ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from cluster import paths


def program(folder: Path, name: str, body: str) -> Path:
    """A shell script called `name`, first on the PATH that `path` gives."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / name
    made.write_text(f"#!/bin/sh\n{body}\n")
    made.chmod(0o755)
    return made


def path(folder: Path) -> str:
    return f"{folder}:{os.environ['PATH']}"


def python(code: str, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code after the lines of shell `before`, which may mount: the host does not see it."""
    mounts = ["unshare", "--mount", "sh", "-ec", f'{before}\nexec "$@"', "sh"]
    given = [sys.executable, "-B", "-c", code]
    everything = {**os.environ, **environment}
    return subprocess.run(
        [*mounts, *given], cwd=paths.CHECKOUT, env=everything, capture_output=True, text=True
    )


def lay_over(file: Path, target: Path) -> str:
    """The line of shell that puts a file over another."""
    return f"mount --bind {file} {target.resolve()}"


def hide(name: str) -> str:
    """The line of shell after which no program is found under this name."""
    found = shutil.which(name, path="/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin")
    return f"mount --bind /dev/null {Path(found).resolve()}" if found else ""
