"""Runs Go: fetches the sources of packages, then compiles them, and says how far it is.

Go's caches live in one folder of the user's cache while it builds; what was compiled
before an interruption is not compiled again. Called by `programs.binaries`.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import CannotGoOn
from cluster.host import commands
from cluster.programs import golang
from cluster.programs.recipes import BUILD_FLAGS

Report = Callable[[str], None]
NETWORK_SIGNS = ("dial tcp", "no such host", "TLS handshake", "i/o timeout", "connection refused")


@dataclass(frozen=True)
class Build:
    """One call of Go: packages of the module or workspace in `source`, programs into `target`."""

    source: Path
    packages: tuple[str, ...]
    target: Path
    work: Path  # Go's caches and its scratch folder
    usual_minutes: float

    def environment(self) -> dict[str, str]:
        """What is not given here must not come from the user's own settings of Go."""
        in_workspace = (self.source / "go.work").exists()
        return {
            **os.environ,
            "CGO_ENABLED": "0",
            "GO111MODULE": "on",
            "GOCACHE": str(self.work / "build"),
            "GOENV": "off",
            "GOEXPERIMENT": "",
            "GOFLAGS": "-mod=readonly -modcacherw",
            "GOMODCACHE": str(self.work / "modules"),
            # Go keeps each package there until it ends: /tmp is memory on many machines.
            "GOTMPDIR": str(self.work / "tmp"),
            "GOTOOLCHAIN": f"go{golang.VERSION}",
            "GOWORK": str(self.source / "go.work") if in_workspace else "off",
        }

    def run(self, report: Report) -> None:
        """Raises: CannotGoOn if sources cannot be fetched, or do not compile."""
        shutil.rmtree(self.work / "tmp", ignore_errors=True)
        (self.work / "tmp").mkdir(parents=True)
        total = self._fetch(report)
        self._compile(total, report)

    def _fetch(self, report: Report) -> set[str]:
        """Have the sources of all packages; returns the packages' names."""
        fetched = 0
        names = set()
        report("fetching sources")
        for line in self._go("list", "-deps", *BUILD_FLAGS, *self.packages):
            if line.startswith("go: downloading "):
                fetched += 1
                report(f"fetching sources, {fetched} modules")
            else:
                names.add(line)
        return names - {"unsafe"}

    def _compile(self, packages: set[str], report: Report) -> None:
        """Compile and link; the packages that earlier calls compiled are in a list of ours."""
        noted = self.work / "compiled"
        done = packages & set(noted.read_text().splitlines() if noted.exists() else ())
        start = time.monotonic()

        def show(what: str) -> None:
            seconds = int(time.monotonic() - start)
            report(f"{what}, {seconds // 60}:{seconds % 60:02} of usually {self._usual()}")

        show(f"{len(done)} of {len(packages)} packages")
        command = ("build", "-v", *BUILD_FLAGS, "-o", f"{self.target}/", *self.packages)
        with noted.open("a", buffering=1) as note:  # a killed build leaves what it did
            for line in self._go(*command):
                if line in packages:
                    done.add(line)
                    note.write(f"{line}\n")
                show(f"{len(done)} of {len(packages)} packages")

    def _usual(self) -> str:
        return f"{self.usual_minutes:.0f} min" if self.usual_minutes >= 1 else "less than a minute"

    def _go(self, *arguments: str) -> Iterable[str]:
        """The lines that Go writes, as it writes them."""
        try:
            yield from commands.lines(
                [str(golang.find()), *arguments], self.environment(), self.source
            )
        except commands.FailedError as error:
            raise failure(str(error), self.work) from None


def failure(said: str, work: Path) -> CannotGoOn:
    """The sentence for a build that failed, by its last lines."""
    if "no space left" in said:
        fix = f"free some space where {work} is, or set XDG_CACHE_HOME to a folder on another disk"
        return CannotGoOn("the disk is full", said, fix)
    if any(sign in said for sign in NETWORK_SIGNS):
        return CannotGoOn(
            "building the programs needs the network once, to fetch sources, and did not reach it",
            said,
            "set HTTPS_PROXY or GOPROXY if you are behind a proxy",
        )
    if "signal: killed" in said:
        fix = "close other programs, or give the machine more memory; the same command goes on"
        return CannotGoOn("the compiler was killed, most likely for want of memory", said, fix)
    return CannotGoOn("building the programs failed", said)
