"""python -m bench.operator: measure the operator and the floors, print the tables.

``--peer --jobs 100,1000`` takes about an hour on two cores; 5000 takes longer than both. Each
measurement has a fresh control plane, in a temporary folder.
"""

import argparse
import asyncio
import json
import math
import tempfile
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.operator import big, measure, ours, peer
from bench.operator.control_plane import TUNED, ControlPlane, binaries, exit_on_sigterm
from bench.operator.operator_process import OperatorProcess
from bench.operator.subject import Subject

DEFAULT_SIZE = 100  # of the loads with the controllers' own limits
LARGEST_CREATION = 1000  # jobs whose children a bare client makes
LARGEST_WIDE = 1000  # workers of one job
LARGEST_UNTOUCHED = 1000  # jobs with an untouched controller-manager
LARGEST_REFUSED = 100  # jobs that a quota refuses


PARTS = ("default", "untouched", "restart", "floor", "wide", "refused")


def parse_flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.operator", description=__doc__)
    add = parser.add_argument
    add("--jobs", default="100,1000,5000", help="sizes, by commas")
    add("--namespaces", type=int, default=20, help="among which the jobs take turns (20)")
    add("--peer", action="store_true", help="measure Kubeflow's Training Operator too")
    add("--bin", help="folder of the programs (default: the workshop's own, built if need be)")
    add("--skip", default="", help=f"of {','.join(PARTS)}: what not to measure")
    add(
        "--limit-seconds",
        type=float,
        help="cut a load or a floor after this (default: by its size)",
    )
    add("--out", type=Path, help="file to which each result is appended as JSON")
    return parser.parse_args()


class Bench:
    """Runs the measurements in order and keeps their rows."""

    def __init__(self, flags: argparse.Namespace, base: Path, programs: Path):
        self.flags, self.base, self.programs = flags, base, programs
        self.skip = set(flags.skip.split(","))
        self.sizes = [int(size) for size in flags.jobs.split(",")]

    def wants(self, part: str) -> bool:
        return part not in self.skip

    def up_to(self, largest: int) -> int:
        """The largest size that is wanted, but not more than this."""
        return min(max(self.sizes), largest)

    def plane(self, tuned: bool = True, nodes: int = 50) -> ControlPlane:
        """The next control plane; the folder is the same, for the one before has stopped."""
        flags, folder = TUNED if tuned else (), self.base / "plane"
        return ControlPlane(self.programs, folder, flags, nodes, self.flags.namespaces)

    def limit(self, count: int) -> float:
        """Seconds after which a load is cut short."""
        return self.flags.limit_seconds or 300 + 0.4 * count

    def show(self, result: object) -> None:
        """Print a result at once, for a run is long, and keep it."""
        row = {"what": type(result).__name__, **asdict(result)}  # type: ignore[call-overload]
        print("  ".join(f"{key}={short(value)}" for key, value in row.items()), flush=True)
        if self.flags.out:
            known = {key: value for key, value in row.items() if is_known(value)}
            with self.flags.out.open("a") as out:
                out.write(json.dumps(known) + "\n")

    def take(self, measurement: Coroutine[Any, Any, Any]) -> Any:
        result = asyncio.run(measurement)
        self.show(result)
        return result

    def load(self, subject: Subject, count: int, settings: str) -> None:
        """One load; where it is wanted, the restart over its finished jobs too.

        ``settings``: default, tuned, or untouched: the operator is tuned, Kubernetes is not.
        """
        with self.plane(settings == "tuned") as plane:
            measure.ready(plane, subject)
            with OperatorProcess(plane, subject, settings != "default") as operator:
                operator.wait_until_ready()
                limit = self.limit(count)
                row = self.take(measure.load(plane, operator, count, settings, limit))
                restarts = settings == "tuned" and self.wants("restart") and row.finished == count
                if restarts:
                    asyncio.run(measure.settled(plane))
            if restarts:
                self.take(measure.restart(plane, subject, count, "finished"))

    def start_and_restart(self, subject: Subject, count: int) -> None:
        """Jobs that run on, and the restart over them."""
        with self.plane() as plane:
            measure.ready(plane, subject)
            row = self.take(measure.start(plane, subject, count, self.limit(count)))
            if row.running == count:
                self.take(measure.restart(plane, subject, count, "running"))

    def wide(self, subjects: list[Subject], tuned: bool) -> None:
        """One job of very many workers, with each operator and with none."""
        workers = self.up_to(LARGEST_WIDE)
        limit = self.limit(workers)
        with self.plane(tuned) as plane:
            self.take(big.indexed_job(plane, workers, label(tuned), limit))
        for subject in subjects:
            with self.plane(tuned) as plane:
                measure.ready(plane, subject)
                with OperatorProcess(plane, subject) as operator:
                    operator.wait_until_ready()
                    self.take(big.wide(plane, operator, workers, label(tuned), limit))

    def refused(self, subject: Subject) -> None:
        with self.plane() as plane:
            measure.ready(plane, subject)
            with OperatorProcess(plane, subject) as operator:
                operator.wait_until_ready()
                self.take(big.refused(plane, operator, self.up_to(LARGEST_REFUSED)))

    def floors(self) -> None:
        largest = max((size for size in self.sizes if size <= LARGEST_CREATION), default=0)
        with self.plane(nodes=0) as plane:
            self.take(measure.floor_of_creation(plane, largest or LARGEST_CREATION))
        if self.wants("default"):
            self.floor_of_jobs(DEFAULT_SIZE, tuned=False)
        for size in self.sizes:
            self.floor_of_jobs(size, tuned=True)

    def floor_of_jobs(self, count: int, tuned: bool) -> None:
        with self.plane(tuned) as plane:
            self.take(measure.floor_of_jobs(plane, count, label(tuned), self.limit(count)))

    def run(self, subjects: list[Subject], clocked: Subject) -> None:
        """Every subject at one size before the next, so that what is compared is near in time.

        ``clocked``: ours, with a clock on its event loop.
        """
        if self.wants("floor"):
            self.floors()
        for subject in subjects if self.wants("default") else ():
            self.load(subject, self.up_to(DEFAULT_SIZE), "default")
        for size in self.sizes if self.wants("untouched") else ():
            for subject in subjects if size <= LARGEST_UNTOUCHED else ():
                self.load(subject, size, "untouched")
        for size in self.sizes:
            for subject in subjects:
                self.load(subject, size, "tuned")
                if self.wants("restart"):
                    self.start_and_restart(subject, size)
        for tuned in (False, True) if self.wants("wide") else ():
            self.wide([*subjects, clocked], tuned)
        for subject in subjects if self.wants("refused") else ():
            self.refused(subject)


def label(tuned: bool) -> str:
    return "tuned" if tuned else "default"


def is_known(value: object) -> bool:
    """Not what a load that was cut short leaves open; JSON has no word for infinite."""
    return not isinstance(value, float) or math.isfinite(value)


def short(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {short(one)}" for key, one in value.items()) + "}"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def main() -> None:
    flags = parse_flags()
    exit_on_sigterm()
    programs = binaries(flags.bin, *([peer.RECIPE] if flags.peer else []))
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tfjob-bench-")))
        ours.compile_sources(base / "bytecode")
        others = [stack.enter_context(peer.subject(programs))] if flags.peer else []
        subjects = [ours.subject(base / "bytecode"), *others]
        clocked = ours.subject(base / "bytecode", with_clock=True)
        Bench(flags, base, programs).run(subjects, clocked)


if __name__ == "__main__":
    main()
