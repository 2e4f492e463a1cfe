"""A training with a parameter server as real Pods, each with a disk of its own, loses its PS.

The variables go with the PS; what is left is the chief's checkpoint on a PersistentVolumeClaim.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from chaos import Chaos, tf_job

IMAGE = "localhost/fashion-mnist:1.2.0"
OPTIONS = ["--max-steps=800", "--batch-size=32", "--checkpoint-every=100", "--save-dir=/data"]
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
TFJOB = tf_job(
    "training",
    replica("MASTER", *OPTIONS, volumes=[VOLUME]),
    replica("WORKER"),
    {"tfReplicaType": "PS"},
)


def exit_code(pod):
    return pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"]


def test_a_lost_ps_costs_the_chief_its_life_but_not_what_was_learned(
    cluster, operator_release, namespace
):
    chaos = Chaos(cluster, namespace)

    def chiefs():
        """The chief's Pods, oldest first, those that have failed among them."""
        oldest_first = "--sort-by=.metadata.creationTimestamp"
        return chaos.get("pods", "--selector=job_type=MASTER", oldest_first)["items"]

    def log(pod):
        return chaos.kubectl("logs", pod["metadata"]["name"], check=False).stdout

    chaos.apply(CLAIM, TFJOB)
    # A step's line comes before its checkpoint: that of step 200 is whole once step 300 is there.
    chaos.until(lambda: any("step 300/" in log(pod) for pod in chiefs()), SECONDS)
    chaos.kubectl("delete", "pod", "--selector=job_type=PS", "--now")
    chaos.wait("training", "Succeeded", SECONDS)

    first, second = chiefs()
    assert [exit_code(first), exit_code(second)] == [143, 0]
    assert "A parameter server was lost, and the variables on it" in log(first)
    said = log(second)
    resumed = int(re.search(r"^resuming at step (\d+) from /data/checkpoints/", said, re.M)[1])
    steps = [int(step) for step in re.findall(r"^step (\d+)/800 ", said, re.M)]
    assert 200 <= resumed < steps[0]
    assert steps[-1] == 800
    assert "saved model to /data/model" in said
