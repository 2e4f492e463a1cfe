"""A hub on the real cluster for a test: the chart of exercise 8.3, and a way to its login page."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cluster.workshop import table
from tests.conftest import Cluster

RELEASE = "module8-ex3"
CHART = "modules/8-jupyter/charts/hub"
VALUES = "modules/8-jupyter/solution/exercise-3.yaml"
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"
INSTALL = ("helm", "upgrade", "--install", RELEASE, CHART, "--values", VALUES, "--wait")


@dataclass(frozen=True)
class Hub:
    """An installed hub. ``url``: of its proxy, on this machine; ``password``: of all users."""

    cluster: Cluster
    namespace: str
    url: str
    password: str

    def kubectl(self, *arguments: str) -> str:
        """What kubectl says about the hub's namespace."""
        return self.cluster.kubectl(*arguments, "--namespace", self.namespace).stdout


@contextlib.contextmanager
def installed(cluster: Cluster) -> Iterator[Hub]:
    """A hub in a namespace of its own, which takes Pods of the level `restricted` alone."""
    load = [sys.executable, "-m", "cluster", "load", "--name", cluster.name, *table.ON_DEMAND]
    cluster.run(*load, timeout=600)
    namespace = f"hub-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", namespace)
    try:
        cluster.kubectl("label", "namespace", namespace, RESTRICTED)
        cluster.run(*INSTALL, "--namespace", namespace, timeout=320)
        with forwarded(cluster, namespace) as url:
            yield Hub(cluster, namespace, url, secret(cluster, namespace)["password"])
    finally:
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")


@contextlib.contextmanager
def forwarded(cluster: Cluster, namespace: str) -> Iterator[str]:
    """The address of the proxy on a free port of this machine."""
    command = ["kubectl", "port-forward", "--namespace", namespace, f"service/{RELEASE}", ":80"]
    forward = subprocess.Popen(command, env=cluster.env, stdout=subprocess.PIPE, text=True)
    assert forward.stdout is not None
    try:
        # "Forwarding from 127.0.0.1:43210 -> 8000"
        yield f"http://{forward.stdout.readline().split()[2]}"
    finally:
        forward.kill()
        forward.wait()


def secret(cluster: Cluster, namespace: str) -> dict[str, str]:
    """The keys that were made when the hub was installed."""
    where = ("--namespace", namespace, "--output=json")
    return keys(json.loads(cluster.kubectl("get", "secret", f"{RELEASE}-keys", *where).stdout))


def keys(secret: dict[str, Any]) -> dict[str, str]:
    """The data of a Secret, in clear."""
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
