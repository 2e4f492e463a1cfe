"""The measurements: a load of jobs, a restart over jobs that are there, and the floors."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bench.operator import workload
from bench.operator.board import Board, percentile
from bench.operator.client import Api
from bench.operator.control_plane import ControlPlane
from bench.operator.operator_process import CHECKOUT, OperatorProcess, grant_everything

CRD = CHECKOUT / "operator" / "chart" / "crds" / "tfjobs.yaml"
RESTART_WINDOW_SECONDS = 30.0


@dataclass
class Load:
    """One row of the table. Times in seconds, memory in MiB."""

    jobs: int
    controllers: str
    children_p50: float
    children_p99: float
    children_last: float
    status_lag_p50: float
    status_lag_p99: float
    succeeded_last: float
    jobs_per_second: float
    finished: int
    rss_mb: float
    cpu_seconds: float
    requests_per_job: float
    requests: dict[str, int]


@dataclass
class Restart:
    """A new job right after the operator's start over ``present`` jobs."""

    present: int
    state: str
    to_children_seconds: float
    requests: int
    rss_mb: float


def ready(plane: ControlPlane) -> None:
    """Install the CRD and let the operator in."""
    plane.apply(CRD)
    grant_everything(plane)
    end = time.monotonic() + 20
    while plane.request("GET", workload.TFJOBS) is None:
        if time.monotonic() > end:
            raise SystemExit("the CRD was not established")
        time.sleep(0.1)


@asynccontextmanager
async def watched(plane: ControlPlane, board: Board) -> AsyncIterator[Api]:
    """A client whose watches write on the board."""
    async with Api(plane.url, plane.folder / "certs" / "apiserver.crt") as api:
        for path, handle in (
            (workload.TFJOBS, board.tf_job),
            (workload.SERVICES, board.child),
            (workload.JOBS, board.child),
            (workload.PODS, board.pod),
        ):
            await api.watch(path, handle)
        yield api
        api.check()


async def until(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def load(
    plane: ControlPlane, operator: OperatorProcess, count: int, label: str, limit: float
) -> Load:
    """Create ``count`` jobs, 20 in flight, and wait until all have succeeded."""
    board, cpu = Board("load", count), operator.cpu_seconds()
    async with watched(plane, board) as api:
        start = time.monotonic()
        await api.create_all(workload.tf_jobs("load", count), board.created)
        await until(board.all_succeeded, limit)
    made, lag = board.since("complete", "created"), board.since("succeeded", "chief_ended")
    seconds = board.last("succeeded", start)
    requests = await asyncio.to_thread(operator.requests)
    return Load(
        jobs=count,
        controllers=label,
        children_p50=percentile(made, 0.5),
        children_p99=percentile(made, 0.99),
        children_last=board.last("complete", start),
        status_lag_p50=percentile(lag, 0.5),
        status_lag_p99=percentile(lag, 0.99),
        succeeded_last=seconds,
        jobs_per_second=count / seconds,
        finished=board.count("succeeded"),
        rss_mb=operator.peak_rss_mb(),
        cpu_seconds=operator.cpu_seconds() - cpu,
        requests_per_job=requests.total() / count,
        requests=dict(requests.most_common()),
    )


async def restart(plane: ControlPlane, present: int, state: str) -> Restart:
    """Start the operator over what is there, and a new job at the same moment."""
    board = Board("new", 1)
    async with watched(plane, board) as api:
        with OperatorProcess(plane) as operator:
            await api.create_all(workload.tf_jobs("new", 1), board.created)
            await until(board.all_complete, 120)
            took = board.last("complete", operator.started)
            await asyncio.sleep(
                max(0.0, operator.started + RESTART_WINDOW_SECONDS - time.monotonic())
            )
            rss, requests = operator.peak_rss_mb(), await asyncio.to_thread(operator.requests)
    return Restart(present, state, took, requests.total(), rss)


async def make_running(plane: ControlPlane, count: int, limit: float) -> None:
    """Jobs that run and never end, with their status told."""
    board = Board("hold", count)
    async with watched(plane, board) as api:
        with OperatorProcess(plane) as operator:
            operator.wait_until_ready()
            await api.create_all(workload.tf_jobs("hold", count, hold=True), board.created)
            await until(board.all_running, limit)
            await asyncio.sleep(3)


async def floor_of_creation(plane: ControlPlane, count: int) -> float:
    """Seconds in which a bare client makes the same children, 20 in flight."""
    async with Api(plane.url, plane.folder / "certs" / "apiserver.crt") as api:
        items = workload.bare_children("floor", count)
        return await api.create_all(items, lambda name, at: None)


async def floor_of_jobs(plane: ControlPlane, count: int, limit: float) -> float:
    """Seconds until the last chief's Pod has ended when bare Jobs are made, four for each of
    ``count``: what the Job controller itself takes."""
    ended, start, done = set(), time.monotonic(), asyncio.Event()

    def pod(kind: str, obj: dict[str, Any], at: float) -> None:
        if obj["metadata"]["labels"].get("job_type") == "MASTER":
            if obj["status"].get("phase") == "Succeeded":
                ended.add(obj["metadata"]["name"])
            if len(ended) == count:
                done.set()

    async with Api(plane.url, plane.folder / "certs" / "apiserver.crt") as api:
        await api.watch(workload.PODS, pod)
        items = workload.bare_children("jobs", count, services=False)
        await api.create_all(items, lambda name, at: None)
        finished = await until(done, limit)
    return time.monotonic() - start if finished else float("inf")
