"""Runs programs inside a node, above all containerd's `ctr`. Called by `up` and `load`."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from cluster import components, images
from cluster.record import Record


def in_node(record: Record, *command: str) -> list[str]:
    """A command line that runs a program inside the node."""
    return ["nsenter", f"--target={record.pid}", "--mount", "--net", "--pid", "--", *command]


def import_node_images(record: Record, deadline: float) -> None:
    """Give containerd the images of pause and CoreDNS once it listens."""
    for archive in images.node_archives(Path(record.programs)):
        while import_image(record, archive) != "" and time.monotonic() < deadline:
            time.sleep(0.05)


def import_image(record: Record, archive: Path) -> str:
    """Load one archive into the node; returns what went wrong, or nothing."""
    ctr = (f"{components.BIN}/ctr", "--address", components.CONTAINERD_SOCKET, "-n", "k8s.io")
    command = in_node(record, *ctr, "images", "import", "--local", "-")
    with archive.open("rb") as content:
        done = subprocess.run(command, stdin=content, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr or "ctr failed"
