"""What Pods find on the local cluster: storage, simulated GPUs, names, no way out.

On the session's cluster, in Pods of the sample image: whatever it holds, it has a shell.
"""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path

import pytest
import yaml

from cluster import paths
from cluster.lifecycle import record
from cluster.workshop import table
from tests.cluster.waits import wait_until

IMAGE = table.WORKSHOP[0]
NODE_LIBRARIES = "/usr/lib/nvidia-384"


def pod(name, script, volumes=(), mounts=(), resources=None, **container):
    """A Pod that runs a shell script once."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "volumes": list(volumes),
            "containers": [
                {
                    "name": "main",
                    "image": IMAGE,
                    "command": ["sh", "-c", script],
                    "volumeMounts": list(mounts),
                    "resources": resources or {},
                    **container,
                }
            ],
        },
    }


def server():
    """A Pod that serves one page, and is ready when it does."""
    script = "cd /tmp && echo served > page && exec python3 -m http.server 8000"
    probe = {"httpGet": {"path": "/page", "port": 8000}, "periodSeconds": 1}
    return pod("web", script, readinessProbe=probe)


def apply(cluster, namespace, *manifests):
    text = yaml.safe_dump_all(manifests)
    cluster.kubectl("apply", "--namespace", namespace, "--filename=-", input=text)


def log_of(cluster, namespace, name):
    """The log of a Pod that has succeeded."""
    where = ("--namespace", namespace)
    wait = "--for=jsonpath={.status.phase}=Succeeded"
    done = cluster.kubectl("wait", *where, f"pod/{name}", wait, "--timeout=180s", check=False)
    log = cluster.kubectl("logs", *where, name, check=False).stdout
    assert done.returncode == 0, f"{done.stderr}{log}"
    return log


def claim(name):
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
    }


def test_a_claim_binds_at_once_and_goes_with_its_files(cluster, namespace):
    where = ("--namespace", namespace)
    volumes = paths.cluster(cluster.name).var / "lib" / "volumes"
    for _ in range(2):
        apply(cluster, namespace, claim("data"))
        cluster.kubectl(
            "wait", *where, "pvc/data", "--for=jsonpath={.status.phase}=Bound", "--timeout=60s"
        )
        found = json.loads(cluster.kubectl("get", *where, "pvc/data", "--output=json").stdout)
        folder = volumes / found["metadata"]["uid"]
        assert folder.stat().st_mode & 0o777 == 0o777
        cluster.kubectl("delete", *where, "pvc/data")
        cluster.kubectl("wait", f"pv/{found['spec']['volumeName']}", "--for=delete")
        assert not folder.exists()


def test_any_user_writes_to_a_claim_through_a_sub_path(cluster, namespace):
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    mount = {"name": "data", "mountPath": "/data", "subPath": "runs/one"}
    user = {"runAsUser": 10001, "runAsGroup": 10001, "runAsNonRoot": True}
    write = pod("write", "echo hello > /data/file", [volume], [mount], securityContext=user)
    apply(cluster, namespace, claim("data"), write)
    log_of(cluster, namespace, "write")
    apply(cluster, namespace, pod("read", "cat /data/file", [volume], [mount]))
    assert log_of(cluster, namespace, "read") == "hello\n"


@pytest.mark.parametrize(
    "resources",
    [
        pytest.param({"limits": {"nvidia.com/gpu": 1}}, id="today's name under limits"),
        pytest.param(
            {"requests": {"alpha.kubernetes.io/nvidia-gpu": 1}},
            id="2017's name under requests",
        ),
    ],
)
def test_a_pod_gets_a_simulated_gpu_with_its_driver(cluster, namespace, resources):
    volume = {"name": "bin", "hostPath": {"path": f"{NODE_LIBRARIES}/bin"}}
    mount = {"name": "bin", "mountPath": "/usr/local/nvidia/bin"}
    script = "/usr/local/nvidia/bin/nvidia-smi"
    apply(cluster, namespace, pod("gpu", script, [volume], [mount], resources))
    log = log_of(cluster, namespace, "gpu")
    assert "NVIDIA-SMI" in log
    assert "simulated" in log.lower()


def test_the_host_does_not_get_the_simulated_driver(cluster):
    assert not Path(NODE_LIBRARIES).exists()
    assert not Path("/home/kubernetes").exists()


def test_a_fifth_gpu_is_not_there(cluster, namespace):
    apply(cluster, namespace, pod("greedy", "true", resources={"limits": {"nvidia.com/gpu": 5}}))
    describe = ("describe", "--namespace", namespace, "pod/greedy")
    wait_until(lambda: "Insufficient nvidia.com/gpu" in cluster.kubectl(*describe).stdout)


def test_names_of_the_cluster_are_found_and_others_do_not_exist(cluster, namespace):
    script = "getent hosts kubernetes.default; getent hosts example.com || echo none: $?"
    apply(cluster, namespace, pod("dns", script))
    first, second = log_of(cluster, namespace, "dns").splitlines()
    assert first.split() == ["10.96.0.1", "kubernetes.default.svc.cluster.local"]
    assert second == "none: 2"


def test_a_missing_image_is_said_at_once(cluster, namespace):
    wanted = pod("missing", "true", image="localhost/no-such-image:1.0.0")
    apply(cluster, namespace, wanted)
    where = ("--namespace", namespace)
    reason = "{.status.containerStatuses[0].state.waiting.reason}"
    ask = ("get", *where, "pod/missing", f"--output=jsonpath={reason}")
    wait_until(lambda: cluster.kubectl(*ask).stdout in ("ErrImagePull", "ImagePullBackOff"))


def test_exec_logs_and_port_forward_reach_a_pod(cluster, namespace):
    where = ("--namespace", namespace)
    apply(cluster, namespace, server())
    cluster.kubectl("wait", *where, "pod/web", "--for=condition=Ready", "--timeout=180s")
    assert cluster.kubectl("exec", *where, "web", "--", "cat", "/tmp/page").stdout == "served\n"
    command = ["kubectl", "port-forward", *where, "pod/web", ":8000"]
    with subprocess.Popen(command, env=cluster.env, stdout=subprocess.PIPE, text=True) as forward:
        port = forward.stdout.readline().rpartition(" ->")[0].rpartition(":")[2]
        try:
            assert fetch(f"http://127.0.0.1:{port}/page") == "served\n"
        finally:
            forward.terminate()


def test_a_service_answers_under_its_name_and_through_the_api_server(cluster, namespace):
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8000}]},
    }
    apply(cluster, namespace, service, server())
    where = ("--namespace", namespace)
    cluster.kubectl("wait", *where, "pod/web", "--for=condition=Ready", "--timeout=180s")
    path = f"/api/v1/namespaces/{namespace}/services/web:80/proxy/page"
    # A node hears of a new endpoint a moment after its Pod is ready.
    ask = f"import urllib.request as u; print(u.urlopen('http://web.{namespace}/page').read())"
    tries = f'for n in $(seq 30); do python3 -c "{ask}" && exit; sleep 1; done; exit 1'
    apply(cluster, namespace, pod("ask", tries))
    assert "served" in log_of(cluster, namespace, "ask")
    assert cluster.kubectl("get", "--raw", path).stdout == "served\n"


def test_pod_security_is_enforced(cluster, namespace):
    label = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", namespace, label)
    text = yaml.safe_dump(pod("loose", "true"))
    refused = cluster.kubectl(
        "apply", "--namespace", namespace, "--filename=-", input=text, check=False
    )
    assert refused.returncode != 0
    assert 'violates PodSecurity "restricted' in refused.stderr


def test_nothing_of_a_pod_reaches_beyond_the_node(cluster):
    node = record.read(paths.cluster(cluster.name))
    command = ["nsenter", f"--net=/proc/{node.pid}/ns/net", "ip", "route", "get", "192.0.2.1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "unreachable" in done.stderr


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()
