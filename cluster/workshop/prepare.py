"""Makes all that the workshop needs before a cluster starts, side by side.

    python3 -m cluster.workshop.prepare host     check the machine, install the tools that it lacks
    python3 -m cluster.workshop.prepare all      programs, images and Python packages
    python3 -m cluster.workshop.prepare browser  the browser that some tests drive

Compiling keeps the processors busy, images and Python packages the network; so they
run beside each other. Standard library alone: there is no virtual environment yet.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn, explained
from cluster.host import commands, folders, machine, packages, privilege, problems, progress
from cluster.images import builders, store
from cluster.lifecycle import record
from cluster.node import check
from cluster.programs import binaries
from cluster.workshop import table, venv

# At the most, while it is made; measured from empty caches.
PROGRAMS_BYTES = 10 * problems.GIB
IMAGES_BYTES = 4 * problems.GIB
PACKAGES_BYTES = 3 * problems.GIB
CLUSTER_BYTES = 3 * problems.GIB
# What a cluster takes beside the unpacked images, where it shares these with the store.
NODE_BYTES = problems.GIB
Job = Callable[[], object]
SUDO_SECONDS = 60


def all_of(jobs: Sequence[Job]) -> None:
    """Run jobs beside each other. The first that fails ends the others, and is what is raised."""
    with ThreadPoolExecutor(max_workers=len(jobs) or 1) as pool:
        futures = [pool.submit(job) for job in jobs]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        except BaseException:
            commands.stop_all()
            raise
        failed = [error for future in done if (error := future.exception())]
        if failed:
            commands.stop_all()
            raise failed[0]


def jobs_of(wanted_images: Sequence[str], programs: bool, packages: bool) -> list[Job]:
    """What is to be made; what is there already needs no job."""
    jobs: list[Job] = []
    if programs and binaries.missing():
        jobs.append(binaries.ensure)
    if packages and not venv.is_ready():
        jobs.append(venv.ensure)
    to_build = [image for image in wanted_images if not table.IMAGES.is_built(image)]
    if to_build:
        jobs.append(lambda: build_images(to_build))
    return jobs


def build_images(wanted: Sequence[str]) -> None:
    """Build images one after the other, as root where the builder needs it."""
    if not builders.needs_root(builders.find()) or privilege.is_root():
        for image in wanted:
            table.IMAGES.build(image)
        return
    with progress.line("Images") as say:
        say("starting")
        try:
            for line in commands.lines(privilege.root_command(["build", *wanted])):
                say(line.removesuffix(" …"))
        except commands.FailedError as error:
            raise CannotGoOn(str(error).removeprefix("Cannot go on: ")) from None


def make(wanted_images: Sequence[str], programs: bool = True, packages: bool = True) -> None:
    """Make what is missing. Root is asked for first, while someone is there to answer."""
    jobs = jobs_of(wanted_images, programs, packages)
    if any(not table.IMAGES.is_built(image) for image in wanted_images) and needs_sudo():
        privilege.show(privilege.root_command(["build", *wanted_images]))
        ask_for_root()
    all_of(jobs)


def needs_sudo() -> bool:
    return not privilege.is_root() and builders.needs_root(builders.find())


def ask_for_root() -> None:
    """Let sudo ask now, and not again before all is made."""
    if subprocess.run(["sudo", "-v"]).returncode:
        raise CannotGoOn("sudo refused", fix="use an account that sudo lets become root")

    def keep() -> None:
        while not over.wait(SUDO_SECONDS):
            subprocess.run(["sudo", "-n", "-v"], stderr=subprocess.DEVNULL)

    over = threading.Event()
    threading.Thread(target=keep, daemon=True).start()


def space_needed(own_cluster: bool = False) -> list[tuple[Path, int]]:
    """(folder, bytes) of what is still to be made, where it will be made."""
    wanted = []
    if not venv.is_ready():
        wanted.append((paths.CHECKOUT, PACKAGES_BYTES))
    if not own_cluster and binaries.missing():
        wanted.append((paths.CACHE, PROGRAMS_BYTES))
    if not all(table.IMAGES.is_built(image) for image in table.WORKSHOP):
        wanted.append((paths.CACHE, IMAGES_BYTES))
    if not own_cluster and not any(record.running(paths.cluster(n)) for n in paths.clusters()):
        wanted.append((paths.STATE, NODE_BYTES if has_unpacked_images() else CLUSTER_BYTES))
    return wanted


def has_unpacked_images() -> bool:
    """Whether a new cluster of this checkout finds the workshop's images unpacked."""
    cache, state = map(folders.nearest, (paths.CACHE, paths.STATE))
    on_one_disk = cache.stat().st_dev == state.stat().st_dev
    return on_one_disk and store.holds(table.archives())


def host_tools(for_tests: bool, own_cluster: bool) -> None:
    """Check the machine and install what it lacks."""
    seen = problems.check(space_needed(own_cluster), own_cluster)
    data = [name for name, folder in table.FOR_TESTS.items() if not folder.exists()]
    packages.install_missing(seen, own_cluster, data if for_tests else ())
    if not own_cluster and binaries.missing():
        try_machine()


def try_machine() -> None:
    """Before minutes of compiling: try, as root, what the node will do."""
    if privilege.is_root():
        check.machine()
        return
    command = privilege.root_command(["check"])
    privilege.show(command)
    if subprocess.run(command).returncode:
        sys.exit(1)  # it has said why


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python3 -m cluster.workshop.prepare", description=__doc__
    )
    parser.add_argument("what", choices=("host", "all", "browser"))
    parser.add_argument("--tests", action="store_true", help="also what only the tests need")
    parser.add_argument("--own-cluster", action="store_true", help="no node runs on this machine")
    with explained():
        options = parser.parse_args(arguments)
        if options.what == "host":
            host_tools(options.tests, options.own_cluster)
        elif options.what == "browser":
            packages.install_browser(machine.facts())
        else:
            own = options.own_cluster
            make(() if own else table.WORKSHOP, programs=not own)


if __name__ == "__main__":
    main()
