"""The life of a local cluster: start, repair, stand beside another, leave nothing.

Destructive, so it has clusters of its own and never touches the one called `test`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import paths
from cluster.lifecycle import processes
from cluster.lifecycle import record as records
from cluster.node import cgroups, components
from cluster.programs import binaries
from cluster.workshop import table
from tests import side_by_side
from tests.cluster.waits import wait_until

NAME = "repair"
COMPONENTS = [component.name for component in components.components("")]
DEFAULT_PATHS = (
    "/etc/cni",
    "/etc/kubernetes",
    "/opt/cni",
    "/run/containerd",
    "/run/netns",
    "/run/tfjob-workshop",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/var/lib/etcd",
    "/var/lib/kubelet",
    "/var/lib/tfjob-workshop",
    "/var/log/containers",
    "/var/log/pods",
)
SETTINGS = (
    "kernel/panic",
    "kernel/panic_on_oops",
    "net/ipv4/ip_forward",
    "net/netfilter/nf_conntrack_max",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)


def verb(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cluster", *arguments]
    done = subprocess.run(command, cwd=paths.CHECKOUT, capture_output=True, text=True)
    if check and done.returncode:
        pytest.fail(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def record(name: str = NAME) -> records.Record:
    found = records.read(paths.cluster(name))
    assert found is not None
    return found


def kubectl(name: str, *arguments: str) -> str:
    program = str(Path(record(name).programs) / "kubectl")
    command = [program, f"--kubeconfig={paths.kubeconfig(name)}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def repaired() -> Iterator[str]:
    verb("up", "--bare", "--name", NAME)
    yield NAME
    verb("down", "--name", NAME)


def test_up_on_a_running_cluster_changes_nothing(repaired):
    before = (record(), processes.children(record().pid))
    said = verb("up", "--bare", "--name", repaired).stdout
    assert (record(), processes.children(record().pid)) == before
    assert said == f"Cluster {repaired} is up\n"


@pytest.mark.parametrize("component", COMPONENTS)
def test_up_repairs_a_cluster_after_a_component_was_killed(repaired, component):
    kubectl(repaired, "create", "configmap", f"before-{component}")
    first = processes.children(record().pid)[component]
    os.kill(first, signal.SIGKILL)
    verb("up", "--bare", "--name", repaired)
    assert processes.children(record().pid)[component] != first
    kubectl(repaired, "get", "configmap", f"before-{component}")
    assert verb("status", "--name", repaired).returncode == 0


def test_up_repairs_a_cluster_of_which_everything_was_killed_and_keeps_its_objects(repaired):
    kubectl(repaired, "create", "configmap", "kept")
    before = record()
    for pid in [before.pid, *cgroups.members(paths.cluster(repaired).cgroup)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    verb("up", "--bare", "--name", repaired)
    assert record().pid != before.pid
    assert record().network == before.network
    kubectl(repaired, "get", "configmap", "kept")


def test_up_goes_on_after_it_was_interrupted_anywhere():
    name = "cut"
    command = [sys.executable, "-m", "cluster", "up", "--bare", "--name", name]
    try:
        for seconds in (0.3, 0.6, 1.5, 3.0):
            started = subprocess.Popen(command, cwd=paths.CHECKOUT, stdout=subprocess.DEVNULL)
            time.sleep(seconds)
            started.kill()
            started.wait()
        verb("up", "--bare", "--name", name)
        assert "lab-node" in kubectl(name, "get", "nodes")
    finally:
        verb("down", "--name", name)


def test_gpus_come_back_after_the_kubelet_forgot_them(repaired):
    os.kill(processes.children(record().pid)["kubelet"], signal.SIGKILL)
    verb("up", "--bare", "--name", repaired)
    for name in (table.GPU_NAME, table.GPU_NAME_2017):
        wait_until(lambda name=name: allocatable(repaired).get(name) == "4")


def test_up_starts_a_node_again_that_hangs_and_keeps_its_objects(repaired):
    kubectl(repaired, "create", "configmap", "before-it-hung")
    before = record()
    os.kill(processes.children(before.pid)["etcd"], signal.SIGSTOP)
    said = verb("status", "--name", repaired, check=False)
    assert said.returncode == 1
    assert "stopped by a signal" in said.stdout
    assert "does not answer" in said.stdout
    assert "Starting the node again" in verb("up", "--bare", "--name", repaired).stdout
    assert record().pid != before.pid
    kubectl(repaired, "get", "configmap", "before-it-hung")


def test_stop_keeps_objects_and_start_brings_them_back(repaired):
    kubectl(repaired, "create", "configmap", "before-the-night")
    verb("stop", "--name", repaired)
    assert verb("status", "--name", repaired, check=False).returncode == 1
    assert cgroups.members(paths.cluster(repaired).cgroup) == set()
    assert f"{repaired} " in verb("list").stdout
    verb("start", "--bare", "--name", repaired)
    kubectl(repaired, "get", "configmap", "before-the-night")


def test_a_node_ends_at_once_when_the_machine_shuts_down_and_keeps_its_objects(repaired):
    """systemd sends SIGTERM to every process, and waits 90 seconds for those that stay."""
    kubectl(repaired, "create", "configmap", "before-the-shutdown")
    os.kill(record().pid, signal.SIGTERM)
    wait_until(lambda: not records.is_running(record()))
    wait_until(lambda: cgroups.members(paths.cluster(repaired).cgroup) == set())
    verb("up", "--bare", "--name", repaired)
    kubectl(repaired, "get", "configmap", "before-the-shutdown")


def test_status_is_json_for_programs(repaired):
    # kubectl writes the kubeconfig again, as YAML.
    kubectl(repaired, "config", "set-context", "--current", "--namespace=default")
    found = json.loads(verb("status", "--name", repaired, "--output", "json").stdout)
    assert found["well"]
    assert {part["name"] for part in found["parts"]} == {*COMPONENTS, "API server", "Node"}


def test_a_command_runs_in_the_node(repaired):
    assert verb("shell", "--name", repaired, "--", "hostname").stdout.strip() == "lab-node"


def test_an_export_holds_logs_and_objects_and_no_key(repaired, tmp_path):
    target = tmp_path / "logs.tar.gz"
    verb("export", "logs", str(target), "--name", repaired)
    with tarfile.open(target) as archive:
        texts = {name: archive.extractfile(name).read() for name in archive.getnames()}
    assert {f"{repaired}/status.txt", f"{repaired}/components/etcd.log"} <= set(texts)
    assert b"lab-node" in texts[f"{repaired}/objects/nodes.yaml"]
    assert not [name for name, text in texts.items() if b"PRIVATE KEY-----" in text]


def test_gpus_and_limits_are_the_users_choice_and_stay(repaired):
    verb("up", "--bare", "--name", repaired, "--gpus", "2", "--memory", "5Gi", "--cpus", "1")
    verb("up", "--bare", "--name", repaired)
    wait_until(lambda: allocatable(repaired)["nvidia.com/gpu"] == "2")
    assert allocatable(repaired)["cpu"] == "1"
    limits = [
        int(file.read_text())
        for mount, _ in cgroups.here()
        for name in ("memory.max", "memory.limit_in_bytes")
        if (file := mount / paths.cluster(repaired).cgroup / name).exists()
    ]
    assert limits == [5 << 30]
    verb("up", "--bare", "--name", repaired, "--gpus", "4")


def allocatable(name: str) -> dict[str, str]:
    node = json.loads(kubectl(name, "get", "node", "lab-node", "--output=json"))
    return dict(node["status"]["allocatable"])


def test_a_cluster_comes_up_whatever_the_umask():
    name = "mask"
    before = os.umask(0o077)
    try:
        verb("up", "--bare", "--name", name)
        assert verb("status", "--name", name).returncode == 0
    finally:
        os.umask(before)
        verb("down", "--name", name)


def test_a_program_that_is_not_whole_is_named_within_seconds(tmp_path):
    """The cache of a machine that lost power: the program is there, and cannot be started."""
    name = "broken"
    programs = tmp_path / "programs"
    shutil.copytree(binaries.folder(), programs)
    (programs / "etcd").write_bytes(b"")
    code = f"""
