"""Hand-made clusters for what no single mistake on a real cluster shows.

``done`` is one in which 5.0 and 5.1 are done, ``distributed`` one in which 6.1
or 6.2 is; tests spoil one thing in a copy (``spoiled``), or make a cluster of
their own from the builders of objects (``cluster_with``). The recorded cases
under ``mistakes/`` are the truth; the words in here were provoked on Kubernetes
1.37.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from validator.snapshot import VERSION, Snapshot

Data = dict[str, Any]
Change = Callable[[Data], object]
GPU = "alpha.kubernetes.io/nvidia-gpu"
IMAGE = "localhost/fashion-mnist:1.2.0"
OPERATOR_IMAGE = "localhost/tf-job-operator:1.1.0"
RUNTIME = "ab12"
CHILD = f"module5-ex1-master-{RUNTIME}-0"
POD = f"{CHILD}-x"
# When everything was made, began, and was looked at.
MADE, BEGAN, TAKEN = "2026-01-31T11:59:50Z", "2026-01-31T12:00:00Z", "2026-01-31T12:01:00Z"
KINDS = (
    *("tfjobs", "jobs", "pods", "services", "events", "persistentvolumeclaims", "deployments"),
    *("nodes", "customresourcedefinitions", "helm"),
)
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


# Objects


def metadata(name: str, owner: Data | None = None, **more: Any) -> Data:
    """Metadata with a UID made from the name, and the owner that controls it."""
    return {
        "name": name,
        "uid": f"uid-{name}",
        "namespace": "default",
        "creationTimestamp": MADE,
        **({"ownerReferences": [_controller(owner)]} if owner else {}),
        **more,
    }


def _controller(owner: Data) -> Data:
    kind = owner.get("kind", "")
    return {"kind": kind, "uid": owner["metadata"]["uid"], "controller": True}


def condition(kind: str, status: str = "True", reason: str = "", message: str = "") -> Data:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": BEGAN,
    }


def container(**more: Any) -> Data:
    """The container of the solution of 5.1."""
    return {
        "name": "tensorflow",
        "image": IMAGE,
        "args": ["--max-steps", "500"],
        "resources": {"limits": {GPU: 1}},
        **more,
    }


def replica(kind: str = "MASTER", count: int = 1, **more: Any) -> Data:
    """An entry of replicaSpecs whose template has one container, with more fields."""
    template = {"spec": {"containers": [container(**more)]}}
    return {"replicas": count, "tfReplicaType": kind, "template": template}


def tfjob(name: str = "module5-ex1", *replicas: Data, **spec: Any) -> Data:
    """A TfJob that has succeeded: that of 5.1, where no replicas are given."""
    return {
        "kind": "TfJob",
        "metadata": metadata(name),
        "spec": {"replicaSpecs": list(replicas) or [replica()], **spec},
        "status": {
            "phase": "Done",
            "state": "Succeeded",
            "runtimeId": RUNTIME,
            "startTime": MADE,
            "conditions": [condition("Succeeded")],
        },
    }


def job(
    name: str, owner: Data | None = None, *conditions: Data, role: str = "MASTER", **spec: Any
) -> Data:
    """A Job; one that is still at work, where it has no condition."""
    template = {"spec": {"containers": [container()], "restartPolicy": "Never"}}
    return {
        "kind": "Job",
        "metadata": metadata(name, owner, labels={"job_type": role}),
        "spec": {"template": template, **spec},
        "status": {"conditions": list(conditions)},
    }


def pod(name: str, owner: Data | None = None, *statuses: Data, **status: Any) -> Data:
    """A Pod with these statuses of its containers."""
    role = (owner or {"metadata": {}})["metadata"].get("labels", {}).get("job_type", "MASTER")
    return {
        "kind": "Pod",
        "metadata": metadata(name, owner, labels={"job_type": role}),
        "spec": {"containers": [container()], "nodeName": "node"},
        "status": {"phase": "Running", "containerStatuses": list(statuses), **status},
    }


def child_pod(owner: Data) -> Data:
    """The Pod of 5.1, which has trained, with the mounts that the operator adds."""
    mounts = [("lib", "/usr/lib/nvidia-384", "/usr/lib/nvidia")]
    mounts.append(("bin", "/usr/lib/nvidia-384/bin", "/usr/local/nvidia/bin"))
    trains = container(volumeMounts=[{"name": n, "mountPath": m} for n, _, m in mounts])
    made = pod(f"{owner['metadata']['name']}-x", owner, terminated(0), phase="Succeeded")
    made["spec"] = {
        "containers": [trains],
        "volumes": [{"name": n, "hostPath": {"path": p}} for n, p, _ in mounts],
        "nodeName": "node",
    }
    return made


def deployment(name: str, *conditions: Data, replicas: int = 1, **template: Any) -> Data:
    """A Deployment that is available, where no conditions are given."""
    spec = {"containers": [container(args=[], resources={}, **template)]}
    return {
        "kind": "Deployment",
        "metadata": metadata(name, generation=1),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
        },
        "status": {
            "observedGeneration": 1,
            "conditions": list(conditions) or [condition("Available")],
            **({} if conditions else {"readyReplicas": replicas, "updatedReplicas": replicas}),
        },
    }


def pod_of(owner: Data, *statuses: Data, ready: bool = True, **status: Any) -> Data:
    """A Pod of a Deployment."""
    made = pod(f"{owner['metadata']['name']}-5f9c-x", None, *statuses, **status)
    made["metadata"]["labels"] = dict(owner["spec"]["template"]["metadata"]["labels"])
    made["spec"] = {**owner["spec"]["template"]["spec"], "nodeName": "node"}
    ready_now = condition("Ready", "True" if ready else "False")
    made["status"].setdefault("conditions", []).append(ready_now)
    return made


def service(name: str, port: int = 80, target: int | str | None = None, **selector: str) -> Data:
    ports = [{"port": port, **({"targetPort": target} if target else {})}]
    return {
        "kind": "Service",
        "metadata": metadata(name),
        "spec": {"selector": selector, "ports": ports},
    }


def claim(name: str, phase: str = "Bound", storage_class: str = "standard") -> Data:
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(name),
        "spec": {"storageClassName": storage_class},
        "status": {"phase": phase},
    }


def helm_secret(release: str, revision: int = 1, status: str = "deployed") -> Data:
    """The metadata of one of Helm's Secrets: the reader asks for no more."""
    labels = {"owner": "helm", "name": release, "status": status, "version": str(revision)}
    return {"metadata": metadata(f"sh.helm.release.v1.{release}.v{revision}", labels=labels)}


