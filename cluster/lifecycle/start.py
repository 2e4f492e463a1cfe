"""Starts a node: folders and configuration first, then its first process, then its network.

Called by `up`; what the node then does by itself is in `cluster.node`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.images import store
from cluster.lifecycle import health, load, processes, record
from cluster.lifecycle.record import Record
from cluster.lifecycle.wants import Wants
from cluster.node import (
    addresses,
    certificates,
    check,
    configuration,
    drivers,
    gpus,
    linux,
    mounts,
    network,
    options,
)
from cluster.node.__main__ import READY
from cluster.node.gpus import Gpus
from cluster.programs import binaries

# File systems that cannot hold the upper layer of an overlay mount.
OVER_A_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "afs", "glusterfs")
SHARED_BY_A_HOST = ("fuse", "fuseblk", "9p", "vboxsf", "virtiofs", "prl_fs", "vmhgfs", "drvfs")
OF_OTHER_SYSTEMS = ("vfat", "exfat", "ntfs3", "msdos", "ecryptfs", "overlay")
NO_OVERLAY = frozenset((*OVER_A_NETWORK, *SHARED_BY_A_HOST, *OF_OTHER_SYSTEMS))
# Counted on an idle node: most belong to the API server, the controllers and the kubelet.
INOTIFY_INSTANCES_NEEDED = 30


def start_node(cluster: paths.Cluster, wants: Wants, say: Callable[[str], None]) -> Record:
    """Prepare the folders, then start the node's first process and connect it."""
    check_inotify()
    check.machine()
    programs = binaries.ensure()
    wanted = choose_network(cluster, record.read(cluster))
    prepare_folders(cluster, wanted, programs, wants.gpus)
    give_images(cluster, programs, wants.images, say)
    command = [sys.executable, "-m", "cluster.node", cluster.name, str(programs)]
    with (cluster.logs / "node.log").open("a") as log:
        node = subprocess.Popen(
            [*command, network.ends(wanted)[1], str(cluster.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=paths.CHECKOUT,
            start_new_session=True,
            text=True,
        )
    assert node.stdin is not None
    with node.stdin, node.stdout or contextlib.nullcontext():  # a closed pipe ends the node
        pid = int(_said(cluster, node, str.isdigit))
        _said(cluster, node, lambda text: text == READY)
        node.wait()
        network.connect(cluster.link, wanted, pid)
        started = Record(pid, processes.start_time(pid), str(wanted), str(programs))
        record.write(cluster, started)
        with contextlib.suppress(BrokenPipeError):  # it ended just now: whoever waits will see
            node.stdin.write("go\n")
            node.stdin.flush()
    return started


def _said(
    cluster: paths.Cluster, node: subprocess.Popen[str], is_expected: Callable[[str], bool]
) -> str:
    """The next line of the node. Raises: CannotGoOn with it if it is a complaint."""
    assert node.stdout is not None
    line = node.stdout.readline().strip()
    if not is_expected(line):
        why = line or health.last_line(cluster, "node")
        fix = "`python -m cluster check` tells what this machine lacks"
        raise CannotGoOn(f"the node of {cluster.name} did not start", why, fix)
    return line


def choose_network(cluster: paths.Cluster, before: Record | None) -> IPv4Network:
    """The network that the cluster had, if it is still free: its kubeconfig stays valid."""
    taken = network.taken()
    chosen = options.read(cluster).network
    pools = [options.pool(chosen)] if chosen else network.POOLS
    if before:
        had = IPv4Network(before.network)
        fits = had.prefixlen == network.PREFIX_LENGTH
        if fits and any(had.subnet_of(pool) for pool in pools) and network.is_free(had, taken):
            return had
    return network.choose(int(cluster.id, 16), taken, pools)


def prepare_folders(
    cluster: paths.Cluster, wanted: IPv4Network, programs: Path, simulated: Gpus
) -> None:
    """Everything on disk that the node reads when it starts."""
    for folder in (cluster.folder, cluster.folder / "root", cluster.etc / "pki", cluster.logs):
        folder.mkdir(parents=True, exist_ok=True)
    for below in ("lib/containerd", "lib/volumes", "tmp", "log/pods", "log/containers"):
        (cluster.var / below).mkdir(parents=True, exist_ok=True)
    # A Pod may leave a program there that runs as its owner, root, whoever starts it: nobody of
    # the host enters. Pods need no way in: what they get is mounted.
    (cluster.var / "lib").chmod(0o700)
    let_user_read(cluster.var / "log" / "pods")
    (cluster.etc / "cni").mkdir(exist_ok=True)
    (cluster.logs / "failures.json").unlink(missing_ok=True)
    mounted = os.fsdecode(Path("/proc/self/mounts").read_bytes())
    if filesystem(cluster.var, mounted) in NO_OVERLAY:
        cluster.fallback.mkdir(parents=True, exist_ok=True)
    address = network.ends(wanted)[1]
    service = addresses.API_SERVICE_ADDRESS
    certificates.ensure(cluster.certificates, addresses.NODE_NAME, address, service)
    write_config(cluster)
    gpus.write(cluster, simulated)
    drivers.write(cluster.drivers, simulated.driver, programs / "nvidia-smi")
    shutil.copyfile(cluster.certificates / "admin.kubeconfig", cluster.kubeconfig)
    cluster.kubeconfig.chmod(0o600)
    for path in (cluster.folder, cluster.kubeconfig):
        paths.hand_to_user(path)


def give_images(
    cluster: paths.Cluster, programs: Path, archives: Sequence[Path], say: Callable[[str], None]
) -> None:
    """Let a node that has no images yet begin with these."""
    containers = mounts.containers_folder(cluster) or cluster.var / "lib" / "containerd"
    if not any(containers.iterdir()) and store.lend(archives, programs, containers, say):
        load.remember(cluster, *archives)


def let_user_read(folder: Path) -> None:
    """Let who called sudo read the Pods' logs, for `export logs`, also when nothing runs.

    containerd lets a log's group read it, and what is made in the folder has the folder's group.
    """
    os.chown(folder, -1, paths.user()[1])
    folder.chmod(0o2750)


def write_config(cluster: paths.Cluster) -> None:
    """The components' configuration files."""
    runtime = shutil.which("runc") or shutil.which("crun") or "/usr/sbin/runc"
    status = Path("/proc/self/status").read_text()
    may_lower = linux.has_capability(linux.CAP_SYS_RESOURCE, status)
    files = {
        "containerd.toml": configuration.containerd_config(runtime, may_lower),
        "kubelet.json": configuration.kubelet_config(
            cluster.cgroup, reserved(options.read(cluster))
        ),
        "cni/10-lab.conflist": configuration.cni_config(),
        "resolv.conf": "",
    }
    for name, text in files.items():
        (cluster.etc / name).write_text(text)


def reserved(chosen: options.Options) -> dict[str, str]:
    """What Pods do not get: 1 GiB for the rest of the machine, and what is beyond the limits."""
    host_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    beyond = max(0, host_bytes - chosen.memory_bytes) if chosen.memory_bytes else 0
    found = {"memory": str((1 << 30) + beyond)}
    if chosen.cpus and (spare := (os.cpu_count() or 1) - chosen.cpus) > 0:
        found["cpu"] = f"{int(spare * 1000)}m"
    return found


def filesystem(folder: Path, mounts: str) -> str:
    """The type of the file system of a folder, by the text of /proc/self/mounts.

    It is `fuse` for all that a program serves, such as fuse.sshfs.
    """
    best, kind = Path("/"), ""
    for line in mounts.splitlines():
        _, target, this_kind = line.split()[:3]
        mounted = Path(re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), target))
        if folder.is_relative_to(mounted) and len(mounted.parts) >= len(best.parts):
            best, kind = mounted, this_kind.partition(".")[0]
    return kind


def check_inotify() -> None:
    """Raises: CannotGoOn where the kernel lets root watch too few files for another node.

    There containerd and the kubelet fail in ways that nobody understands.
    """
    allowed = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    used = processes.inotify_instances(uid=0)
    if used + INOTIFY_INSTANCES_NEEDED > allowed:
        raise CannotGoOn(
            f"root uses {used} of the {allowed} inotify instances that this kernel"
            f" allows, and a cluster needs {INOTIFY_INSTANCES_NEEDED}",
            fix="stop another cluster, or run `sudo sysctl fs.inotify.max_user_instances=1024`",
        )