import pathlib
from cluster import paths
from cluster.lifecycle import up
from cluster.programs import binaries
from cluster.errors import explained
binaries.ensure = lambda *_: pathlib.Path({str(programs)!r})
with explained(): up.up(paths.cluster({name!r}), print)
"""
    command = [sys.executable, "-c", code]
    started = time.monotonic()
    try:
        done = subprocess.run(command, cwd=paths.CHECKOUT, capture_output=True, text=True)
        assert done.returncode == 1
        assert "etcd does not run" in done.stderr
        assert "cannot be started" in done.stderr
        assert "Traceback" not in done.stderr
        assert time.monotonic() - started < 30
    finally:
        verb("down", "--name", name)


def test_nothing_leaves_the_node(repaired):
    routes = subprocess.run(
        ["nsenter", f"--net=/proc/{record().pid}/ns/net", "ip", "route"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "default" not in routes


def test_the_kubelet_refuses_who_does_not_say_who_he_is(repaired):
    ask = ["nsenter", f"--net=/proc/{record().pid}/ns/net", sys.executable, "-c"]
    code = (
        "import ssl, urllib.request, urllib.error\n"
        "try: urllib.request.urlopen('https://127.0.0.1:10250/pods',"
        " context=ssl._create_unverified_context())\n"
        "except urllib.error.HTTPError as error: print(error.code)"
    )

    def refused() -> bool:
        done = subprocess.run([*ask, code], capture_output=True, text=True, timeout=30)
        # The test before may have killed it, and it opens its port some seconds after its start.
        assert not done.returncode or "Connection refused" in done.stderr, done.stderr
        return done.stdout.strip() == "401"

    wait_until(refused)


def test_two_clusters_run_side_by_side(repaired):
    try:
        verb("up", "--bare", "--name", "beside")
        kubectl("beside", "create", "configmap", "only-here")
        assert record("beside").network != record(repaired).network
        assert "only-here" not in kubectl(repaired, "get", "configmaps")
    finally:
        verb("down", "--name", "beside")
    assert "lab-node" in kubectl(repaired, "get", "nodes")


@pytest.fixture
def host_alone() -> Iterator[None]:
    """Containers of a page's `docker` come and go on the host, too."""
    with side_by_side.host_alone():
        yield


