"""Brings a cluster up, mends it and takes it away. Called by `python -m cluster`, as root.

`up` looks at what is there and adds only what is missing, so it is at once the way to
start, to mend and to do nothing. `down` removes everything that `up` made.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from ipaddress import IPv4Network
from pathlib import Path

import yaml

from cluster import (
    binaries,
    certificates,
    cgroups,
    components,
    dns,
    drivers,
    images,
    linux,
    network,
    paths,
    processes,
)
from cluster.api import Api

MANIFESTS = Path(__file__).resolve().parent / "manifests"
START_TIMEOUT_SECONDS = 90
# File systems that cannot hold the upper layer of an overlay mount.
NO_OVERLAY = {"nfs", "nfs4", "ecryptfs", "overlay", "fuse", "fuseblk", "9p", "cifs", "vfat"}


@dataclass(frozen=True)
class Record:
    """What is known of a node that was started: stored as JSON beside its data."""

    pid: int
    started: int  # in clock ticks since boot, so that a reused PID is not taken for ours
    network: str
    programs: str

    @property
    def address(self) -> str:
        return network.ends(IPv4Network(self.network))[1]


def read_record(cluster: paths.Cluster) -> Record | None:
    """The record of the node that was started last, or None."""
    try:
        return Record(**json.loads(cluster.record.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def is_running(record: Record | None) -> bool:
    return record is not None and processes.start_time(record.pid) == record.started


@contextlib.contextmanager
def locked(cluster: paths.Cluster) -> Iterator[None]:
    """One `up` or `down` of a cluster at a time."""
    paths.make_folder(cluster.lock.parent)
    with cluster.lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def up(cluster: paths.Cluster, say: Callable[[str], None]) -> None:
    """Make the cluster run and answer, whatever state it is in.

    Raises: SystemExit with a sentence if it does not.
    """
    with locked(cluster):
        record = read_record(cluster)
        if record and is_running(record) and is_healthy(cluster, record):
            say(f"Cluster {cluster.name} is up")
            return
        start = time.monotonic()
        if record is None or not is_running(record):
            say(f"Starting cluster {cluster.name} (about 6 s)")
            record = start_node(cluster)
        else:
            say(f"Mending cluster {cluster.name}")
        wait_until_healthy(cluster, record, start)
        say(f"Cluster {cluster.name} is up after {time.monotonic() - start:.1f} s")


def is_healthy(cluster: paths.Cluster, record: Record) -> bool:
    """Whether every component runs, the API server is ready and names are answered."""
    return (
        not missing_components(record)
        and api(cluster, record).is_ready()
        and dns.answers(record.pid)
    )


def missing_components(record: Record) -> list[str]:
    running = processes.children(record.pid)
    return [c.name for c in components.components(record.address) if c.name not in running]


def api_ready(record: Record) -> bool:
    """Whether the API server accepts connections: as much as can be seen without credentials."""
    try:
        with socket.create_connection((record.address, components.API_PORT), timeout=1):
            return True
    except OSError:
        return False


def api(cluster: paths.Cluster, record: Record) -> Api:
    return Api(record.address, components.API_PORT, cluster.certificates)


def start_node(cluster: paths.Cluster) -> Record:
    """Prepare the folders, then start the node's first process and connect it."""
    clear_leftovers(cluster)
    programs = binaries.ensure()
    before = read_record(cluster)
    wanted = choose_network(cluster, before)
    prepare_folders(cluster, wanted, programs)
    command = [sys.executable, "-m", "cluster.node", cluster.name, str(programs)]
    log = (cluster.logs / "node.log").open("a")
    node = subprocess.Popen(
        [*command, network.ends(wanted)[1]],
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
        sys.exit(f"Cannot go on: the node did not start: {last_line(cluster, 'node')}")
    node.wait()
    network.connect(cluster.link, wanted, pid)
    record = Record(pid, processes.start_time(pid), str(wanted), str(programs))
    cluster.record.write_text(json.dumps(asdict(record)))
    node.stdin.write("go\n")
    node.stdin.close()
    return record


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
    if filesystem(cluster.var) in NO_OVERLAY:
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


def filesystem(folder: Path) -> str:
    """The type of the file system of a folder, as /proc/self/mounts calls it."""
    best, kind = Path("/"), ""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, target, this_kind = line.split()[:3]
        mounted = Path(target.replace("\\040", " "))
        if folder.is_relative_to(mounted) and len(mounted.parts) >= len(best.parts):
            best, kind = mounted, this_kind
    return kind


def wait_until_healthy(cluster: paths.Cluster, record: Record, start: float) -> None:
    """Import the node's images and apply the manifests while it comes up, then wait for DNS."""
    deadline = start + START_TIMEOUT_SECONDS
    with ThreadPoolExecutor() as pool:
        imports = pool.submit(import_node_images, record, deadline)
        wait_for(lambda: api(cluster, record).is_ready(), deadline, cluster, record)
        apply_manifests(api(cluster, record))
        imports.result()
    wait_for(lambda: is_healthy(cluster, record), deadline, cluster, record)


def wait_for(
    holds: Callable[[], bool], deadline: float, cluster: paths.Cluster, record: Record
) -> None:
    while not holds():
        if not is_running(record):
            sys.exit(f"Cannot go on: the node ended: {last_line(cluster, 'node')}")
        if time.monotonic() > deadline:
            sys.exit(explain(cluster, record))
        time.sleep(0.05)


def explain(cluster: paths.Cluster, record: Record) -> str:
    """The sentence for a cluster that does not come up, with the likeliest component's words."""
    missing = missing_components(record)
    suspect = missing[0] if missing else "kubelet"
    return (
        f"Cannot go on: cluster {cluster.name} did not come up in {START_TIMEOUT_SECONDS} s;"
        f" {suspect} says: {last_line(cluster, suspect)}\n"
        f"See `python -m cluster logs --name {cluster.name} {suspect}`; `python -m cluster down"
        f" --name {cluster.name}` and `up` start afresh"
    )


def last_line(cluster: paths.Cluster, component: str) -> str:
    try:
        lines = (cluster.logs / f"{component}.log").read_text(errors="replace").splitlines()
    except OSError:
        return "nothing"
    return lines[-1] if lines else "nothing"


def apply_manifests(api: Api) -> None:
    for file in sorted(MANIFESTS.glob("*.yaml")):
        for manifest in yaml.safe_load_all(file.read_text()):
            api.apply(manifest)


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


def down(cluster: paths.Cluster, say: Callable[[str], None]) -> None:
    """Stop the cluster and remove all that it left. A cluster that is not there is fine."""
    with locked(cluster):
        start = time.monotonic()
        was_there = cluster.folder.exists()
        record = read_record(cluster)
        if record and is_running(record):
            kill(record)
        clear_leftovers(cluster)
        remove(cluster.folder)
        remove(cluster.fallback)
        with contextlib.suppress(OSError):
            cluster.fallback.parent.rmdir()
        cluster.lock.unlink(missing_ok=True)
        what = f"gone after {time.monotonic() - start:.1f} s" if was_there else "not there"
        say(f"Cluster {cluster.name} is {what}")


def kill(record: Record) -> None:
    """End the node's first process and wait for all others, which the kernel ends with it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(record.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while is_running(record) and time.monotonic() < deadline:
        time.sleep(0.01)


def clear_leftovers(cluster: paths.Cluster) -> None:
    """Remove what a node that was killed leaves outside of its folder."""
    network.disconnect(cluster.link)
    cgroups.remove(cluster.cgroup)


def remove(folder: Path) -> None:
    if folder.exists():
        subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)
