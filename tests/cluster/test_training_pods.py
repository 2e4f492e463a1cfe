"""A training with a parameter server as real Pods, each with a disk of its own, loses its PS.

The variables go with the PS; what is left is the chief's checkpoint on a PersistentVolumeClaim.
"""

import json
import re
import time

import pytest

IMAGE = "tfjob-workshop/fashion-mnist:1.0.0"
OPTIONS = ["--max-steps=1500", "--batch-size=32", "--checkpoint-every=100", "--save-dir=/data"]
SECONDS = 300
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "training"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Mi"}}},
}


def replica(kind, *options, **pod):
    """A replica spec whose container runs the sample image; the claim is at /data if it is used."""
    container = {"name": "tensorflow", "image": IMAGE, "args": list(options)}
    if "volumes" in pod:
        container["volumeMounts"] = [{"name": "training", "mountPath": "/data"}]
    return {"tfReplicaType": kind, "template": {"spec": {"containers": [container], **pod}}}


VOLUME = {"name": "training", "persistentVolumeClaim": {"claimName": "training"}}
TFJOB = {
    "apiVersion": "tensorflow.org/v1alpha1",
    "kind": "TfJob",
    "metadata": {"name": "training"},
    "spec": {
        "replicaSpecs": [
            replica("MASTER", *OPTIONS, volumes=[VOLUME]),
            replica("WORKER"),
            {"tfReplicaType": "PS"},
        ]
    },
}


class Training:
    """The TfJob `training` in one namespace."""

    def __init__(self, cluster, namespace):
        self._cluster, self._namespace = cluster, namespace

    def kubectl(self, *arguments, **options):
        return self._cluster.kubectl("--namespace", self._namespace, *arguments, **options)

    def pods(self, kind):
        """The Pods of a replica type, oldest first, those that have failed among them."""
        found = self.kubectl("get", "pods", f"--selector=job_type={kind}", "--output=json").stdout
        return sorted(
            json.loads(found)["items"], key=lambda pod: pod["metadata"]["creationTimestamp"]
        )

    def log(self, pod):
        return self.kubectl("logs", pod["metadata"]["name"], check=False).stdout

    def wait_for_step(self, step):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if any(f"step {step}/" in self.log(pod) for pod in self.pods("MASTER")):
                return
            time.sleep(0.5)
        pytest.fail(f"no step {step} within {SECONDS} s: {self.kubectl('get', 'pods').stdout}")


def exit_code(pod):
    return pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"]


def test_a_lost_ps_costs_the_chief_its_life_but_not_what_was_learned(
    cluster, operator_release, namespace
):
    training = Training(cluster, namespace)
    both = {"apiVersion": "v1", "kind": "List", "items": [CLAIM, TFJOB]}
    training.kubectl("apply", "--filename=-", input=json.dumps(both))
    training.wait_for_step(200)
    training.kubectl("delete", "pod", "--selector=job_type=PS", "--now")
    succeeded = ("--for=condition=Succeeded", f"--timeout={SECONDS}s")
    training.kubectl("wait", "tfjob/training", *succeeded, timeout=SECONDS + 10)

    first, second = training.pods("MASTER")
    assert [exit_code(first), exit_code(second)] == [143, 0]
    assert "A parameter server was lost, and the variables on it" in training.log(first)
    log = training.log(second)
    resumed = int(re.search(r"^resuming at step (\d+) from /data/checkpoints/", log, re.M)[1])
    steps = [int(step) for step in re.findall(r"^step (\d+)/1500 ", log, re.M)]
    assert 200 <= resumed < steps[0]
    assert steps[-1] == 1500
    assert "saved model to /data/model" in log
