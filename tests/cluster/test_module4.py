"""Module 4 on the real cluster: the chart that stays useful, and some mistakes with Helm."""

import json
import time

import pytest

from tests.validator import stage
from tests.validator.cases_module4 import MODULE4
from validator.tfjobs import SAMPLE_IMAGE

CHART = "modules/4-helm/charts/tensorboard"
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"
# TensorBoard looks for new runs every few seconds.
PATIENCE_SECONDS = 60
LIVE = [pytest.param(case, id=case.title) for case in MODULE4 if case.live]
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "logs"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Mi"}}},
}


@pytest.mark.parametrize("case", LIVE)
def test_what_a_learner_types_gets_its_finding(cluster, case):
    with stage.played(cluster, case) as where:
        stage.apply(cluster, case, where)
        answer = stage.ask(cluster, case, where)
    assert stage.fits(case, answer.grade), str(answer)


def training(claim):
    """A Job that writes its logs to a claim, as strict as the namespace asks for."""
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {
        "name": "tensorflow",
        "image": SAMPLE_IMAGE,
        "args": ["--max-steps", "20", "--log-every", "10", "--log-dir", "/logs/my-run"],
        "securityContext": security,
        "volumeMounts": [{"name": "logs", "mountPath": "/logs"}],
    }
    pod = {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": "logs", "persistentVolumeClaim": {"claimName": claim}}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "train"},
        "spec": {"backoffLimit": 0, "template": {"spec": pod}},
    }


def test_the_chart_shows_the_logs_of_a_training_in_a_namespace_that_is_strict(cluster, namespace):
    where = ("--namespace", namespace)
    cluster.kubectl("label", "namespace", namespace, RESTRICTED)
    for item in (CLAIM, training("logs")):
        cluster.kubectl("apply", *where, "-f", "-", input=json.dumps(item))
    finished = ("--for=condition=Complete", "job/train", "--timeout=300s")
    cluster.kubectl("wait", *finished, *where)
    command = ("helm", "install", "tb", CHART, "--set", "existingClaim=logs", "--wait", *where)
    cluster.run(*command)
    cluster.run("helm", "test", "tb", *where)
    assert runs(cluster, namespace) != []


def runs(cluster, namespace):
    """What TensorBoard shows, once it shows anything."""
    path = f"/api/v1/namespaces/{namespace}/services/tb:http/proxy/data/runs"
    end = time.monotonic() + PATIENCE_SECONDS
    found = []
    while not found and time.monotonic() < end:
        found = json.loads(cluster.kubectl("get", "--raw", path).stdout)
        time.sleep(0.5)
    return [run for run in found if "my-run" in run]
