"""The measurements: a load of jobs, a restart over jobs that are there, and the floors."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bench.operator import workload
from bench.operator.board import Board, percentile
from bench.operator.client import Api
from bench.operator.control_plane import ControlPlane, cpu_seconds
from bench.operator.operator_process import OperatorProcess, grant_everything
from bench.operator.subject import Subject

RESTART_WINDOW_SECONDS = 30.0
AT_REST = 0.6  # CPU seconds of the control plane in one: fifty idle nodes take 0.2 to 0.4
QUIET_SECONDS = 12  # longer than a finished job's cleaning up is put off at a time


@dataclass
class Load:
    """One row of the table. Times in seconds, memory in MiB.

    Of a load that was cut short, ``finished`` is less than ``jobs``, the last times are infinite
    and the percentiles are of the jobs that came so far.
    """

    operator: str
    jobs: int
    namespaces: int
    settings: str
    children_p50: float
    children_p99: float
    children_last: float
    first_status_p50: float
    first_status_p99: float
    status_lag_p50: float
    status_lag_p99: float
    succeeded_last: float
    jobs_per_second: float
    finished: int
    rss_mb: float
    cpu_seconds: dict[str, float]  # by process, until the last success
    requests_per_job: float
    requests: dict[str, int]


@dataclass
class Start:
    """Jobs whose Pods run on: seconds from the creation to the first status, and from the chief's
    Pod that runs to the state Running. ``running``: jobs that came so far."""

    operator: str
    jobs: int
    settings: str
    first_status_p50: float
    first_status_p99: float
    running_lag_p50: float
    running_lag_p99: float
    running: int


@dataclass
class Restart:
    """A new job right after the operator's start over ``present`` jobs."""

    operator: str
    present: int
    state: str
    to_children_seconds: float
    rss_mb: float
    requests: int
    requests_by_verb: dict[str, int]


@dataclass
class Floor:
    """What as many TfJobs' bare objects take without an operator: their creation by a client, or
    their Jobs until the last chief's Pod has ended; infinite if that was cut short."""

    of: str
    jobs: int
    namespaces: int
    settings: str
    seconds: float


def ready(plane: ControlPlane, subject: Subject) -> None:
    """Install what the operator needs and let it in."""
    subject.install(plane)
    grant_everything(plane)
    end = time.monotonic() + 20
    while plane.request("GET", subject.tf_jobs) is None:
        if time.monotonic() > end:
            raise SystemExit("the CRD was not established")
        time.sleep(0.1)
    warm_up(plane, subject)


def warm_up(plane: ControlPlane, subject: Subject) -> None:
    """One creation that is not kept: the API server holds up the first after a CRD's for 2 s."""
    path = workload.within(subject.tf_jobs, plane.namespaces[0])
    plane.request("POST", f"{path}?dryRun=All", subject.make("warm-up", False))


def api_of(plane: ControlPlane) -> Api:
    return Api(plane.url, plane.folder / "certs" / "apiserver.crt")


