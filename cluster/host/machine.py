"""What this machine is and has; `host.problems` and `host.packages` draw the conclusions.

Standard library alone, as all of `host`: there is no virtual environment yet.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from cluster import paths
from cluster.host import commands, folders, needs, privilege

VENV = paths.CHECKOUT / ".venv"
ANSWER_SECONDS = 20
# As the kernel calls them, and as images do.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Space:
    """What is still to be stored on one disk; sizes in bytes."""

    folder: str
    free: int
    needed: int


@dataclass(frozen=True)
class Facts:
    """What `facts()` saw of the machine. Sizes in bytes."""

    system: str = "Linux"
    architecture: str = "x86_64"
    kernel: tuple[int, int] = (6, 1)
    python: tuple[int, int] = (3, 11)
    python_has_venv: bool = True
    is_musl: bool = False
    family: str = "debian"
    checkout: str = "/lab"
    is_root: bool = True
    has_sudo: bool = False
    docker_works: bool = False
    commands: frozenset[str] = frozenset()
    filesystems: frozenset[str] = frozenset({"overlay"})
    cgroup_controllers: frozenset[str] = frozenset({"cpu", "memory", "pids"})
    spaces: tuple[Space, ...] = ()


def family_of(os_release: str) -> str:
    """`debian`, `fedora`, `arch`, `suse` or `unknown`, from the text of os-release."""
    words = set()
    for line in os_release.splitlines():
        key, _, value = line.partition("=")
        if key in ("ID", "ID_LIKE"):
            words.update(value.strip().strip("\"'").lower().split())
    if words & {"debian", "ubuntu"}:
        return "debian"
    if words & {"fedora", "rhel", "centos"}:
        return "fedora"
    return next((f for f in ("arch", "suse") if any(f in word for word in words)), "unknown")


def cgroup_controllers(v2_controllers: str | None, proc_cgroups: str) -> frozenset[str]:
    """Controllers that the kernel offers: version 2's list where it has them, else version 1's."""
    names = set((v2_controllers or "").split())
    for line in proc_cgroups.splitlines():
        columns = line.split()
        if len(columns) == 4 and columns[3] == "1":
            names.add(columns[0])
    return frozenset(names)


def spaces(wanted: Iterable[tuple[Path, int]]) -> tuple[Space, ...]:
    """What several folders need, summed over those that are on one disk."""
    found: dict[int, Space] = {}
    for folder, needed in wanted:
        there = folders.nearest(folder)
        before = found.get(device := there.stat().st_dev)
        if before:
            found[device] = replace(before, needed=before.needed + needed)
        else:
            found[device] = Space(str(there), shutil.disk_usage(there).free, needed)
    return tuple(found.values())


def facts(wanted: Iterable[tuple[Path, int]] = ()) -> Facts:
    """Look at this machine; `wanted` says how many bytes are to be stored in which folder."""
    found = {c for c in [*needs.COMMANDS, "sudo"] if shutil.which(c, path=privilege.search_path())}
    numbers = platform.release().replace("-", ".").split(".")
    return Facts(
        system=platform.system(),
        architecture=platform.machine(),
        kernel=(_number(numbers[0]), _number(numbers[1])) if len(numbers) > 1 else (0, 0),
        python=(sys.version_info[0], sys.version_info[1]),
        python_has_venv=VENV.exists() or importlib.util.find_spec("ensurepip") is not None,
        is_musl=any(Path("/lib").glob("ld-musl-*")) and not any(Path("/lib64").glob("ld-linux*")),
        family=family_of(_read("/etc/os-release")),
        checkout=str(paths.CHECKOUT),
        is_root=os.geteuid() == 0,
        has_sudo="sudo" in found,
        docker_works=docker_works(),
        commands=frozenset(found),
        filesystems=frozenset(
            line.split()[-1] for line in _read("/proc/filesystems").splitlines() if line.strip()
        )
        | (frozenset({"overlay"}) if _module_available("overlay") else frozenset()),
        cgroup_controllers=cgroup_controllers(
            _read("/sys/fs/cgroup/cgroup.controllers"), _read("/proc/cgroups")
        ),
        spaces=spaces(wanted),
    )


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _module_available(name: str) -> bool:
    folder = Path("/lib/modules") / platform.release()
    return any(folder.glob(f"kernel/fs/{name}*/{name}.ko*")) if folder.exists() else False


def docker_works() -> bool:
    """Whether Docker's engine answers; podman under that name is no Docker."""
    if not shutil.which("docker") or is_podman("docker"):
        return False
    return commands.succeeds(["docker", "info"], ANSWER_SECONDS)


def is_podman(name: str) -> bool:
    """Whether a program is podman, under whatever name."""
    return "podman" in (commands.output_of([name, "--version"], ANSWER_SECONDS) or "").lower()