def of_release(item: Data, release: str) -> Data:
    """The object, as Helm marks what it makes."""
    marks = {"meta.helm.sh/release-name": release}
    return {**item, "metadata": {**item["metadata"], "annotations": marks}}


def node(name: str = "node", *images: str, **allocatable: str) -> Data:
    """A node with these images, and with four GPUs where nothing else is given."""
    offers = allocatable or {GPU: "4", "nvidia.com/gpu": "4", "cpu": "4", "memory": "8Gi"}
    known = images or (IMAGE, OPERATOR_IMAGE)
    return {
        "metadata": metadata(name, labels={"kubernetes.io/hostname": name}),
        "status": {
            "allocatable": offers,
            "images": [{"names": [image]} for image in known],
        },
    }


def event(about: Data, reason: str, message: str, kind: str = "Warning", at: str = BEGAN) -> Data:
    who = {
        "kind": about.get("kind", ""),
        "name": about["metadata"]["name"],
        "uid": about["metadata"]["uid"],
    }
    return {
        "metadata": metadata(f"{who['name']}.{reason}"),
        "involvedObject": who,
        "reason": reason,
        "message": message,
        "type": kind,
        "lastTimestamp": at,
    }


# Statuses of containers


def terminated(code: int, reason: str = "Completed", message: str = "", **more: Any) -> Data:
    times = {"startedAt": BEGAN, "finishedAt": "2026-01-31T12:00:16Z"}
    said = {"message": message} if message else {}
    ended = {"exitCode": code, "reason": reason, **said, **times}
    return {"name": "tensorflow", "state": {"terminated": ended}, **more}


def waiting(reason: str, message: str = "", **more: Any) -> Data:
    return {
        "name": "tensorflow",
        "state": {"waiting": {"reason": reason, "message": message}},
        **more,
    }


def at_work(since: str = BEGAN, **more: Any) -> Data:
    return {"name": "tensorflow", "state": {"running": {"startedAt": since}}, **more}


