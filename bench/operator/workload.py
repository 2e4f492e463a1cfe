"""The benchmark's job: 1 MASTER, 2 WORKER and 1 PS; and the same objects without an operator.

Jobs take turns among the namespaces that they are given.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from bench.operator.subject import Subject

Replicas = tuple[tuple[str, int], ...]
REPLICAS: Replicas = (("MASTER", 1), ("WORKER", 2), ("PS", 1))
CHILDREN = sum(count for _, count in REPLICAS)
JOBS, SERVICES, PODS = "/apis/batch/v1/jobs", "/api/v1/services", "/api/v1/pods"
Item = tuple[str, str, bytes]


def within(collection: str, namespace: str) -> str:
    """The path of one namespace's part of a collection."""
    api, plural = collection.rsplit("/", 1)
    return f"{api}/namespaces/{namespace}/{plural}"


def template(kind: str, hold: bool) -> dict[str, Any]:
    """Pods end after a second, but for a PS, which runs on as a real one does."""
    held = {"bench/hold": "true"} if hold or kind == "PS" else {}
    spec = {"restartPolicy": "Never", "containers": [{"name": "tensorflow", "image": "none"}]}
    return {"metadata": {"annotations": held}, "spec": spec}


def tf_jobs(
    subject: Subject, prefix: str, count: int, namespaces: Sequence[str], hold: bool = False
) -> Iterator[Item]:
    """(name, path, body) of TfJobs; with ``hold`` none of their Pods ever ends."""
    for index in range(count):
        name = f"{prefix}-{index:05d}"
        path = within(subject.tf_jobs, namespaces[index % len(namespaces)])
        yield name, path, orjson.dumps(subject.make(name, hold))


def bare_children(
    prefix: str, count: int, namespaces: Sequence[str], services: bool = True
) -> Iterator[Item]:
    """The Services and Jobs of so many TfJobs, as our operator would make them."""
    for index in range(count):
        namespace = namespaces[index % len(namespaces)]
        for kind, number in REPLICAS:
            for task in range(number):
                name = f"{prefix}-{index:05d}-{kind.lower()}-{task}"
                if services:
                    yield name, within(SERVICES, namespace), orjson.dumps(service(name))
                yield name, within(JOBS, namespace), orjson.dumps(batch_job(name, kind))


def service(name: str) -> dict[str, Any]:
    ports = [{"name": "tf-port", "port": 2222}]
    spec = {"clusterIP": "None", "selector": {"name": name}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def batch_job(name: str, kind: str) -> dict[str, Any]:
    made = template(kind, hold=False)
    made["metadata"]["labels"] = {"job_type": kind}
    spec = {"completions": 1, "parallelism": 1, "backoffLimit": 6, "template": made}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}
