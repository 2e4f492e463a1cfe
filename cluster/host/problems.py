"""What about this machine no package can repair: one sentence each, with the way out in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cluster.errors import CannotGoOn
from cluster.host.machine import ARCHITECTURES, Facts, facts

GIB = 1024**3
OLDEST_KERNEL = (5, 13)  # kube-proxy's nftables mode


def check(wanted: Iterable[tuple[Path, int]] = (), own_cluster: bool = False) -> Facts:
    """The facts of this machine. Raises: CannotGoOn with a sentence for each problem of it."""
    found = problems(seen := facts(wanted), own_cluster)
    if found:
        raise CannotGoOn(".\nCannot go on: ".join(found))
    return seen


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
            "the kernel offers no overlay file system, which containers need; run"
            " `sudo modprobe overlay`, or reboot if the kernel was updated since the last start"
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
