"""What a Pod can do to the host, tried from Pods: nothing that a user of the host could not."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from ipaddress import IPv4Network

import pytest
import yaml

from cluster import paths
from cluster.lifecycle import record
from cluster.node import network
from cluster.workshop import table

IMAGE = table.WORKSHOP[1]  # the smaller one: it has Python


def run(cluster, namespace, name, code, volumes=(), mounts=(), **spec):
    """Run Python code in a Pod of its own, as root, but not privileged; returns its output."""
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "volumes": list(volumes),
            "containers": [
                {
                    "name": "main",
                    "image": IMAGE,
                    "command": ["python3", "-c", code],
                    "volumeMounts": list(mounts),
                    "securityContext": {"runAsUser": 0, "runAsNonRoot": False},
                }
            ],
            **spec,
        },
    }
    where = ("--namespace", namespace)
    cluster.kubectl("apply", *where, "--filename=-", input=yaml.safe_dump(manifest))
    ended = "--for=jsonpath={.status.phase}=Succeeded"
    done = cluster.kubectl("wait", *where, f"pod/{name}", ended, "--timeout=60s", check=False)
    said = cluster.kubectl("logs", *where, name, check=False).stdout
    assert done.returncode == 0, f"{done.stderr}{said}"
    return said


def test_a_setuid_program_in_a_claim_is_out_of_reach_of_the_hosts_users(cluster, namespace):
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    where = ("--namespace", namespace)
    cluster.kubectl("apply", *where, "--filename=-", input=yaml.safe_dump(claim))
    code = "import os, shutil, sys; shutil.copy(sys.executable, '/data/suid')"
    code += "; os.chmod('/data/suid', 0o4755)"
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    run(cluster, namespace, "leave", code, [volume], [{"name": "data", "mountPath": "/data"}])
    var = paths.cluster(cluster.name).var
    found = json.loads(cluster.kubectl("get", *where, "pvc/data", "--output=json").stdout)
    program = f"lib/volumes/{found['metadata']['uid']}/suid"
    assert (var / program).stat().st_mode & 0o4000, "the Pod has left it"
    # From inside of the folder, so that the modes of the checkout's own parents do not help.
    stranger = {"user": 12345, "group": 12345, "extra_groups": []}
    with pytest.raises(PermissionError):
        subprocess.run([f"./{program}", "-c", ""], cwd=var, check=True, **stranger)


@pytest.fixture
def host_service(cluster):
    """A service of the host at its end of the link, TCP and UDP; gives address and arrivals."""
    node = record.read(paths.cluster(cluster.name))
    address = network.ends(IPv4Network(node.network))[0]
    arrived: list[str] = []
    tcp = socket.create_server((address, 0))
    port = tcp.getsockname()[1]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, port))

    def accept():
        try:
            tcp.accept()[0].close()
            arrived.append("TCP")
        except OSError:
            return

    def receive():
        try:
            udp.recv(10)
            arrived.append("UDP")
        except OSError:
            return

    threads = [threading.Thread(target=accept, daemon=True)]
    threads.append(threading.Thread(target=receive, daemon=True))
    for thread in threads:
        thread.start()
    yield address, port, arrived
    tcp.close()
    udp.close()


CALL = """
import socket
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    udp.sendto(b"x", ({address!r}, {port}))
except OSError:
    pass
try:
    socket.create_connection(({address!r}, {port}), timeout=3)
    print("connected")
except OSError as error:
    print("refused:", error)
"""


@pytest.mark.parametrize("on_the_nodes_network", [False, True])
def test_no_pod_reaches_a_service_of_the_host(
    cluster, namespace, host_service, on_the_nodes_network
):
    address, port, arrived = host_service
    code = CALL.format(address=address, port=port)
    said = run(cluster, namespace, "call", code, hostNetwork=on_the_nodes_network)
    assert said.startswith("refused")
    assert arrived == []


def test_the_host_still_reaches_the_node(cluster):
    assert "lab-node" in cluster.kubectl("get", "nodes").stdout


def test_the_hosts_disks_and_shared_memory_are_not_in_the_nodes_dev(cluster, namespace):
    code = "import os; print(*os.listdir('/host-dev'), '|', os.listdir('/host-dev/shm'))"
    volume = {"name": "dev", "hostPath": {"path": "/dev"}}
    said = run(
        cluster, namespace, "look", code, [volume], [{"name": "dev", "mountPath": "/host-dev"}]
    )
    names, _, shared = said.partition(" | ")
    allowed = {"null", "zero", "full", "random", "urandom", "tty", "kmsg", "fuse", "kvm", "net"}
    assert set(names.split()) <= allowed | {"ptmx", "pts", "shm", "fd"}
    assert shared.strip() == "[]"


def test_a_pod_without_a_profile_has_the_runtimes_seccomp_profile_and_a_limit_of_processes(
    cluster, namespace
):
    code = "print(open('/proc/self/status').read())"
    said = run(cluster, namespace, "look", code)
    assert "Seccomp:\t2" in said
    node = json.loads(cluster.kubectl("get", "node", "lab-node", "--output=json").stdout)
    status = node["status"]
    kept = [int(status[part]["memory"][:-2]) for part in ("capacity", "allocatable")]
    assert kept[0] - kept[1] >= 1 << 20, "1 GiB is kept for the host"
