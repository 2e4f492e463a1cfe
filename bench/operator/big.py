"""One job of very many workers beside an Indexed Job, and jobs that a quota refuses."""

import asyncio
import math
import time
from dataclasses import dataclass
from typing import Any

import orjson

from bench.operator import clock, measure, workload
from bench.operator.control_plane import ControlPlane
from bench.operator.operator_process import OperatorProcess
from bench.operator.subject import Object

INDEXED_JOBS = "/apis/batch/v1/jobs"
NAME = "wide"
MINUTE = 60.0


@dataclass
class Wide:
    """One job of many replicas until all its Pods are made. Times in seconds, memory in MiB.

    ``longest_turn_ms``: of the operator's event loop; nan without a clock on it.
    """

    of: str
    replicas: int
    settings: str
    pods_made: float
    rss_before_mb: float
    rss_mb: float
    longest_turn_ms: float
    requests: int


@dataclass
class Refused:
    """Refused requests per job and minute, of jobs whose Pods or Jobs a quota refuses."""

    operator: str
    jobs: int
    first_minute: float
    second_minute: float


async def seconds_to_pods(
    plane: ControlPlane, path: str, body: Object, count: int, limit: float
) -> float:
    """Create one object, and wait until so many Pods of its name were seen."""
    seen: set[str] = set()
    all_seen = asyncio.Event()

    def pod(kind: str, obj: dict[str, Any], at: float) -> None:
        if obj["metadata"]["name"].startswith(f"{NAME}-"):
            seen.add(obj["metadata"]["name"])
            if len(seen) >= count:
                all_seen.set()

    async with measure.api_of(plane) as api:
        await api.watch(workload.PODS, pod)
        start = time.monotonic()
        await api.create(path, orjson.dumps(body))
        came = await measure.until(all_seen, limit)
        return time.monotonic() - start if came else math.inf


async def wide(
    plane: ControlPlane, operator: OperatorProcess, workers: int, settings: str, limit: float
) -> Wide:
    """One TfJob of a chief and so many workers."""
    subject, start, before = operator.subject, time.monotonic(), operator.peak_rss_mb()
    body = subject.make(NAME, True, (("MASTER", 1), ("WORKER", workers)))
    path = workload.within(subject.tf_jobs, plane.namespaces[0])
    seconds = await seconds_to_pods(plane, path, body, workers + 1, limit)
    requests = await asyncio.to_thread(operator.requests)
    turns = plane.folder / clock.FILE
    turn = clock.longest_turn_ms(turns, start) if turns.exists() else math.nan
    memory = before, operator.peak_rss_mb()
    return Wide(subject.name, workers + 1, settings, seconds, *memory, turn, requests.total())


async def indexed_job(plane: ControlPlane, workers: int, settings: str, limit: float) -> Wide:
    """Kubernetes' own Indexed Job of as many Pods, without an operator."""
    count = workers + 1
    spec = {"completionMode": "Indexed", "completions": count, "parallelism": count}
    spec["template"] = workload.template("WORKER", hold=True)
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": NAME}, "spec": spec}
    path = workload.within(INDEXED_JOBS, plane.namespaces[0])
    seconds = await seconds_to_pods(plane, path, body, count, limit)
    nothing = math.nan
    return Wide("Indexed Job", count, settings, seconds, nothing, nothing, nothing, 0)


async def refused(plane: ControlPlane, operator: OperatorProcess, count: int) -> Refused:
    """Create jobs where a quota lets no Job and no Pod in, and count for two minutes."""
    subject = operator.subject
    async with measure.api_of(plane) as api:
        for namespace in plane.namespaces:
            path = workload.within("/api/v1/resourcequotas", namespace)
            await api.create(path, orjson.dumps(no_room()))
        items = workload.tf_jobs(subject, "refused", count, plane.namespaces)
        await api.create_all(items, lambda name, at: None)
        await asyncio.sleep(MINUTE)
        first = await asyncio.to_thread(operator.refused)
        await asyncio.sleep(MINUTE)
        both = await asyncio.to_thread(operator.refused)
    return Refused(subject.name, count, first / count, (both - first) / count)


def no_room() -> Object:
    hard = {"count/jobs.batch": "0", "pods": "0"}
    return {"metadata": {"name": "no-room"}, "spec": {"hard": hard}}
