"""What the host must have before anything else can run, and how to get it.

`make` calls it with the system's Python, before the virtual environment
exists, so it needs the standard library alone:

    python3 -m cluster.host prepare     check, then install what is missing
    python3 -m cluster.host venv        the virtual environment and its packages

`facts()` looks at the machine; what follows from them is decided by the pure
functions `problems()` and `missing_packages()`.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
VENV = CHECKOUT / ".venv"
DISK_BYTES_NEEDED = 16 * 1024**3  # while the programs are built; 8 GB stay
OLDEST_KERNEL = (5, 13)  # kube-proxy's nftables mode
ARCHITECTURES = ("x86_64", "aarch64")
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
TEST_DATA_PACKAGE = "dataset-fashion-mnist"
TEST_DATA_FOLDER = Path("/usr/share/datasets/fashion-mnist")
INSTALLERS = {
    "fedora": "dnf install",
    "arch": "pacman -S",
    "suse": "zypper install",
}


@dataclass(frozen=True)
class Facts:
    """What `facts()` saw of the machine. Sizes in bytes."""

    system: str = "Linux"
    architecture: str = "x86_64"
    kernel: tuple[int, int] = (6, 1)
    python: tuple[int, int] = (3, 11)
    python_has_venv: bool = True
    family: str = "debian"
    is_root: bool = True
    has_sudo: bool = False
    docker_works: bool = False
    commands: frozenset[str] = frozenset()
    filesystems: frozenset[str] = frozenset({"overlay"})
    cgroup_controllers: frozenset[str] = frozenset({"cpu", "memory", "pids"})
    disk_free_bytes: int = DISK_BYTES_NEEDED
    has_test_data: bool = True
    disk_folder: str = field(default=".", compare=False)


def problems(facts: Facts, own_cluster: bool = False) -> list[str]:
    """One sentence for each thing that no package can mend, with the way out in it.

    With a cluster of the user's own, only Python matters.
    """
    found = []
    if facts.python < (3, 11):
        found.append(
            "Python is {}.{}: the workshop needs 3.11 to 3.13; install one and run"
            " `make PYTHON=python3.12 lab`".format(*facts.python)
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
    lacking = {"cpu", "memory", "pids"} - facts.cgroup_controllers
    if lacking:
        found.append(
            f"the kernel's control groups lack {', '.join(sorted(lacking))}; boot with"
            " `cgroup_enable=cpuset,memory` or use a common distribution's kernel"
        )
    if facts.disk_free_bytes < DISK_BYTES_NEEDED:
        found.append(
            f"{facts.disk_folder} has {facts.disk_free_bytes / 1024**3:.1f} GiB free and the"
            f" workshop takes up to {DISK_BYTES_NEEDED / 1024**3:.0f}; free some, or set"
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
            packages.add("python3-venv")
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


def facts() -> Facts:
    """Look at this machine."""
    wanted = [command for commands, _ in NEEDS.values() for command in commands]
    found = {c for c in [*wanted, STAND_IN_TOOL, "sudo"] if shutil.which(c, path=search_path())}
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    disk_folder = next(folder for folder in (cache, *cache.parents) if folder.exists())
    numbers = platform.release().replace("-", ".").split(".")
    return Facts(
        system=platform.system(),
        architecture=platform.machine(),
        kernel=(_number(numbers[0]), _number(numbers[1])) if len(numbers) > 1 else (0, 0),
        python=(sys.version_info[0], sys.version_info[1]),
        python_has_venv=VENV.exists() or importlib.util.find_spec("ensurepip") is not None,
        family=family_of(_read("/etc/os-release")),
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
        # What an earlier run left in the cache need not be stored again.
        disk_free_bytes=shutil.disk_usage(disk_folder).free + _cache_bytes(cache),
        has_test_data=TEST_DATA_FOLDER.exists(),
        disk_folder=str(disk_folder),
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


def _cache_bytes(cache: Path) -> int:
    folder = cache / "tfjob-workshop"
    # Two flat folders: the builder's store beside them is deep, and changes while it builds.
    files = [*folder.glob("bin/*/*"), *folder.glob("images/*")]
    return sum(file.stat().st_size for file in files if file.is_file())


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


def check(own_cluster: bool = False) -> Facts:
    """Exit with one sentence for each problem of this machine; return its facts if none."""
    found = problems(seen := facts(), own_cluster)
    if found:
        sys.exit("\n".join(f"Cannot go on: {problem}." for problem in found))
    return seen


def prepare(for_tests: bool, own_cluster: bool) -> None:
    """Check the machine and install what it lacks, saying so first."""
    seen = check(own_cluster)
    packages = missing_packages(seen, for_tests, own_cluster)
    if not packages:
        return
    if seen.family != "debian":
        sys.exit(f"Cannot go on: the host lacks some tools; {manual_install(seen, packages)}.")
    apt_install(packages)
    still_missing = missing_packages(facts(), for_tests, own_cluster)
    if still_missing:
        sys.exit(f"Cannot go on: apt installed no {', '.join(still_missing)}; do it by hand.")


def apt_install(packages: list[str]) -> None:
    """Install packages with apt, in the open: the commands are shown before they run."""
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    install = ["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "--quiet=2"], install):
        full = as_root(environment + command)
        print(f"Installing with apt (about a minute): {' '.join(full)}", flush=True)
        if subprocess.run(full, stdout=subprocess.DEVNULL).returncode:
            sys.exit(
                f"Cannot go on: `{' '.join(full)}` failed; is there a network, and is another"
                " apt running?"
            )


def make_venv() -> None:
    """Create .venv and install requirements.txt into it; continues where it was interrupted."""
    python = VENV / "bin" / "python"
    if not (VENV / "bin" / "pip").exists():
        _run([sys.executable, "-m", "venv", "--clear", str(VENV)], "the virtual environment")
    requirements = CHECKOUT / "requirements.txt"
    install_requirements(python, requirements)
    _run([str(python), "-m", "bash_kernel.install", "--sys-prefix"], "the notebooks' bash kernel")
    (VENV / ".ready").touch()


def install_requirements(python: Path, requirements: Path) -> None:
    """pip install, shown as a count of packages instead of pip's own page of text."""
    total = sum(1 for line in requirements.read_text().splitlines() if line[:1].isalnum())
    command = [str(python), "-m", "pip", "install", "--requirement", str(requirements)]
    output: list[str] = []
    seen = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            output.append(line)
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                seen += 1
                _progress(f"Python packages: {seen} of about {total}")
            elif line.startswith("Installing collected packages"):
                _progress("Python packages: unpacking (about a minute)")
    _progress("")
    if pip.returncode:
        errors = [line for line in output if line.startswith("ERROR")] or output[-3:]
        sys.exit(
            "Cannot go on: pip could not install requirements.txt; is there a network? It said:\n"
            + "".join(errors)
        )


def _progress(text: str) -> None:
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"Cannot go on: making {what} failed: {done.stdout.strip()[-500:]}")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python3 -m cluster.host", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("prepare", help="check this machine and install what it lacks")
    verb.add_argument("--tests", action="store_true", help="also what only the tests need")
    verb.add_argument("--own-cluster", action="store_true", help="no node runs on this machine")
    verbs.add_parser("venv", help="make the virtual environment, .venv")
    options = parser.parse_args(arguments)
    if options.verb == "prepare":
        prepare(options.tests, options.own_cluster)
    else:
        print("Python packages: installing into .venv (2 to 4 minutes the first time)", flush=True)
        make_venv()


if __name__ == "__main__":
    main()
