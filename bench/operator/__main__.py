"""python -m bench.operator: measure the operator and the floors, print the tables.

A quarter of an hour on two cores with the default ``--jobs 100,1000``; 5000 takes as long again.
Each measurement has a fresh control plane, in a temporary folder.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench.operator import measure
from bench.operator.control_plane import TUNED, ControlPlane, binaries
from bench.operator.operator_process import OperatorProcess

SECONDS_PER_JOB = 0.4  # after this, and five minutes, a load is cut short


def parse_flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.operator", description=__doc__)
    add = parser.add_argument
    add("--jobs", default="100,1000,5000", help="sizes, by commas")
    add("--bin", help="folder of the programs (default: the workshop's own, built if need be)")
    add("--skip", default="", help="of default,restart,floor: what not to measure")
    add("--out", type=Path, help="file to which each result is appended as JSON")
    return parser.parse_args()


class Bench:
    """Runs the measurements in order and keeps their rows."""

    def __init__(self, flags: argparse.Namespace, base: Path):
        self.flags, self.base = flags, base
        self.programs = binaries(flags.bin)
        self.skip = set(flags.skip.split(","))

    def plane(self, name: str, tuned: bool = True, nodes: int = 50) -> ControlPlane:
        return ControlPlane(self.programs, self.base / name, TUNED if tuned else (), nodes)

    def show(self, result: object) -> None:
        """Print a result at once, for a run is long, and keep it."""
        row = {"what": type(result).__name__, **asdict(result)}  # type: ignore[call-overload]
        print("  ".join(f"{key}={short(value)}" for key, value in row.items()), flush=True)
        if self.flags.out:
            with self.flags.out.open("a") as out:
                out.write(json.dumps(row) + "\n")

    def load(self, count: int, tuned: bool) -> None:
        """One load; where it is wanted, the restart over its finished jobs too."""
        label = "tuned" if tuned else "default"
        with self.plane(f"{count}-{label}", tuned) as plane:
            measure.ready(plane)
            limit = 300 + SECONDS_PER_JOB * count
            with OperatorProcess(plane) as operator:
                operator.wait_until_ready()
                self.show(asyncio.run(measure.load(plane, operator, count, label, limit)))
            if tuned and "restart" not in self.skip:
                self.show(asyncio.run(measure.restart(plane, count, "finished")))

    def restart_over_running(self, count: int) -> None:
        with self.plane(f"{count}-running") as plane:
            measure.ready(plane)
            asyncio.run(measure.make_running(plane, count, 300 + SECONDS_PER_JOB * count))
            self.show(asyncio.run(measure.restart(plane, count, "running")))

    def floors(self) -> None:
        with self.plane("floor", nodes=0) as plane:
            seconds = asyncio.run(measure.floor_of_creation(plane, 1000))
            print(
                f"floor: the children of 1000 jobs by a bare client in {seconds:.1f} s", flush=True
            )
        for tuned in (False, True):
            with self.plane("floor-jobs", tuned) as plane:
                seconds = asyncio.run(measure.floor_of_jobs(plane, 100, 400))
            label = "tuned" if tuned else "default"
            print(f"floor: 400 bare Jobs, controllers {label}: last chief's Pod {seconds:.1f} s")


def short(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def main() -> None:
    flags = parse_flags()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what we started ends too
    sizes = [int(size) for size in flags.jobs.split(",")]
    with tempfile.TemporaryDirectory(prefix="tfjob-bench-") as base:
        bench = Bench(flags, Path(base))
        if "floor" not in bench.skip:
            bench.floors()
        if "default" not in bench.skip:
            bench.load(100, tuned=False)
        for size in sizes:
            bench.load(size, tuned=True)
            if "restart" not in bench.skip:
                bench.restart_over_running(size)


if __name__ == "__main__":
    main()
