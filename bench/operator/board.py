"""What the benchmark's watches have seen of every TfJob, and when."""

import asyncio
import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from bench.operator.subject import Subject
from bench.operator.workload import CHILDREN


@dataclass
class Times:
    """Monotonic seconds of one TfJob; None is not yet."""

    created: float | None = None
    children: set[str] = field(default_factory=set)
    complete: float | None = None  # all that count as children are there
    first_status: float | None = None
    chief_running: float | None = None  # its Pod
    chief_ended: float | None = None  # its Pod
    running: float | None = None
    succeeded: float | None = None


class Board:
    """A subject's jobs whose names begin with ``prefix``; an event is set when ``expected`` are
    so far."""

    def __init__(self, subject: Subject, prefix: str, expected: int):
        self.subject, self.prefix, self.expected = subject, prefix, expected
        self.jobs: dict[str, Times] = defaultdict(Times)
        self._counts: Counter[str] = Counter()
        self.all_complete, self.all_running = asyncio.Event(), asyncio.Event()
        self.all_succeeded = asyncio.Event()

    def created(self, name: str, at: float) -> None:
        self.jobs[name].created = at

    def child(self, kind: str, obj: dict[str, Any], at: float) -> None:
        """A Service, a Job or a Pod was seen; the subject says which of them count."""
        job, wanted = self._job(obj), self.subject.child_kinds
        if job is None or kind == "DELETED" or job.complete is not None:
            return
        if obj["kind"] in wanted:
            job.children.add(f"{obj['kind']}/{obj['metadata']['name']}")
        if len(job.children) == len(wanted) * CHILDREN:
            job.complete = at
            self._tick("complete", self.all_complete)

    def pod(self, kind: str, obj: dict[str, Any], at: float) -> None:
        self.child(kind, obj, at)
        job, labels = self._job(obj), obj["metadata"].get("labels") or {}
        is_chief = labels.get(self.subject.type_label) == self.subject.chief
        phase = obj["status"].get("phase")
        if job and is_chief and phase == "Running":
            job.chief_running = job.chief_running or at
        if job and is_chief and phase == "Succeeded":
            job.chief_ended = job.chief_ended or at

    def tf_job(self, kind: str, obj: dict[str, Any], at: float) -> None:
        name = obj["metadata"]["name"]
        if not name.startswith(self.prefix):
            return
        status = obj.get("status") or {}
        job, state = self.jobs[name], self.subject.state(status)
        if status.get("conditions"):
            job.first_status = job.first_status or at
        if state == "Running" and job.running is None:
            job.running = at
            self._tick("running", self.all_running)
        if state == "Succeeded" and job.succeeded is None:
            job.succeeded = at
            self._tick("succeeded", self.all_succeeded)

    def since(self, end: str, start: str) -> list[float]:
        """Seconds from one time to the other, of the jobs that have both."""
        pairs = [(getattr(job, start), getattr(job, end)) for job in self.jobs.values()]
        return [b - a for a, b in pairs if a is not None and b is not None]

    def last(self, what: str, start: float) -> float:
        """Seconds from ``start`` to the last job's time; infinite if one has none."""
        times = [getattr(job, what) for job in self.jobs.values()]
        if len(times) < self.expected or None in times:
            return math.inf
        return max(times) - start

    def count(self, what: str) -> int:
        return sum(getattr(job, what) is not None for job in self.jobs.values())

    def _job(self, obj: dict[str, Any]) -> Times | None:
        name = (obj["metadata"].get("labels") or {}).get(self.subject.job_label, "")
        return self.jobs[name] if name.startswith(self.prefix) else None

    def _tick(self, what: str, event: asyncio.Event) -> None:
        self._counts[what] += 1
        if self._counts[what] >= self.expected:
            event.set()


def percentile(values: list[float], share: float) -> float:
    """The smallest value that so large a share of all does not exceed; nan of none."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