@asynccontextmanager
async def watched(plane: ControlPlane, board: Board) -> AsyncIterator[Api]:
    """A client whose watches write on the board."""
    async with api_of(plane) as api:
        for path, handle in (
            (board.subject.tf_jobs, board.tf_job),
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


def cpu_of_all(plane: ControlPlane, operator: OperatorProcess) -> dict[str, float]:
    """CPU seconds so far of the control plane's parts, the operator and the benchmark itself."""
    pids = {**plane.pids, "operator": operator.process.pid, "bench": os.getpid()}
    return {name: cpu_seconds(pid) for name, pid in pids.items()}


async def load(
    plane: ControlPlane, operator: OperatorProcess, count: int, settings: str, limit: float
) -> Load:
    """Create ``count`` jobs, 20 in flight, and wait until all have succeeded or ``limit`` is
    over, in seconds from the start."""
    board, before = Board(operator.subject, "load", count), cpu_of_all(plane, operator)
    async with watched(plane, board) as api:
        start = time.monotonic()
        items = workload.tf_jobs(operator.subject, "load", count, plane.namespaces)
        await api.create_all(items, board.created)
        await until(board.all_succeeded, start + limit - time.monotonic())
        seconds = time.monotonic() - start
    after = cpu_of_all(plane, operator)
    made, lag = board.since("complete", "created"), board.since("succeeded", "chief_ended")
    first = board.since("first_status", "created")
    requests = await asyncio.to_thread(operator.requests)
    return Load(
        operator=operator.subject.name,
        jobs=count,
        namespaces=len(plane.namespaces),
        settings=settings,
        children_p50=percentile(made, 0.5),
        children_p99=percentile(made, 0.99),
        children_last=board.last("complete", start),
        first_status_p50=percentile(first, 0.5),
        first_status_p99=percentile(first, 0.99),
        status_lag_p50=percentile(lag, 0.5),
        status_lag_p99=percentile(lag, 0.99),
        succeeded_last=board.last("succeeded", start),
        jobs_per_second=board.count("succeeded") / seconds,
        finished=board.count("succeeded"),
        rss_mb=operator.peak_rss_mb(),
        cpu_seconds={name: after[name] - before[name] for name in after},
        requests_per_job=requests.total() / count,
        requests=dict(requests.most_common()),
    )


async def settled(plane: ControlPlane, seconds: float = 300) -> None:
    """Wait until the control plane is at rest: the end of a load leaves it much to tidy up."""

    def spent() -> float:
        return sum(map(cpu_seconds, plane.pids.values()))

    end, before, quiet = time.monotonic() + seconds, spent(), 0
    while quiet < QUIET_SECONDS and time.monotonic() < end:
        await asyncio.sleep(1)
        now = spent()
        quiet = quiet + 1 if now - before < AT_REST else 0
        before = now


async def restart(plane: ControlPlane, subject: Subject, present: int, state: str) -> Restart:
    """Start the operator over what is there, and a new job at the same moment."""
    board = Board(subject, "new", 1)
    async with watched(plane, board) as api:
        with OperatorProcess(plane, subject) as operator:
            items = workload.tf_jobs(subject, "new", 1, plane.namespaces)
            await api.create_all(items, board.created)
            await until(board.all_complete, 120)
            took = board.last("complete", operator.started)
            await asyncio.sleep(
                max(0.0, operator.started + RESTART_WINDOW_SECONDS - time.monotonic())
            )
            rss, requests = operator.peak_rss_mb(), await asyncio.to_thread(operator.requests)
    total, by_verb = requests.total(), dict(requests.most_common())
    return Restart(subject.name, present, state, took, rss, total, by_verb)


async def start(plane: ControlPlane, subject: Subject, count: int, limit: float) -> Start:
    """Make jobs that run and never end, and wait until their statuses say so."""
    board = Board(subject, "hold", count)
    async with watched(plane, board) as api:
        with OperatorProcess(plane, subject) as operator:
            operator.wait_until_ready()
            items = workload.tf_jobs(subject, "hold", count, plane.namespaces, hold=True)
            await api.create_all(items, board.created)
            await until(board.all_running, limit)
            await settled(plane)
    first, lag = board.since("first_status", "created"), board.since("running", "chief_running")
    return Start(
        operator=subject.name,
        jobs=count,
        settings="tuned",
        first_status_p50=percentile(first, 0.5),
        first_status_p99=percentile(first, 0.99),
        running_lag_p50=percentile(lag, 0.5),
        running_lag_p99=percentile(lag, 0.99),
        running=board.count("running"),
    )


async def floor_of_creation(plane: ControlPlane, count: int) -> Floor:
    """A bare client makes the same children, 20 in flight."""
    async with api_of(plane) as api:
        items = workload.bare_children("floor", count, plane.namespaces)
        seconds = await api.create_all(items, lambda name, at: None)
    spaces = len(plane.namespaces)
    return Floor("creation of Services and Jobs", count, spaces, "tuned", seconds)


async def floor_of_jobs(plane: ControlPlane, count: int, settings: str, limit: float) -> Floor:
    """Four bare Jobs for each of ``count``, until the last chief's Pod has ended: what the Job
    controller itself takes."""
    ended, start, done = set(), time.monotonic(), asyncio.Event()

    def pod(kind: str, obj: dict[str, Any], at: float) -> None:
        if obj["metadata"]["labels"].get("job_type") == "MASTER":
            if obj["status"].get("phase") == "Succeeded":
                ended.add(obj["metadata"]["name"])
            if len(ended) == count:
                done.set()

    async with api_of(plane) as api:
        await api.watch(workload.PODS, pod)
        items = workload.bare_children("jobs", count, plane.namespaces, services=False)
        await api.create_all(items, lambda name, at: None)
        finished = await until(done, start + limit - time.monotonic())
        seconds = time.monotonic() - start if finished else float("inf")
    spaces = len(plane.namespaces)
    return Floor("Jobs to the last chief's Pod", count, spaces, settings, seconds)
