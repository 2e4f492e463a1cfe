"""Runs programs inside a node, above all containerd's `ctr`. Called by `up` and `load`."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from cluster.images import scratch, unpacking
from cluster.lifecycle import record
from cluster.lifecycle.record import Record
from cluster.node import addresses


def in_node(node: Record, *command: str) -> list[str]:
    """A command line that runs a program inside the node."""
    return [
        "nsenter",
        f"--target={node.pid}",
        "--mount",
        "--net",
        "--pid",
        "--uts",
        "--ipc",
        "--",
        *command,
    ]


def import_node_images(node: Record, deadline: float) -> str:
    """Give containerd the images of pause and CoreDNS once it listens; returns why not, or ""."""
    for archive in scratch.node_archives(Path(node.programs)):
        while problem := import_image(node, archive):
            if time.monotonic() > deadline or not record.is_running(node):
                return f"{archive.name} could not be imported: {problem.strip()}"
            time.sleep(0.05)
    return ""


def import_image(node: Record, archive: Path) -> str:
    """Load one archive into the node; returns what went wrong, or nothing."""
    ctr = (f"{addresses.BIN}/ctr", "--address", addresses.CONTAINERD_SOCKET, "-n", "k8s.io")
    command = in_node(node, *ctr, *unpacking.IMPORT, "-")
    with archive.open("rb") as content:
        done = subprocess.run(command, stdin=content, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr or "ctr failed"
