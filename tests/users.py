"""An ordinary user of this machine, made for one test: with sudo, a home and a checkout in it.

The programs and images of the cache are copied, because they take minutes to make. Of the
packages the user gets those alone that `make lab` and most tests need.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cluster import paths
from cluster.programs import binaries
from cluster.workshop import table

SUDOERS = Path("/etc/sudoers.d")
PACKAGES = ("cryptography", "kubernetes", "pyyaml", "pytest", "pytest-xdist", "hypothesis")


@dataclass(frozen=True)
class User:
    """`checkout` and `cache` are the user's own."""

    name: str
    home: Path

    @property
    def checkout(self) -> Path:
        return self.home / "workshop"

    @property
    def cache(self) -> Path:
        return self.home / ".cache" / "tfjob-workshop"

    def shell(self, line: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """What a line does in the checkout, in a login shell without our environment."""
        line = f"cd {shlex.quote(str(self.checkout))} && {line}"
        command = ["runuser", "--login", self.name, "--command", line]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout)


@contextlib.contextmanager
def user_with_sudo() -> Iterator[User]:
    """A user that may become root without a password, and has no other right."""
    name = f"learner-{uuid.uuid4().hex[:6]}"
    as_root("useradd", "--create-home", "--shell", "/bin/bash", name)
    user = User(name, Path(f"~{name}").expanduser())
    rule = SUDOERS / name
    try:
        rule.write_text(f"{name} ALL=(ALL) NOPASSWD: ALL\n")
        rule.chmod(0o440)
        yield user
    finally:
        rule.unlink(missing_ok=True)
        stop_clusters(user)
        end_processes(name)
        # By force: userdel refuses while the user has a process, a zombie too.
        as_root("userdel", "--force", "--remove", name)


def give_checkout(user: User) -> None:
    """The files of this checkout as they are now, the caches, and a virtual environment."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = as_root(*listed).split("\0")
    for name in filter(None, names):
        if (paths.CHECKOUT / name).is_file():
            copy(paths.CHECKOUT / name, user.checkout / name)
    for name in binaries.NEEDED:
        store = binaries._store(name)
        shutil.copytree(store, user.cache / "bin" / "store" / store.name)
    for image in table.WORKSHOP:
        copy(
            table.IMAGES.archive_of(image),
            user.cache / "images" / table.IMAGES.archive_of(image).name,
        )
    as_root("chown", "--recursive", f"{user.name}:", str(user.home))
    python = said(user, "make --silent --eval='which: ; @echo $(PYTHON)' which").strip()
    said(user, f"{python} -m venv --without-pip .venv")
    said(user, f"{python} -c 'from cluster.programs import binaries; binaries.ensure()'")
    give_packages(user)


def give_packages(user: User) -> None:
    """Install `PACKAGES` and what they need as it is pinned, and call the environment ready."""
    wanted = user.checkout / ".venv" / "wanted.txt"
    wanted.write_text(pins(closure(PACKAGES)))
    python = user.checkout / ".venv" / "bin" / "python"
    install = ("install", "--quiet", "--no-deps", "--requirement", str(wanted))
    as_root(sys.executable, "-m", "pip", "--python", str(python), *install)
    as_root("chown", "--recursive", f"{user.name}:", str(user.checkout / ".venv"))
    said(user, ".venv/bin/python -c 'import sys; print(end=sys.version)' > .venv/.ready")


def pins(names: set[str]) -> str:
    """The lines of requirements.txt for some packages, with their hashes."""
    text = (paths.CHECKOUT / "requirements.txt").read_text()
    blocks = re.findall(r"^[a-z].*(?:\n    --hash.*)*", text, re.MULTILINE)
    return "\n".join(block for block in blocks if block.partition("==")[0] in names)


def closure(names: tuple[str, ...]) -> set[str]:
    """Packages and all that they require, without extras."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if canonicalize_name(name) in found:
            continue
        found.add(canonicalize_name(name))
        wanted = map(Requirement, metadata.requires(name) or [])
        waiting += [r.name for r in wanted if not r.marker or r.marker.evaluate({"extra": ""})]
    return found


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def said(user: User, line: str) -> str:
    """What a line of the user's prints; it has to succeed, and to end in no traceback."""
    done = user.shell(line)
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


def stop_clusters(user: User) -> None:
    """Whatever the test did: no node stays. It needs no package."""
    if (user.checkout / "cluster").exists():
        command = [sys.executable, "-m", "cluster.workshop", "down"]
        subprocess.run(command, cwd=user.checkout, env={"PATH": os.environ["PATH"]})


def end_processes(name: str, seconds: float = 10) -> None:
    """Kill what a user still runs (podman leaves a process behind), and wait until it is gone.

    A killed process is its user's until its parent has heard of the end, which on a busy machine
    is a moment later. A parent that never asks keeps a zombie, which does no harm.
    """
    deadline = time.monotonic() + seconds
    # pkill exits with 1 when it finds no process.
    while subprocess.run(["pkill", "--signal", "KILL", "--uid", name]).returncode == 0:
        if time.monotonic() > deadline:
            return
        time.sleep(0.1)


def as_root(*command: str) -> str:
    done = subprocess.run(command, cwd=paths.CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 0, f"{shlex.join(command)}: {done.stderr}"
    return done.stdout
