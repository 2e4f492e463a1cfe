"""What the host must have before anything else can run, and how to get it.

`make` calls it through `cluster.prepare` with the system's Python, before the virtual
environment exists, so it needs the standard library alone.

`facts()` looks at the machine; what follows from them is decided by the pure
functions `problems()` and `missing_packages()`.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn

VENV = paths.CHECKOUT / ".venv"
GIB = 1024**3
OLDEST_KERNEL = (5, 13)  # kube-proxy's nftables mode
ARCHITECTURES = ("x86_64", "aarch64")
PROXIES = ("http_proxy", "https_proxy", "no_proxy")
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"

# Each need: the commands that satisfy it (any one), and its package by family of distribution.
NEEDS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "container runtime": (
        ("runc", "crun"),
        {"debian": "runc", "fedora": "runc", "arch": "runc", "suse": "runc"},
    ),
    "packet filter": (
        ("nft",),
        {"debian": "nftables", "fedora": "nftables", "arch": "nftables", "suse": "nftables"},
    ),
    "network links": (
        ("ip",),
        {"debian": "iproute2", "fedora": "iproute", "arch": "iproute2", "suse": "iproute2"},
    ),
    "mounts": (
        ("mount",),
        {"debian": "mount", "fedora": "util-linux", "arch": "util-linux", "suse": "util-linux"},
    ),
    "namespaces": (
        ("nsenter",),
        {
            "debian": "util-linux",
            "fedora": "util-linux",
            "arch": "util-linux",
            "suse": "util-linux",
        },
    ),
    "image builder": (
        ("buildah", "podman"),
        {"debian": "buildah", "fedora": "buildah", "arch": "buildah", "suse": "buildah"},
    ),
    # What a learner types as `docker` (cluster.engine).
    "container command": (
        ("podman",),
        {"debian": "podman", "fedora": "podman", "arch": "podman", "suse": "podman"},
    ),
}
# Where the base image cannot be pulled, the builder makes a stand-in with it. Only Debian's
# family packages it everywhere; elsewhere a registry must be reachable.
STAND_IN_TOOL = "mmdebstrap"
# What `make test-browser` drives: its command, and its package on all of these distributions.
BROWSER = "chromium"
TEST_DATA_PACKAGE = "dataset-fashion-mnist"
TEST_DATA_FOLDER = Path("/usr/share/datasets/fashion-mnist")
INSTALLERS = {
    "fedora": "dnf install",
    "arch": "pacman -S",
    "suse": "zypper install",
}


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
    has_test_data: bool = True


def problems(facts: Facts, own_cluster: bool = False) -> list[str]:
    """One sentence for each thing that no package can repair, with the way out in it.

    With a cluster of the user's own, only Python matters.
    """
    found = []
    if facts.python < (3, 11):
        found.append(
            "Python is {}.{}: the workshop needs 3.11 to 3.13; install one and run"
            " `make PYTHON=python3.12 lab`".format(*facts.python)
        )
    if facts.is_musl:
        found.append(
            "this distribution is built on musl, for which TensorFlow has no package: use Debian,"
            " Ubuntu, Fedora or another with glibc, also in a virtual machine"
        )
    return found if own_cluster else found + _unfit_for_a_node(facts)


def _unfit_for_a_node(facts: Facts) -> list[str]:
    """What keeps a Kubernetes node from running on this machine."""
    if facts.system != "Linux":
        return [
            f"this is {facts.system}: the workshop's cluster needs Linux; run it in a Linux"
            " virtual machine, or use a cluster you have with `make lab KUBECONFIG=FILE`"
        ]
    found = []
    if facts.architecture not in ARCHITECTURES:
        found.append(
            f"the processor is {facts.architecture}: TensorFlow and the cluster are built for"
            f" {' and '.join(ARCHITECTURES)}; use a machine with one of these"
        )
    if facts.kernel < OLDEST_KERNEL:
        found.append(
            "the kernel is {}.{}: Kubernetes needs {}.{} or newer; update the distribution".format(
                *facts.kernel, *OLDEST_KERNEL
            )
        )
    if "overlay" not in facts.filesystems:
        found.append(
            "the kernel offers no overlay file system, which containers need; try"
            " `sudo modprobe overlay`"
        )
    if set(facts.checkout) & set(",:"):
        found.append(
            f"the checkout's path {facts.checkout} holds a comma or a colon, which overlay mounts"
            " cannot name: move it"
        )
    lacking = {"cpu", "memory", "pids"} - facts.cgroup_controllers
    if lacking:
        found.append(
            f"the kernel's control groups lack {', '.join(sorted(lacking))}; boot with"
            " `cgroup_enable=memory cgroup_memory=1` or use a common distribution's kernel"
        )
    for space in facts.spaces:
        if space.free < space.needed:
            found.append(
                f"the disk of {space.folder} has {space.free / GIB:.1f} GiB free, and what is still"
                f" to be made there takes up to {space.needed / GIB:.1f}; free some, or set"
                " XDG_CACHE_HOME to a folder on a larger disk"
            )
    if not facts.is_root and not facts.has_sudo:
        found.append(
            "you are not root and there is no sudo, but namespaces and mounts need root;"
            " install sudo, or run `make` as root"
        )
    return found


def missing_packages(facts: Facts, for_tests: bool = False, own_cluster: bool = False) -> list[str]:
    """Packages of this distribution that the host lacks, in alphabetical order.

    Names are Debian's where the distribution's family is unknown.
    """
    by_docker = {"image builder", "container command"}
    satisfied = by_docker if facts.docker_works else set()
    if own_cluster:
        satisfied = satisfied | (NEEDS.keys() - by_docker)
    packages = {
        by_family.get(facts.family, by_family["debian"])
        for need, (commands, by_family) in NEEDS.items()
        if need not in satisfied and not facts.commands & set(commands)
    }
    if facts.family == "debian":
        if not facts.python_has_venv:
            # Also for a Python beside the distribution's own.
            packages.add("python{}.{}-venv".format(*facts.python))
        if STAND_IN_TOOL not in facts.commands:
            packages.add(STAND_IN_TOOL)
        if for_tests and not facts.has_test_data:
            packages.add(TEST_DATA_PACKAGE)
    return sorted(packages)


def manual_install(facts: Facts, packages: list[str]) -> str:
    """The sentence for a distribution on which the user installs packages by hand."""
    command = INSTALLERS.get(facts.family)
    if command is None:
        return (
            f"install what Debian calls {', '.join(packages)} with this distribution's package"
            " manager, then run make again"
        )
    return f"run `sudo {command} {' '.join(packages)}`, then make again"


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


def search_path() -> str:
    """PATH with the system folders that an ordinary user's PATH lacks on Debian."""
    return os.environ.get("PATH", "") + ":" + SYSTEM_FOLDERS


