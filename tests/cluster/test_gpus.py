"""How Pods get the local cluster's simulated GPUs: counted, by a claim, as a group; none is lost.

The four cards of the device plugin and the two of the DRA driver are those of the session's
cluster, so each test gives back what it took, which the next one proves. The last two start
the kubelet and the node anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from cluster import paths
from cluster.lifecycle import processes, record
from cluster.node import addresses
from cluster.workshop import table
from tests.cluster.waits import wait_until

IMAGE = table.WORKSHOP[0]
LIST = "nvidia-smi --list-gpus"
# To be told what is given to it, a container prints it; then it holds it for as long as it runs.
HOLD = f"{LIST}; sleep 600"
COUNTED = {f"GPU-SIMULATED-{number}" for number in range(table.GPUS.count)}


@dataclass(frozen=True)
class Lab:
    """A namespace of the session's cluster, and what is asked of it here."""

    cluster: Any
    namespace: str

    def kubectl(self, *arguments: str, **options: Any) -> str:
        where = ("--namespace", self.namespace)
        return self.cluster.kubectl(*arguments, *where, **options).stdout

    def apply(self, *manifests: dict[str, Any]) -> None:
        self.kubectl("apply", "--filename=-", input=yaml.safe_dump_all(manifests))

    def wait(self, name: str, phase: str) -> None:
        condition = f"--for=jsonpath={{.status.phase}}={phase}"
        done = self.cluster.kubectl(
            *("wait", "--namespace", self.namespace, f"pod/{name}", condition, "--timeout=180s"),
            check=False,
        )
        assert done.returncode == 0, done.stderr + self.kubectl("describe", f"pod/{name}")

    def log(self, name: str, phase: str = "Succeeded", container: str = "main") -> str:
        self.wait(name, phase)
        read = ("logs", name, "--container", container)
        if phase == "Running":
            wait_until(lambda: self.kubectl(*read) != "")
        return self.kubectl(*read)

    def cards(self, name: str, phase: str = "Succeeded", container: str = "main") -> set[str]:
        """The cards that a container listed."""
        found = re.findall(r"UUID: (\S+)\)", self.log(name, phase, container))
        assert len(found) == len(set(found))
        return set(found)

    def pods(self) -> list[dict[str, Any]]:
        return json.loads(self.kubectl("get", "pods", "--output=json"))["items"]

    def says_why_it_waits(self, name: str, reason: str) -> None:
        wait_until(lambda: reason in self.kubectl("describe", f"pod/{name}"))

    def delete(self, *names: str) -> None:
        self.kubectl("delete", "pod", *names, "--wait")


@pytest.fixture
def lab(cluster, namespace) -> Iterator[Lab]:
    found = Lab(cluster, namespace)
    yield found
    found.kubectl("delete", "pods", "--all", "--wait")


def pod(name: str, script: str = LIST, cards: int = 0, **spec: Any) -> dict[str, Any]:
    """A Pod that runs a shell script, with GPUs by number and whatever else."""
    limits = {"limits": {table.GPU_NAME: cards}} if cards else {}
    container = {"name": "main", "image": IMAGE, "command": ["sh", "-c", script]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "containers": [{**container, "resources": limits}],
            **spec,
        },
    }


def with_claim(manifest: dict[str, Any], template: str) -> dict[str, Any]:
    spec = manifest["spec"]
    spec["resourceClaims"] = [{"name": "gpu", "resourceClaimTemplateName": template}]
    spec["containers"][0]["resources"]["claims"] = [{"name": "gpu"}]
    return manifest


def template(name: str, at_least: str, count: int = 1) -> dict[str, Any]:
    memory = "device.capacity['gpu.nvidia.com'].memory"
    cel = {"expression": f"{memory}.compareTo(quantity('{at_least}')) >= 0"}
    exactly = {"deviceClassName": "gpu.nvidia.com", "count": count, "selectors": [{"cel": cel}]}
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": {"name": name},
        "spec": {"spec": {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}}},
    }


def node(cluster) -> dict[str, Any]:
    return json.loads(cluster.kubectl("get", "node", addresses.NODE_NAME, "--output=json").stdout)


def test_the_node_shows_what_it_has_as_real_ones_do(cluster):
    found = node(cluster)
    labels = {k: v for k, v in found["metadata"]["labels"].items() if k.startswith("nvidia.com/")}
    assert labels == {
        "nvidia.com/gpu.present": "true",
        "nvidia.com/gpu.count": "4",
        "nvidia.com/gpu.product": "Simulated-GPU",
        "nvidia.com/gpu.memory": "16384",
        "nvidia.com/gpu.sharing-strategy": "none",
    }
    for part in ("capacity", "allocatable"):
        assert [found["status"][part][name] for name in (table.GPU_NAME, table.GPU_NAME_2017)] == [
            "4",
            "4",
        ]


