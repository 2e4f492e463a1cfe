"""What is known of a node that was started: JSON beside its data, read by every verb."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from ipaddress import IPv4Network

from cluster import files, paths
from cluster.lifecycle import processes
from cluster.node import network


@dataclass(frozen=True)
class Record:
    """The node's first process, its network and the folder of its programs."""

    pid: int
    started: int  # in clock ticks since boot, so that a reused PID is not taken for ours
    network: str
    programs: str

    @property
    def address(self) -> str:
        return network.ends(IPv4Network(self.network))[1]


def read(cluster: paths.Cluster) -> Record | None:
    """The record of the node that was started last, or None."""
    try:
        known = json.loads(cluster.record.read_text())
        return Record(*(known[name] for name in ("pid", "started", "network", "programs")))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def is_running(record: Record | None) -> bool:
    """Whether the node runs. For one that is hidden from this user, the record's word is taken."""
    return record is not None and (
        processes.start_time(record.pid) == record.started or processes.is_hidden(record.pid)
    )


def write(cluster: paths.Cluster, record: Record) -> None:
    """Replace the record at once: an interruption leaves the old one or the new one."""
    files.write(cluster.record, json.dumps(asdict(record)))


def running(cluster: paths.Cluster) -> Record | None:
    """The record of a node that runs now, or None."""
    record = read(cluster)
    return record if record and is_running(record) and _is_own(cluster, record) else None


def _is_own(cluster: paths.Cluster, record: Record) -> bool:
    """Whether the node is of this very folder, and not of the one that it is a copy of.

    A folder that was moved keeps its node, which knows the folder by the old name.
    """
    _, _, folder = processes.node(record.pid) or ("", "", None)
    if folder is None:
        return processes.is_hidden(record.pid)
    return not os.path.exists(folder) or os.path.samefile(folder, cluster.folder)