def spaces(wanted: Iterable[tuple[Path, int]]) -> tuple[Space, ...]:
    """What several folders need, summed over those that are on one disk."""
    found: dict[int, Space] = {}
    for folder, needed in wanted:
        there = next(path for path in (folder, *folder.parents) if path.exists())
        before = found.get(device := there.stat().st_dev)
        if before:
            found[device] = replace(before, needed=before.needed + needed)
        else:
            found[device] = Space(str(there), shutil.disk_usage(there).free, needed)
    return tuple(found.values())


def facts(wanted: Iterable[tuple[Path, int]] = ()) -> Facts:
    """Look at this machine; `wanted` says how many bytes are to be stored in which folder."""
    tools = [command for commands, _ in NEEDS.values() for command in commands]
    tools += [STAND_IN_TOOL, BROWSER, "sudo"]
    found = {command for command in tools if shutil.which(command, path=search_path())}
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
        docker_works=_docker_works(),
        commands=frozenset(found),
        filesystems=frozenset(
            line.split()[-1] for line in _read("/proc/filesystems").splitlines() if line.strip()
        )
        | (frozenset({"overlay"}) if _module_available("overlay") else frozenset()),
        cgroup_controllers=cgroup_controllers(
            _read("/sys/fs/cgroup/cgroup.controllers"), _read("/proc/cgroups")
        ),
        spaces=spaces(wanted),
        has_test_data=TEST_DATA_FOLDER.exists(),
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


def _docker_works() -> bool:
    """Whether Docker's engine answers; podman under that name is no Docker."""
    if not shutil.which("docker"):
        return False
    try:
        named = subprocess.run(["docker", "--version"], capture_output=True, timeout=10)
        if b"podman" in named.stdout.lower():
            return False
        done = subprocess.run(["docker", "info"], capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def as_root(command: list[str]) -> list[str]:
    """The command as root would run it: through sudo unless we are root already."""
    return command if os.geteuid() == 0 else ["sudo", *command]


def check(wanted: Iterable[tuple[Path, int]] = (), own_cluster: bool = False) -> Facts:
    """The facts of this machine. Raises: CannotGoOn with a sentence for each problem of it."""
    found = problems(seen := facts(wanted), own_cluster)
    if found:
        raise CannotGoOn(".\nCannot go on: ".join(found))
    return seen


def install_missing(seen: Facts, for_tests: bool, own_cluster: bool) -> None:
    """Install what the machine lacks, saying so first."""
    packages = missing_packages(seen, for_tests, own_cluster)
    if not packages:
        return
    if seen.family != "debian":
        raise CannotGoOn("the host lacks some tools", fix=manual_install(seen, packages))
    apt_install(packages)
    still_missing = missing_packages(facts(), for_tests, own_cluster)
    if still_missing:
        raise CannotGoOn(f"apt installed no {', '.join(still_missing)}", fix="install it by hand")


def install_browser(seen: Facts) -> None:
    """Install the browser that tests drive. Raises: CannotGoOn where the user has to do it."""
    if BROWSER in seen.commands:
        return
    if seen.family != "debian":
        raise CannotGoOn("the host has no Chromium", fix=manual_install(seen, [BROWSER]))
    apt_install([BROWSER])


def apt_install(packages: list[str]) -> None:
    """Install packages with apt, in the open: the commands are shown before they run."""
    proxies = [f"{n}={v}" for n, v in os.environ.items() if n.lower() in PROXIES]
    environment = ["env", "DEBIAN_FRONTEND=noninteractive", *proxies]
    install = ["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "--quiet=2"], install):
        full = as_root(environment + command)
        print(f"Installing with apt (about a minute): {' '.join(full)}", flush=True)
        done = subprocess.run(full, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            fix = "is there a network, and is another apt running?"
            raise CannotGoOn(f"`{' '.join(full)}` failed", done.stderr[-500:], fix)