def test_a_label_that_somebody_took_away_comes_back(cluster):
    cluster.kubectl("label", "node", addresses.NODE_NAME, "nvidia.com/gpu.count-")
    wait_until(lambda: node(cluster)["metadata"]["labels"].get("nvidia.com/gpu.count") == "4")


def test_two_containers_get_different_cards_with_their_driver(lab):
    script = f"env | grep -e NVIDIA -e WORKSHOP; {LIST}; nvidia-smi; ls /usr/lib/*/libcuda.so.1"
    manifest = pod("two", script, cards=1)
    [first] = manifest["spec"]["containers"]
    manifest["spec"]["containers"] = [first, {**first, "name": "second"}]
    lab.apply(manifest)
    cards = [lab.cards("two"), lab.cards("two", container="second")]
    assert [len(found) for found in cards] == [1, 1]
    assert len(cards[0] | cards[1]) == 2
    log = lab.log("two")
    assert f"NVIDIA_VISIBLE_DEVICES={min(cards[0])}\n" in log
    assert "WORKSHOP_GPU=simulated\n" in log
    assert "SIMULATED" in log
    assert "/libcuda.so.1\n" in log
    assert log.count("16384MiB") == 1


def test_a_container_without_a_card_gets_no_driver(lab):
    lab.apply(pod("none", "command -v nvidia-smi || env | grep -c -e NVIDIA -e SIMULATED || true"))
    assert lab.log("none") == "0\n"


def test_the_way_of_2017_shows_every_card_of_the_node(lab):
    bin_folder = {"name": "bin", "hostPath": {"path": f"{table.DRIVER.home}/bin"}}
    manifest = pod("old", f"/usr/local/nvidia/bin/{LIST}", volumes=[bin_folder])
    [container] = manifest["spec"]["containers"]
    container["volumeMounts"] = [{"name": "bin", "mountPath": "/usr/local/nvidia/bin"}]
    container["resources"] = {"requests": {table.GPU_NAME_2017: 1}}
    lab.apply(manifest)
    assert lab.cards("old") == COUNTED


def test_a_fifth_pod_waits_until_a_card_is_free_and_none_is_lost(lab):
    names = [f"pod-{number}" for number in range(5)]
    lab.apply(*(pod(name, HOLD, cards=1) for name in names))
    wait_until(lambda: phases(lab).count("Running") == 4)
    [waits] = [p["metadata"]["name"] for p in lab.pods() if p["status"]["phase"] == "Pending"]
    lab.says_why_it_waits(waits, f"Insufficient {table.GPU_NAME}")
    had = {name: lab.cards(name, "Running") for name in names if name != waits}
    assert set.union(*had.values()) == COUNTED
    freed = next(iter(had))
    lab.delete(freed)
    assert lab.cards(waits, "Running") == had[freed]
    lab.delete(*(name for name in names if name != freed))
    lab.apply(pod("all", cards=4))
    assert lab.cards("all") == COUNTED


def test_a_claim_selects_a_card_by_its_memory_and_ends_with_its_pod(lab):
    lab.apply(template("large", "48Gi"))
    ask = "nvidia-smi --query-gpu=memory.total --format=csv"
    for name in ("first", "second"):  # there is one such card: the second shows that it came back
        lab.apply(with_claim(pod(name, f"{LIST}; {ask}"), "large"))
        assert lab.cards(name) == {"GPU-SIMULATED-5"}
        log = lab.log(name)
        assert "memory.total [MiB]\n81920 MiB\n" in log
        assert "SIMULATED: " in log
    wait_until(lambda: lab.kubectl("get", "resourceclaims", "--output=name") == "")
    [slice_] = json.loads(lab.kubectl("get", "resourceslices", "--output=json"))["items"]
    assert slice_["spec"]["driver"] == "gpu.nvidia.com"
    for device in slice_["spec"]["devices"]:
        assert device["attributes"]["productName"]["string"].startswith("Simulated")
        assert device["attributes"]["type"] == {"string": "gpu"}


def test_what_no_card_has_is_waited_for_until_it_is_taken_back(lab):
    lab.apply(template("huge", "100Gi"), with_claim(pod("huge"), "huge"))
    lab.says_why_it_waits("huge", "cannot allocate all claims")


def test_one_container_uses_both_cards_of_a_claim_and_one_by_number(lab):
    lab.apply(template("both", "40Gi", count=2), with_claim(pod("three", cards=1), "both"))
    cards = lab.cards("three")
    assert {"GPU-SIMULATED-4", "GPU-SIMULATED-5"} < cards
    assert len(cards & COUNTED) == 1


