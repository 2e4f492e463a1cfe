"""Tries what a node needs, before anything is compiled: `python -m cluster check`, as root.

All attempts together take a tenth of a second. A refusal becomes one sentence with its fix.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.node import attempts

MODULES = Path("/lib/modules")
CONTAINER_SIGNS = (Path("/.dockerenv"), Path("/run/.containerenv"))
FORBIDDEN = ("not permitted", "permission denied", "read-only")
OWN_CLUSTER = "or use a cluster that you have, with `make lab KUBECONFIG=FILE`"
RULES_MODULES = (
    *("nf_tables", "nft_fib_ipv4", "nft_numgen", "nft_nat", "nft_masq"),
    *("nft_ct", "nft_reject_ipv4", "nft_reject_inet"),
)


@dataclass(frozen=True)
class Probe:
    """One attempt: what it shows if it fails, and what helps then."""

    what: str
    attempt: Callable[[], None]
    fix: Callable[[str], str]  # of the reason


def machine() -> None:
    """Raises: CannotGoOn with a sentence for the first thing that this machine refuses."""
    for probe in PROBES:
        if reason := attempts.in_child(probe.attempt):
            raise CannotGoOn(probe.what, reason, probe.fix(reason))


def in_container() -> bool:
    return any(sign.exists() for sign in CONTAINER_SIGNS) or b"container=" in _first_environment()


def _first_environment() -> bytes:
    try:
        return Path("/proc/1/environ").read_bytes()
    except OSError:
        return b""


def fix_for_kernel(otherwise: str) -> Callable[[str], str]:
    """The fix where the kernel lacks something: in a container, after an update, or else."""

    def fix(reason: str) -> str:
        if in_container() and any(word in reason for word in FORBIDDEN):
            return (
                "this is a container that may not do it: use a virtual machine, a container"
                f" that was started with --privileged, {OWN_CLUSTER}"
            )
        if MODULES.exists() and not (MODULES / platform.release()).exists():
            return f"the modules of the running kernel {platform.release()} are gone: reboot"
        return otherwise

    return fix


PROBES = (
    Probe(
        "this machine does not let root make namespaces",
        attempts.namespaces,
        fix_for_kernel(f"use a common distribution's kernel in a virtual machine, {OWN_CLUSTER}"),
    ),
    Probe(
        f"root cannot write into {paths.STATE}",
        attempts.state,
        lambda _: (
            "clone the repository to a disk of this machine, such as /var/tmp, and set"
            " XDG_CACHE_HOME to a folder there: on a shared home root is nobody"
        ),
    ),
    Probe(
        "no folder can hold the containers' overlay file systems",
        attempts.overlay,
        fix_for_kernel(
            "clone the repository to a disk of this machine (on WSL: into your Linux home), or"
            " run `sudo modprobe overlay`"
        ),
    ),
    Probe(
        f"programs in {paths.CACHE} cannot be run",
        attempts.execution,
        lambda _: "set XDG_CACHE_HOME to a folder that is not mounted with noexec",
    ),
    Probe(
        "control groups cannot be made",
        attempts.groups,
        fix_for_kernel(
            "mount them writable; on a Raspberry Pi add `cgroup_enable=memory cgroup_memory=1` to"
            " the kernel's command line and reboot"
        ),
    ),
    Probe(
        "network links cannot be made",
        attempts.link,
        fix_for_kernel("run `sudo modprobe veth`; it may be in a package of extra modules"),
    ),
    Probe(
        "nftables rules cannot be made",
        attempts.rules,
        fix_for_kernel(f"run `sudo modprobe -a {' '.join(RULES_MODULES)}`"),
    ),
    Probe(
        "the node cannot see a container runtime",
        attempts.runtime,
        lambda _: (
            "install runc with the distribution's package manager, into /usr; on NixOS and"
            f" Guix, which have no /usr, use a virtual machine with Debian, {OWN_CLUSTER}"
        ),
    ),
)
