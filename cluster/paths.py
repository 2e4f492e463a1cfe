"""Where everything lives: the checkout's state, the user's cache, the addresses inside a node.

Every other module of this package asks here; nothing is created by asking.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import re
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import CannotGoOn

CHECKOUT = Path(__file__).resolve().parent.parent
# Who uses the package as a library keeps clusters elsewhere: see `cluster.library`.
STATE_VARIABLE = "CLUSTER_STATE"
# The parent of every cluster's control groups, and of what .lab cannot hold.
CGROUP = "tfjob-workshop"
FALLBACKS = Path("/var/lib/tfjob-workshop")
NAME_PATTERN = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")


def user() -> tuple[int, int]:
    """(uid, gid) of the person at the keyboard, also when sudo made us root."""
    if os.geteuid() == 0 and "SUDO_UID" in os.environ:
        return int(os.environ["SUDO_UID"]), int(os.environ.get("SUDO_GID", "0"))
    return os.geteuid(), os.getegid()


def _chosen(variable: str) -> str:
    """The folder that a variable names; the programs that we start elsewhere find it, too."""
    if chosen := os.environ.get(variable, ""):
        os.environ[variable] = chosen = str(Path(chosen).absolute())
    return chosen


def _cache() -> Path:
    chosen = _chosen("XDG_CACHE_HOME")
    if not chosen and "SUDO_UID" in os.environ and os.geteuid() == 0:
        chosen = f"{pwd.getpwuid(user()[0]).pw_dir}/.cache"
    return Path(chosen or Path.home() / ".cache") / "tfjob-workshop"


STATE = Path(_chosen(STATE_VARIABLE) or CHECKOUT / ".lab")
CACHE = _cache()


@dataclass(frozen=True)
class Cluster:
    """The folders of one cluster on the host, and the short id of its links and cgroups."""

    name: str
    state: Path | None = None  # None: this checkout's

    @property
    def folder(self) -> Path:
        return (self.state or STATE) / "clusters" / self.name

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def certificates(self) -> Path:
        return self.folder / "pki"

    @property
    def logs(self) -> Path:
        return self.var / "log" / "components"

    @property
    def var(self) -> Path:
        """What the node sees as /var: etcd's data, containers, volumes, the Pods' logs."""
        return self.folder / "var"

    @property
    def etc(self) -> Path:
        """What the node sees as /etc/kubernetes: configuration of the components."""
        return self.folder / "etc"

    @property
    def drivers(self) -> Path:
        return self.folder / "drivers"

    @property
    def record(self) -> Path:
        """JSON about the running node: see `lifecycle.record`."""
        return self.folder / "node.json"

    @property
    def options(self) -> Path:
        """JSON of what the user chose: see `node.options`."""
        return self.folder / "options.json"

    @property
    def gpus(self) -> Path:
        """JSON about the simulated GPUs: see `node.gpus`."""
        return self.folder / "gpus.json"

    @property
    def lock(self) -> Path:
        return self.folder.with_name(f".{self.name}.lock")

    @property
    def id(self) -> str:
        """Eight characters that differ between checkouts and names."""
        return hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:8]

    @property
    def cgroup(self) -> str:
        return cgroup_of(self.id)

    @property
    def link(self) -> str:
        """The host's end of the veth pair; a link's name has at most 15 characters."""
        return link_of(self.id)

    @property
    def fallback(self) -> Path:
        """Holds the containers where .lab's own file system cannot carry an overlay."""
        return FALLBACKS / self.id


def cgroup_of(id: str) -> str:
    return f"{CGROUP}/{id}"


def link_of(id: str) -> str:
    return f"tfjob{id}"


def cluster(name: str, state: Path | None = None) -> Cluster:
    """Raises: CannotGoOn if the name cannot be one."""
    if not NAME_PATTERN.fullmatch(name):
        raise CannotGoOn(
            f"{name!r} cannot name a cluster", fix="use up to 32 small letters, digits and dashes"
        )
    return Cluster(name, state.absolute() if state else None)


def kubeconfig(name: str) -> Path:
    return cluster(name).kubeconfig


def clusters() -> list[str]:
    """Names of the clusters of this checkout that have state, running or not."""
    folder = STATE / "clusters"
    found = folder.iterdir() if folder.is_dir() else []
    return sorted(path.name for path in found if NAME_PATTERN.fullmatch(path.name))


def hand_to_user(path: Path) -> None:
    """Give one file or folder that root made to the person who called sudo."""
    if os.geteuid() == 0:
        with contextlib.suppress(FileNotFoundError):  # another process may remove it at any time
            os.chown(path, *user(), follow_symlinks=False)


def make_folder(path: Path) -> None:
    """Create a folder that belongs to the user, parents included."""
    for step in [*reversed(path.parents), path]:
        if not step.exists():
            step.mkdir(exist_ok=True)
            hand_to_user(step)


def to_disk(path: Path) -> None:
    """Have a file or folder on the disk itself: after a power cut it is whole."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