# Logs


def log(
    steps: int = 500, lines: int = 5, cluster: str = f"chief {CHILD}:2222", *more: str
) -> str:  # fmt: skip
    """The log of a chief, from 12:00:02 on, two seconds a line."""
    each = steps // lines
    losses = (0.70, 0.50, 0.42, 0.38, 0.35)
    numbered = [
        f"step {n * each}/{steps} loss {losses[(n - 1) % 5] - n // 6 * 0.1:.4f} accuracy 0.7{n:03d}"
        for n in range(1, lines + 1)
    ]
    said = [f"chief of the cluster {cluster}", *numbered, *more]
    said += ["test accuracy 0.8612 on 10000 images", "saved model to /tmp/model"]
    return "\n".join(f"2026-01-31T12:00:{2 + n:02d}.500Z {line}" for n, line in enumerate(said))


LOG = log()


def whole(written: str) -> Data:
    """A log that was read from its beginning to its end."""
    return {"head": written, "tail": "", "cut": False}


# Clusters


def operator() -> Data:
    """The operator's own objects, as installed with cloud=azure."""
    made = of_release(deployment("tf-job-operator", image=OPERATOR_IMAGE), "tf-job")
    config = {
        "metadata": metadata("tf-job-operator-config"),
        "data": {"controller_config_file.yaml": CONFIG},
    }
    lease = {"metadata": metadata("tf-job-operator"), "spec": {"renewTime": TAKEN}}
    return {
        "deployments": [made],
        "configmaps": [config],
        "pods": [],
        "leases": [lease],
        "helm": [helm_secret("tf-job")],
    }


def cluster_with(**objects: Any) -> Data:
    """A cluster with these objects and nothing else; it has a node, and an operator that runs."""
    crd = {
        "metadata": metadata("tfjobs.tensorflow.org"),
        "status": {"conditions": [condition("Established")]},
    }
    return {
        "version": VERSION,
        "taken": TAKEN,
        "context": "lab",
        "namespace": "default",
        "flags": [],
        "groups": ["apps", "batch", "tensorflow.org"],
        "objects": {
            **{kind: [] for kind in KINDS},
            "nodes": [node()],
            "customresourcedefinitions": [crd],
            **objects,
        },
        "elsewhere": {},
        "operator": operator(),
        "logs": {},
        "answers": {},
        "missing": {},
    }


def done() -> Data:
    """The data of a snapshot in which 5.0 and 5.1 are done."""
    mine = tfjob()
    child = job(CHILD, mine, condition("Complete"))
    data = cluster_with(tfjobs=[mine], jobs=[child], pods=[child_pod(child)])
    data["logs"] = {f"{POD}/tensorflow": whole(LOG)}
    return data


HOSTS = {"master": ["m-0:2222"], "worker": ["w-0:2222", "w-1:2222"], "ps": ["p-0:2222"]}


def distributed(name: str = "module6-ex1", steps: int = 1000) -> Data:
    """One in which 6.1 is done; as ``module6-ex2``, 6.2: its worker 1 was lost and came back."""
    trains = {"args": ["--max-steps", str(steps)], "resources": {}}
    specs = [replica("MASTER", **trains), replica("WORKER", 2, **trains), {"tfReplicaType": "PS"}]
    mine = tfjob(name, *specs)
    chief = job(f"{name}-master-{RUNTIME}-0", mine, condition("Complete"))
    trained = child_pod(chief)
    config = {"cluster": HOSTS, "task": {"type": "master", "index": 0}, "environment": "cloud"}
    variables = [{"name": "TF_CONFIG", "value": json.dumps(config)}]
    trained["spec"] = {"containers": [container(**trains, env=variables)], "nodeName": "node"}
    data = cluster_with(tfjobs=[mine], jobs=[chief], pods=[trained])
    shares = ("worker 0 took 512 steps", f"worker 1 took {steps - 512} steps")
    hosts = f"chief {name}-master-{RUNTIME}-0:2222, worker {name}-worker-{RUNTIME}-0:2222"
    written = log(steps, 10, hosts, *shares)
    data["logs"] = {f"{trained['metadata']['name']}/tensorflow": whole(written)}
    if name == "module6-ex2":
        worker_lost(data)
    return data