def test_a_class_with_an_extended_resource_serves_limits_as_of_old(lab):
    name = f"{lab.namespace}.example/gpu"
    selector = {"cel": {"expression": "device.driver == 'gpu.nvidia.com'"}}
    spec = {"extendedResourceName": name, "selectors": [selector]}
    metadata = {"name": lab.namespace}
    kind = {"apiVersion": "resource.k8s.io/v1", "kind": "DeviceClass", "metadata": metadata}
    manifest = pod("limits")
    manifest["spec"]["containers"][0]["resources"] = {"limits": {name: 2}}
    try:
        lab.apply({**kind, "spec": spec}, manifest)
        assert lab.cards("limits") == {"GPU-SIMULATED-4", "GPU-SIMULATED-5"}
    finally:
        lab.kubectl("delete", "deviceclass", lab.namespace)


def test_a_group_starts_together_or_not_at_all(lab):
    group = {
        "apiVersion": "scheduling.k8s.io/v1beta1",
        "kind": "PodGroup",
        "metadata": {"name": "group"},
        "spec": {"schedulingPolicy": {"gang": {"minCount": 3}}},
    }
    lab.apply(pod("holder", HOLD, cards=2))
    lab.wait("holder", "Running")
    belongs = {"schedulingGroup": {"podGroupName": "group"}}
    names = ["a", "b", "c"]
    lab.apply(group, *(pod(name, cards=1, **belongs) for name in names))
    lab.says_why_it_waits("c", f"Insufficient {table.GPU_NAME}")
    assert sorted(phases(lab)) == ["Pending", "Pending", "Pending", "Running"]
    lab.delete("holder")
    for name in names:
        lab.wait(name, "Succeeded")


def test_an_urgent_pod_takes_the_cards_of_a_patient_one(lab):
    lab.apply(pod("patient", HOLD, cards=4))
    lab.wait("patient", "Running")
    lab.apply(pod("urgent", cards=4, priorityClassName="workshop-urgent"))
    assert lab.cards("urgent") == COUNTED
    assert "patient" not in {p["metadata"]["name"] for p in lab.pods()}


def test_cards_stay_with_their_pod_while_the_kubelet_starts_anew(lab, cluster):
    lab.apply(pod("holder", HOLD, cards=1))
    held = lab.cards("holder", "Running")
    running = record.running(paths.cluster(cluster.name))
    kubelet = processes.children(running.pid)["kubelet"]
    os.kill(kubelet, signal.SIGKILL)
    wait_until(lambda: processes.children(running.pid).get("kubelet", kubelet) != kubelet)
    # A Pod that comes before the GPUs' plugin is back is turned away, on any cluster.
    wait_until(lambda: plugin_is_registered(lab))
    lab.apply(template("large", "48Gi"), with_claim(pod("others", cards=3), "large"))
    assert lab.cards("others") == COUNTED - held | {"GPU-SIMULATED-5"}
    lab.wait("holder", "Running")
    assert restarts(lab, "holder") == 0


def test_every_card_is_there_after_the_node_started_anew(lab, cluster):
    holder = pod("before", HOLD, cards=4, restartPolicy="Always")
    lab.apply(template("large", "48Gi"), with_claim(holder, "large"))
    lab.wait("before", "Running")
    before = record.running(paths.cluster(cluster.name))
    with contextlib.suppress(ProcessLookupError):
        os.kill(before.pid, signal.SIGKILL)
    wait_until(lambda: not record.is_running(before))
    command = [sys.executable, "-m", "cluster", "up", "--bare", "--name", cluster.name]
    subprocess.run(command, cwd=paths.CHECKOUT, check=True)
    wait_until(lambda: restarts(lab, "before") == 1, timeout_seconds=240)
    assert lab.cards("before", "Running") == COUNTED | {"GPU-SIMULATED-5"}
    lab.delete("before")
    lab.apply(with_claim(pod("after", cards=4), "large"))
    assert lab.cards("after") == COUNTED | {"GPU-SIMULATED-5"}
    assert node(cluster)["status"]["allocatable"][table.GPU_NAME_2017] == "4"


def restarts(lab: Lab, name: str) -> int:
    [found] = [p for p in lab.pods() if p["metadata"]["name"] == name]
    return found["status"]["containerStatuses"][0]["restartCount"]


def phases(lab: Lab) -> list[str]:
    return [found["status"]["phase"] for found in lab.pods()]


def plugin_is_registered(lab: Lab) -> bool:
    """Whether the kubelet that runs now has heard from the GPUs' plugin."""
    path = f"/api/v1/nodes/{addresses.NODE_NAME}/proxy/metrics"
    metrics = lab.cluster.kubectl("get", "--raw", path, check=False).stdout
    count = f'device_plugin_registration_total{{resource_name="{table.GPU_NAME}"}} 1'
    return count in metrics
