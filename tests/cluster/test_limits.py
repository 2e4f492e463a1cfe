"""A Pod's limits hold: the kernel has them in the Pod's control group, of version 1 or 2."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from cluster import paths
from cluster.node import cgroups
from cluster.workshop import table

IMAGE = table.WORKSHOP[1]  # the smaller one: it has Python
MEMORY = 64 << 20
LIMITS = {"memory": "64Mi", "cpu": "200m"}
# By file: version 2's first. The quota and the period of the processors are one line there.
KEPT = {
    "memory.max": str(MEMORY),
    "memory.limit_in_bytes": str(MEMORY),
    "cpu.max": "20000 100000",
    "cpu.cfs_quota_us": "20000",
    "pids.max": "4096",
}
FILL = "held = bytearray(256 << 20); print(len(held))"
BURN = """
import time
began = time.monotonic()
while time.monotonic() - began < 3: pass
print(time.process_time() / (time.monotonic() - began))
"""


def start(cluster, namespace, code):
    """A Pod that runs Python code once, with limits."""
    container = {"name": "main", "image": IMAGE, "command": ["python3", "-c", code]}
    container["resources"] = {"limits": LIMITS}
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "limited"},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }
    where = f"--namespace={namespace}"
    cluster.kubectl("apply", where, "--filename=-", input=yaml.safe_dump(manifest))


def pod(cluster, namespace, phase):
    """The Pod as soon as it has a phase."""
    where = ("--namespace", namespace)
    reached = f"--for=jsonpath={{.status.phase}}={phase}"
    cluster.kubectl("wait", *where, "pod/limited", reached, "--timeout=180s")
    return json.loads(cluster.kubectl("get", *where, "pod/limited", "--output=json").stdout)


def groups_of(cluster, uid) -> list[Path]:
    """The Pod's control group in each hierarchy."""
    ours = [mount / paths.cluster(cluster.name).cgroup for mount, _ in cgroups.here()]
    return [path for group in ours for path in group.rglob(f"pod{uid}")]


def test_the_kernel_has_the_limits_of_a_pod(cluster, namespace):
    start(cluster, namespace, "import time; time.sleep(600)")
    uid = pod(cluster, namespace, "Running")["metadata"]["uid"]
    found = {
        name: (group / name).read_text().strip()
        for group in groups_of(cluster, uid)
        for name in KEPT
        if (group / name).exists()
    }
    assert {name.split(".")[0] for name in found} == {"memory", "cpu", "pids"}
    assert found == {name: KEPT[name] for name in found}


def test_who_takes_more_memory_is_killed_and_the_reason_is_said(cluster, namespace):
    start(cluster, namespace, FILL)
    ended = pod(cluster, namespace, "Failed")["status"]["containerStatuses"][0]["state"]
    assert ended["terminated"]["reason"] == "OOMKilled"
    assert ended["terminated"]["exitCode"] == 137


def test_who_wants_more_processor_time_waits(cluster, namespace):
    start(cluster, namespace, BURN)
    pod(cluster, namespace, "Succeeded")
    share = float(cluster.kubectl("logs", f"--namespace={namespace}", "limited").stdout)
    assert share < 0.3