def worker_lost(data: Data, at: str = "12:00:05", back: str = "12:00:08") -> None:
    """All three signs of it: the condition, the chief's log, the events of the worker's Job."""
    mine = data["objects"]["tfjobs"][0]
    recovered = condition("Restarting", "False", "Recovered")
    recovered["lastTransitionTime"] = f"2026-01-31T{back}Z"
    mine["status"]["conditions"].append(recovered)
    for key, written in data["logs"].items():
        lines = written["head"].split("\n")
        lines.insert(4, f"2026-01-31T{at}.600Z worker 1 is lost: training goes on")
        data["logs"][key] = whole("\n".join(lines))
    name = f"{mine['metadata']['name']}-worker-{RUNTIME}-1"
    worker = {"kind": "Job", "metadata": metadata(name)}
    for moment, pod_name in (("11:59:51", f"{name}-abcde"), (at, f"{name}-fghij")):
        message, time = f"Created pod: {pod_name}", f"2026-01-31T{moment}Z"
        made = event(worker, "SuccessfulCreate", message, "Normal", time)
        data["objects"]["events"].append(made)


def spoiled(*changes: Change, of: Data | None = None) -> Snapshot:
    """The done snapshot (or another's data) after ``changes``, which edit a copy in place."""
    data = copy.deepcopy(done() if of is None else of)
    for change in changes:
        change(data)
    return Snapshot(data)


# Changes


def master(data: Data) -> Data:
    """The container that the learner's manifest asks for."""
    template = data["objects"]["tfjobs"][0]["spec"]["replicaSpecs"][0]["template"]
    found: Data = template["spec"]["containers"][0]
    return found


def later(seconds: int) -> Change:
    """The same cluster, so many seconds after its training began."""
    minutes, hours = seconds // 60 % 60, 12 + seconds // 3600
    return lambda data: data.update(taken=f"2026-01-31T{hours}:{minutes:02d}:{seconds % 60:02d}Z")


def running(data: Data) -> None:
    """The TfJob and its Job have not ended."""
    mine = data["objects"]["tfjobs"][0]
    mine["status"] = {
        "phase": "Running",
        "state": "Running",
        "runtimeId": RUNTIME,
        "startTime": MADE,
    }
    for child in data["objects"]["jobs"]:
        child["status"] = {"active": 1}


def failed(reason: str, message: str = "") -> Change:
    """The operator has given up on the TfJob."""

    def change(data: Data) -> None:
        said = condition("Failed", "True", reason, message)
        data["objects"]["tfjobs"][0]["status"] = {
            "phase": "Failed",
            "state": "Failed",
            "reason": f"{reason}: {message}",
            "runtimeId": RUNTIME,
            "conditions": [said],
        }
        for child in data["objects"]["jobs"]:
            child["status"] = {}

    return change


def pod_status(*statuses: Data, **more: Any) -> Change:
    """The TfJob runs, and its Pod's containers have these statuses."""

    def change(data: Data) -> None:
        running(data)
        data["objects"]["pods"][0]["status"] = {"containerStatuses": list(statuses), **more}

    return change


def unschedulable(message: str, since: str = BEGAN) -> Change:
    """The TfJob's Pod finds no node."""
    said = condition("PodScheduled", "False", "Unschedulable", message)
    said["lastTransitionTime"] = since
    return pod_status(phase="Pending", conditions=[said])


def happened(kind: str, reason: str, message: str, place: int = 0) -> Change:
    """A warning about an object of this kind (plural)."""
    return lambda data: data["objects"]["events"].append(
        event(data["objects"][kind][place], reason, message)
    )


def forbid(kind: str, status: int = 403) -> Change:
    """A kind may not be read."""

    def change(data: Data) -> None:
        section, _, plural = (
            f"objects {kind}".rpartition(" ") if " " not in kind else kind.rpartition(" ")
        )
        data.get(section, {}).pop(plural, None)
        data["missing"][kind] = {"status": status, "message": f"{plural} is forbidden"}

    return change


def without(*kinds: str) -> Change:
    """Nothing is left of these kinds."""
    return lambda data: data["objects"].update({kind: [] for kind in kinds})


def no_tfjob(data: Data) -> None:
    """Nothing was made."""
    without("tfjobs", "jobs", "pods")(data)
    data["logs"] = {}
