"""What nodes and Pods use: metrics-server, a process of the local cluster's node."""

from __future__ import annotations

import json
import time

from cluster.node import addresses
from tests.cluster.waits import wait_until

SERVED = "/apis/metrics.k8s.io/v1beta1"


def test_top_answers_for_the_node_and_for_pods(cluster):
    assert addresses.NODE_NAME in top(cluster, "nodes")
    assert "coredns" in top(cluster, "pods", "--namespace=kube-system")


def test_its_certificate_is_checked(cluster):
    service = cluster.kubectl("get", "apiservice", "v1beta1.metrics.k8s.io", "--output=json")
    spec = json.loads(service.stdout)["spec"]
    assert spec["caBundle"]
    assert not spec.get("insecureSkipTLSVerify")


def test_who_may_view_a_namespace_sees_what_its_pods_use(cluster, namespace):
    where = f"--namespace={namespace}"
    account = f"system:serviceaccount:{namespace}:default"
    ask = ("auth", "can-i", "list", "pods.metrics.k8s.io", where, f"--as={account}")
    assert cluster.kubectl(*ask, check=False).stdout == "no\n"
    binding = ("create", "rolebinding", "view", where, "--clusterrole=view")
    cluster.kubectl(*binding, f"--serviceaccount={namespace}:default")
    wait_until(lambda: cluster.kubectl(*ask, check=False).stdout == "yes\n")


def top(cluster, *what: str) -> str:
    """What `kubectl top` prints; the first figures are there half a minute after the start."""
    deadline = time.monotonic() + 150
    while True:
        done = cluster.kubectl("top", *what, check=False)
        if done.returncode == 0 and done.stdout:
            return done.stdout
        assert time.monotonic() < deadline, done.stderr
        time.sleep(1)
