"""What a node does with a machine, tried once. `check` says what a refusal means.

Each attempt runs in a child with namespaces of its own, so nothing of the host changes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn, describe
from cluster.node import cgroups, linux

SEEN_IN_NODE = ("/usr/", "/bin/", "/sbin/", "/lib")
# What the rules of kube-proxy and of the node itself use beyond the simplest.
RULES = """
add table ip check
add chain ip check nat { type nat hook prerouting priority dstnat; }
add rule ip check nat fib daddr type local meta l4proto tcp \
 dnat to numgen random mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }
add chain ip check out { type nat hook postrouting priority srcnat; }
add rule ip check out masquerade fully-random
add table inet check
add chain inet check filter { type filter hook forward priority 0; }
add rule inet check filter ct state new meta l4proto tcp reject with tcp reset
add rule inet check filter reject
"""


def in_child(attempt: Callable[[], None]) -> str:
    """Run an attempt in a child process; returns why it failed, or ""."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            os.write(writer, _reason(attempt).encode(errors="replace")[:2000])
            os._exit(0)
        finally:
            os._exit(1)  # whatever happened, the parent's work is not done twice
    os.close(writer)
    with open(reader, errors="replace") as said:
        reason = said.read()
    _, status = os.waitpid(child, 0)
    return reason if reason or not status else "the attempt ended without a word"


def _reason(attempt: Callable[[], None]) -> str:
    try:
        attempt()
    except OSError as error:
        return describe(error) or repr(error)
    except CannotGoOn as error:
        return str(error)
    except BaseException as error:  # silence would be a yes
        return f"{type(error).__name__}: {error}"
    return ""


def namespaces() -> None:
    """Those of a node, with a file system in memory and a /proc, as a node has them."""
    linux.unshare(linux.NODE_NAMESPACES)
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    reason = in_child(_mounts)  # a namespace of processes begins with the next child
    if reason:
        raise CannotGoOn(reason)


def _mounts() -> None:
    linux.mount("tmpfs", "/mnt", "tmpfs")
    os.mkdir("/mnt/proc")
    linux.mount("proc", "/mnt/proc", "proc")


def overlay() -> None:
    """Containers' file systems, in the checkout's .lab or in the folder that stands in for it."""
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    first = _reason(lambda: _overlay_below(paths.STATE))
    if first and (second := _reason(lambda: _overlay_below(paths.FALLBACKS))):
        raise CannotGoOn(f"{first}; {second}")


def _overlay_below(parent: Path) -> None:
    with _scratch(parent) as folder:
        for name in ("lower", "upper", "work", "merged"):
            (folder / name).mkdir()
        layers = "lowerdir=lower,upperdir=upper,workdir=work"
        os.chdir(folder)
        linux.mount("overlay", "merged", "overlay", 0, layers)
        linux.detach("merged")
        os.chdir("/")


def state() -> None:
    """What root does in .lab: on a home that a server shares, root is often nobody."""
    with _scratch(paths.STATE) as folder:
        os.chown(folder, 0, 0)
        os.symlink("x", folder / "link")


def execution() -> None:
    """Programs are run from the cache."""
    with _scratch(paths.CACHE) as folder:
        program = folder / "program"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        subprocess.run([program], check=True)


def groups() -> None:
    """A group with a child in each hierarchy; on version 2 with what the kubelet wants."""
    name = f"{paths.CGROUP}/check-{os.getpid()}"
    try:
        if reason := in_child(lambda: _enter(name)):
            raise CannotGoOn(reason)
    finally:
        cgroups.remove(name, timeout_seconds=1)


def _enter(name: str) -> None:
    cgroups.enter(name)
    mounts = cgroups.here()
    for mount, is_v2 in mounts:
        alone = is_v2 and len(mounts) == 1
        if alone and (lacking := cgroups.lacking(mount, mount / name)):
            raise CannotGoOn(f"{mount / name} has no controller {', '.join(lacking)}")


def link() -> None:
    linux.unshare(linux.CLONE_NEWNET)
    _run(["ip", "link", "add", "check0", "type", "veth", "peer", "name", "check1"])


def rules() -> None:
    linux.unshare(linux.CLONE_NEWNET)
    _run(["nft", "-f", "-"], RULES)


def runtime() -> None:
    """runc runs inside the node, which sees these folders of the host and no others."""
    found = shutil.which("runc") or shutil.which("crun")
    if not found:
        raise CannotGoOn("neither runc nor crun is on PATH")
    if not os.path.realpath(found).startswith(SEEN_IN_NODE):
        raise CannotGoOn(f"{found} is outside of {', '.join(SEEN_IN_NODE)}")


def _run(command: list[str], text: str = "") -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode:
        first = done.stderr.strip().partition("\n")[0]  # nft draws the rule below it
        raise CannotGoOn(f"`{command[0]}` says: {first or f'exit {done.returncode}'}")


@contextlib.contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    paths.make_folder(parent)
    with tempfile.TemporaryDirectory(dir=parent, prefix=".check-") as folder:
        yield Path(folder)
