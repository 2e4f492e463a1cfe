"""The commands that a node or a builder calls, and the packages that bring them, as data."""

from __future__ import annotations

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
    # What a learner types as `docker` (cluster.workshop.engine).
    "container command": (
        ("podman",),
        {"debian": "podman", "fedora": "podman", "arch": "podman", "suse": "podman"},
    ),
}
# Where the base image cannot be pulled, the builder makes a stand-in with it. Only Debian's
# family packages it everywhere; elsewhere a registry must be reachable.
STAND_IN_TOOL = "mmdebstrap"
# Silverblue and its like have no dnf.
OSTREE = "rpm-ostree"
# What some tests drive: its command, and its package on all of these distributions.
BROWSER = "chromium"
_NEEDED = [command for names, _ in NEEDS.values() for command in names]
# Every command that is looked for.
COMMANDS = (*_NEEDED, STAND_IN_TOOL, OSTREE, BROWSER)
