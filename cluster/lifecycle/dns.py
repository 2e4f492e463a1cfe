"""Asks the cluster's DNS one question from inside the node. Called by `health`."""

from __future__ import annotations

import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cluster.node import addresses, linux

NAME = "kubernetes.default.svc.cluster.local"
TIMEOUT_SECONDS = 0.5


def question(name: str) -> bytes:
    """A DNS query for the IPv4 address of a name. Source: RFC 1035, section 4."""
    header = struct.pack(">6H", 0x7F0B, 0x0100, 1, 0, 0, 0)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return header + labels + b"\0" + struct.pack(">2H", 1, 1)


def is_answer(packet: bytes) -> bool:
    """Whether a packet answers `question` without an error and with at least one record."""
    if len(packet) < 12:
        return False
    number, flags, _, answers, _, _ = struct.unpack(">6H", packet[:12])
    return number == 0x7F0B and bool(flags & 0x8000) and flags & 0xF == 0 and answers > 0


def node_socket(pid: int) -> socket.socket:
    """A UDP socket in the network namespace of a process.

    Namespaces belong to threads, and a socket to where it was made: so a thread of its own
    goes there, makes it and ends. Raises: OSError if the process is gone.
    """

    def make() -> socket.socket:
        with Path(f"/proc/{pid}/ns/net").open() as namespace:
            linux.setns(namespace.fileno(), linux.CLONE_NEWNET)
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(make).result()


def answers(pid: int) -> bool:
    """Whether the cluster's DNS Service answers in the network namespace of a process."""
    try:
        with node_socket(pid) as asker:
            asker.settimeout(TIMEOUT_SECONDS)
            asker.sendto(question(NAME), (addresses.DNS_ADDRESS, 53))
            return is_answer(asker.recv(512))
    except OSError:
        return False
