"""Starts a node: folders and configuration first, then its first process, then its network.

Called by `cluster.up`; what the node then does by itself is in `cluster.node`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from ipaddress import IPv4Network
from pathlib import Path

from cluster import (
    binaries,
    certificates,
    components,
    drivers,
    health,
    linux,
    network,
    paths,
    processes,
    record,
)
from cluster.record import Record

# File systems that cannot hold the upper layer of an overlay mount.
NO_OVERLAY = {"nfs", "nfs4", "ecryptfs", "overlay", "fuse", "fuseblk", "9p", "cifs", "vfat"}
# Counted on an idle node: most belong to the API server, the controllers and the kubelet.
INOTIFY_INSTANCES_NEEDED = 30


def start_node(cluster: paths.Cluster, gpus: components.Gpus) -> Record:
    """Prepare the folders, then start the node's first process and connect it."""
    check_inotify()
    programs = binaries.ensure()
    wanted = choose_network(cluster, record.read(cluster))
    prepare_folders(cluster, wanted, programs)
    command = [sys.executable, "-m", "cluster.node", cluster.name, str(programs)]
    log = (cluster.logs / "node.log").open("a")
    node = subprocess.Popen(
        [*command, network.ends(wanted)[1], *arguments(gpus)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        cwd=paths.CHECKOUT,
        start_new_session=True,
        text=True,
    )
    assert node.stdout is not None
    assert node.stdin is not None
    pid = int(node.stdout.readline() or 0)
    if not pid:
        sys.exit(f"Cannot go on: the node did not start: {health.last_line(cluster, 'node')}")
    node.wait()
    network.connect(cluster.link, wanted, pid)
    started = Record(
        pid,
        processes.start_time(pid),
        str(wanted),
        str(programs),
        gpus.count,
        gpus.with_old_name,
    )
    record.write(cluster, started)
    node.stdin.write("go\n")
    node.stdin.close()
    return started


def arguments(gpus: components.Gpus) -> tuple[str, str]:
    """The last two arguments of `cluster.node`."""
    return str(gpus.count), "both" if gpus.with_old_name else "today"


def choose_network(cluster: paths.Cluster, before: Record | None) -> IPv4Network:
    """The network that the cluster had, if it is still free: its kubeconfig stays valid."""
    taken = network.taken()
    if before:
        had = IPv4Network(before.network)
        if not any(had.overlaps(other) for other in taken):
            return had
    return network.choose(int(cluster.id, 16), taken)


def prepare_folders(cluster: paths.Cluster, wanted: IPv4Network, programs: Path) -> None:
    """Everything on disk that the node reads when it starts."""
    for folder in (cluster.folder, cluster.folder / "root", cluster.etc / "pki", cluster.logs):
        folder.mkdir(parents=True, exist_ok=True)
    for below in ("lib/containerd", "lib/volumes", "tmp", "log/pods", "log/containers"):
        (cluster.var / below).mkdir(parents=True, exist_ok=True)
    (cluster.etc / "cni").mkdir(exist_ok=True)
    if filesystem(cluster.var, Path("/proc/self/mounts").read_text()) in NO_OVERLAY:
        cluster.fallback.mkdir(parents=True, exist_ok=True)
    address = network.ends(wanted)[1]
    service = components.API_SERVICE_ADDRESS
    certificates.ensure(cluster.certificates, components.NODE_NAME, address, service)
    write_config(cluster)
    drivers.write(cluster.drivers, programs / "nvidia-smi")
    shutil.copyfile(cluster.certificates / "admin.kubeconfig", cluster.kubeconfig)
    cluster.kubeconfig.chmod(0o600)
    for path in (cluster.folder, cluster.kubeconfig):
        paths.hand_to_user(path)


def write_config(cluster: paths.Cluster) -> None:
    """The components' configuration files."""
    runtime = shutil.which("runc") or shutil.which("crun") or "/usr/sbin/runc"
    status = Path("/proc/self/status").read_text()
    may_lower = linux.has_capability(linux.CAP_SYS_RESOURCE, status)
    files = {
        "containerd.toml": components.containerd_config(runtime, may_lower),
        "kubelet.json": components.kubelet_config(cluster.cgroup),
        "cni/10-lab.conflist": components.cni_config(),
        "resolv.conf": "",
    }
    for name, text in files.items():
        (cluster.etc / name).write_text(text)


def filesystem(folder: Path, mounts: str) -> str:
    """The type of the file system of a folder, by the text of /proc/self/mounts."""
    best, kind = Path("/"), ""
    for line in mounts.splitlines():
        _, target, this_kind = line.split()[:3]
        mounted = Path(target.replace("\\040", " "))
        if folder.is_relative_to(mounted) and len(mounted.parts) >= len(best.parts):
            best, kind = mounted, this_kind
    return kind


def check_inotify() -> None:
    """Exit with a sentence where the kernel lets root watch too few files for another node.

    containerd and the kubelet then fail in ways that nobody understands.
    """
    allowed = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    used = processes.inotify_instances(uid=0)
    if used + INOTIFY_INSTANCES_NEEDED > allowed:
        sys.exit(
            f"Cannot go on: root uses {used} of the {allowed} inotify instances that this kernel"
            f" allows, and a cluster needs {INOTIFY_INSTANCES_NEEDED}; stop another cluster, or"
            " run `sudo sysctl fs.inotify.max_user_instances=1024`"
        )