@pytest.mark.usefixtures("host_alone")
def test_down_leaves_nothing():
    name = "trace"
    cluster = paths.cluster(name)
    before = traces(cluster)
    verb("up", "--bare", "--name", name)
    try:
        namespaces = node_namespaces(record(name).pid)
        inside = {
            pid: processes.start_time(pid)
            for pid in processes.all_pids()
            if namespaces & node_namespaces(pid)
        }
        assert traces(cluster) != before, "what is compared does not see a running cluster"
    finally:
        verb("down", "--name", name)
    assert traces(cluster) == before
    # By start time: the kernel gives the numbers of namespaces and processes out again.
    assert [pid for pid, begun in inside.items() if processes.start_time(pid) == begun] == []


@pytest.mark.usefixtures("host_alone")
def test_down_removes_what_a_killed_node_left():
    name = "trace"
    cluster = paths.cluster(name)
    before = traces(cluster)
    verb("up", "--bare", "--name", name)
    os.kill(record(name).pid, signal.SIGKILL)
    verb("down", "--name", name)
    assert traces(cluster) == before


def test_down_without_a_cluster_is_fine():
    assert verb("down", "--name", "nobody").stdout == "Cluster nobody is not there\n"


def node_namespaces(pid: int) -> set[str]:
    """The namespaces of a process that are not this test's own."""
    found = set()
    for kind in ("net", "mnt", "pid", "ipc", "uts"):
        with contextlib.suppress(OSError):
            namespace = os.readlink(f"/proc/{pid}/ns/{kind}")
            if namespace != os.readlink(f"/proc/self/ns/{kind}"):
                found.add(namespace)
    return found


def traces(cluster: paths.Cluster) -> dict[str, object]:
    """What a cluster could leave on the host. Other clusters may come and go meanwhile."""
    return {
        "processes": cgroups.members(cluster.cgroup),
        "mounts": [m for m in _lines("cat", "/proc/self/mounts") if not _is_builders(m)],
        "links": [link for link in os.listdir("/sys/class/net") if _is_ours(link, cluster)],
        "cgroups": [str(m) for m, _ in cgroups.here() if (m / cluster.cgroup).exists()],
        "rules": _lines("nft", "list", "ruleset"),
        "named network namespaces": _lines("ip", "netns", "list"),
        "settings": {name: _read(f"/proc/sys/{name}") for name in SETTINGS},
        "default paths": {path: _listing(path) for path in DEFAULT_PATHS},
        "state": [cluster.folder.exists()],
    }


def _is_ours(link: str, cluster: paths.Cluster) -> bool:
    return link == cluster.link or not link.startswith("tfjob")


def _is_builders(mount: str) -> bool:
    """Images may be built meanwhile."""
    return "/containers/storage/" in mount or "/buildah/" in mount


def _lines(*command: str) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()


def _read(path: str) -> str:
    return Path(path).read_text() if Path(path).exists() else ""


def _listing(path: str) -> list[str]:
    return sorted(str(entry) for entry in Path(path).rglob("*")) if Path(path).exists() else []
