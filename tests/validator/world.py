"""A hand-made cluster in which 5.0 and 5.1 are done; tests spoil one thing in a copy of it.

The recorded snapshots in ``snapshots/`` are the truth; this is for what no one
mistake on a real cluster shows.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from validator.snapshot import Snapshot

Data = dict[str, Any]
GPU = "alpha.kubernetes.io/nvidia-gpu"
IMAGE = "tfjob-workshop/fashion-mnist:1.0.0"
CHILD = "module5-ex1-master-ab12-0"
CONFIG = """\
grpcServerFilePath: /opt/grpc_tensorflow_server.py
accelerators:
  alpha.kubernetes.io/nvidia-gpu:
    volumes:
      - {name: lib, hostPath: /usr/lib/nvidia-384, mountPath: /usr/lib/nvidia}
      - {name: bin, hostPath: /usr/lib/nvidia-384/bin, mountPath: /usr/local/nvidia/bin}
    envVars:
      - {name: LD_LIBRARY_PATH, value: /usr/lib/nvidia}
"""
LOG = "\n".join(
    [
        f"2026-01-31T12:00:{n * 2:02d}.000000000Z step {n * 100}/500 loss {1 - n / 10:.4f} "
        f"accuracy 0.{60 + n * 4}00"
        for n in range(1, 6)
    ]
    + [
        "2026-01-31T12:00:14.5Z test accuracy 0.8612 on 10000 images",
        "2026-01-31T12:00:15.5Z saved model to /tmp/model",
    ]
)


def metadata(name: str, owner: Data | None = None, **more: Any) -> Data:
    """Metadata with a UID made from the name, and the owner that controls it."""
    return {
        "name": name,
        "uid": f"uid-{name}",
        "namespace": "default",
        "creationTimestamp": "2026-01-31T11:59:50Z",
        **({"ownerReferences": [_controller(owner)]} if owner else {}),
        **more,
    }


def _controller(owner: Data) -> Data:
    return {"kind": owner["kind"], "uid": owner["metadata"]["uid"], "controller": True}


def container(**more: Any) -> Data:
    return {
        "name": "tensorflow",
        "image": IMAGE,
        "args": ["--max-steps", "500"],
        "resources": {"limits": {GPU: 1}},
        **more,
    }


def tfjob(name: str = "module5-ex1") -> Data:
    return {
        "kind": "TfJob",
        "metadata": metadata(name),
        "spec": {
            "replicaSpecs": [
                {
                    "replicas": 1,
                    "tfReplicaType": "MASTER",
                    "template": {"spec": {"containers": [container()]}},
                }
            ]
        },
        "status": {
            "phase": "Done",
            "state": "Succeeded",
            "conditions": [{"type": "Succeeded", "status": "True"}],
        },
    }


def child_pod(owner: Data) -> Data:
    mounts = [("lib", "/usr/lib/nvidia-384", "/usr/lib/nvidia")]
    mounts.append(("bin", "/usr/lib/nvidia-384/bin", "/usr/local/nvidia/bin"))
    trains = container(volumeMounts=[{"name": n, "mountPath": m} for n, _, m in mounts])
    return {
        "kind": "Pod",
        "metadata": metadata(f"{CHILD}-x", owner, labels={"job_type": "MASTER"}),
        "spec": {
            "containers": [trains],
            "volumes": [{"name": n, "hostPath": {"path": p}} for n, p, _ in mounts],
        },
        "status": {"phase": "Succeeded", "containerStatuses": [terminated(0)]},
    }


def terminated(code: int, reason: str = "Completed") -> Data:
    times = {"startedAt": "2026-01-31T12:00:00Z", "finishedAt": "2026-01-31T12:00:16Z"}
    return {
        "name": "tensorflow",
        "state": {"terminated": {"exitCode": code, "reason": reason, **times}},
    }


def waiting(reason: str, message: str = "") -> Data:
    return {"name": "tensorflow", "state": {"waiting": {"reason": reason, "message": message}}}


def operator() -> Data:
    deployment = {
        "kind": "Deployment",
        "metadata": metadata(
            "tf-job-operator",
            annotations={"meta.helm.sh/release-name": "tf-job"},
        ),
        "spec": {"replicas": 1},
        "status": {"conditions": [{"type": "Available", "status": "True"}]},
    }
    config = {
        "metadata": metadata("tf-job-operator-config"),
        "data": {"controller_config_file.yaml": CONFIG},
    }
    return {"deployments": [deployment], "configmaps": [config], "pods": []}


def done() -> Data:
    """The data of a snapshot in which both exercises are done."""
    mine = tfjob()
    job = {"kind": "Job", "metadata": metadata(CHILD, mine), "status": {"succeeded": 1}}
    crd = {
        "metadata": metadata("tfjobs.tensorflow.org"),
        "status": {"conditions": [{"type": "Established", "status": "True"}]},
    }
    node = {
        "metadata": metadata("node"),
        "status": {"allocatable": {GPU: "4", "nvidia.com/gpu": "4"}},
    }
    empty = ("services", "events", "persistentvolumeclaims", "deployments", "storageclasses")
    return {
        "version": 1,
        "taken": "2026-01-31T12:01:00Z",
        "context": "lab",
        "namespace": "default",
        "objects": {
            "tfjobs": [mine],
            "jobs": [job],
            "pods": [child_pod(job)],
            "nodes": [node],
            "customresourcedefinitions": [crd],
            "helm": [],
            **{kind: [] for kind in empty},
        },
        "elsewhere": {"tfjobs": []},
        "operator": operator(),
        "logs": {f"{CHILD}-x/tensorflow": LOG},
        "missing": {},
    }


def spoiled(*changes: Callable[[Data], object]) -> Snapshot:
    """The done snapshot after ``changes``, each of which edits the data in place."""
    data = copy.deepcopy(done())
    for change in changes:
        change(data)
    return Snapshot(data)


def master(data: Data) -> Data:
    """The container that the learner's manifest asks for."""
    template = data["objects"]["tfjobs"][0]["spec"]["replicaSpecs"][0]["template"]
    found: Data = template["spec"]["containers"][0]
    return found


def running(data: Data) -> None:
    """The TfJob has not ended."""
    data["objects"]["tfjobs"][0]["status"] = {"phase": "Running", "state": "Running"}


def pod_status(*statuses: Data, **more: Any) -> Callable[[Data], None]:
    """The TfJob runs, and its Pod's containers have these statuses."""

    def change(data: Data) -> None:
        running(data)
        data["objects"]["pods"][0]["status"] = {"containerStatuses": list(statuses), **more}

    return change


def unschedulable(message: str) -> Callable[[Data], None]:
    """The TfJob's Pod finds no node."""
    said = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
    }
    return pod_status(phase="Pending", conditions=[said])


def forbid(kind: str, status: int = 403) -> Callable[[Data], None]:
    """A kind may not be read."""

    def change(data: Data) -> None:
        section, _, plural = (
            f"objects {kind}".rpartition(" ") if " " not in kind else kind.rpartition(" ")
        )
        data.get(section, {}).pop(plural, None)
        data["missing"][kind] = {"status": status, "message": f"{plural} is forbidden"}

    return change


def no_tfjob(data: Data) -> None:
    """Nothing was made."""
    for kind in ("tfjobs", "jobs", "pods"):
        data["objects"][kind] = []
    data["logs"] = {}
