"""The benchmark's job: 1 MASTER, 2 WORKER and 1 PS; and the same objects without an operator."""

from collections.abc import Iterator
from typing import Any

import orjson

from bench.operator.subject import Subject

REPLICAS = (("MASTER", 1), ("WORKER", 2), ("PS", 1))
CHILDREN = sum(count for _, count in REPLICAS)
JOBS = "/apis/batch/v1/namespaces/default/jobs"
SERVICES = "/api/v1/namespaces/default/services"
PODS = "/api/v1/namespaces/default/pods"
Item = tuple[str, str, bytes]


def template(kind: str, hold: bool) -> dict[str, Any]:
    """Pods end after a second, but for a PS, which runs on as a real one does."""
    held = {"bench/hold": "true"} if hold or kind == "PS" else {}
    spec = {"restartPolicy": "Never", "containers": [{"name": "tensorflow", "image": "none"}]}
    return {"metadata": {"annotations": held}, "spec": spec}


def tf_jobs(subject: Subject, prefix: str, count: int, hold: bool = False) -> Iterator[Item]:
    """(name, path, body) of TfJobs; with ``hold`` none of their Pods ever ends."""
    for index in range(count):
        name = f"{prefix}-{index:05d}"
        yield name, subject.tf_jobs, orjson.dumps(subject.make(name, hold))


def bare_children(prefix: str, count: int, services: bool = True) -> Iterator[Item]:
    """The Services and Jobs of so many TfJobs, as our operator would make them."""
    for index in range(count):
        for kind, number in REPLICAS:
            for task in range(number):
                name = f"{prefix}-{index:05d}-{kind.lower()}-{task}"
                if services:
                    yield name, SERVICES, orjson.dumps(service(name))
                yield name, JOBS, orjson.dumps(batch_job(name, kind))


def service(name: str) -> dict[str, Any]:
    ports = [{"name": "tf-port", "port": 2222}]
    spec = {"clusterIP": "None", "selector": {"name": name}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def batch_job(name: str, kind: str) -> dict[str, Any]:
    made = template(kind, hold=False)
    made["metadata"]["labels"] = {"job_type": kind}
    spec = {"completions": 1, "parallelism": 1, "backoffLimit": 6, "template": made}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}
