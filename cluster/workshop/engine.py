"""The learner's container command line: docker, podman, or podman through sudo.

It is found once, and tried once: `.lab/bin/docker` then leads to it. The pages say `docker`,
and `.lab/activate` puts that folder first on PATH. The workshop's own images are built
without it (`images.builders`).
"""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cluster import files, paths
from cluster.errors import CannotGoOn
from cluster.host import commands, machine, privilege
from cluster.host.locks import locked
from cluster.images.scratch import scratch_archive
from cluster.node import linux
from cluster.programs import binaries

PROBE = "localhost/workshop-probe:1"
# The sample image's: a user without subordinate IDs (/etc/subuid) can run root's images alone.
USER = "10001:10001"
SECONDS = 60
CGROUP_V2 = Path("/sys/fs/cgroup/cgroup.controllers")
# conmon sets this limit for itself, and without CAP_SYS_RESOURCE no child can raise it again.
MOST_PROCESSES = 32768
SCRIPT = """\
#!/bin/sh
# Leads to {what}. `python -m cluster base` writes this file if it is missing.
exec {command} "$@"
"""
# Tests keep their containers elsewhere. sudo takes variables away; the validator adds -n to it.
STORE = "CONTAINERS_STORAGE_CONF"
SUDO = f'sudo $WORKSHOP_SUDO env ${{{STORE}:+"{STORE}=${STORE}"}}'


@dataclass(frozen=True)
class Engine:
    """One way to run containers: what it is called, and the shell's words before its verb."""

    name: str
    command: str

    @property
    def script(self) -> str:
        return SCRIPT.format(what=self.name, command=self.command)


def folder() -> Path:
    return paths.STATE / "bin"


def link() -> Path:
    return folder() / "docker"


def settings_file() -> Path:
    return paths.STATE / "containers.conf"


def ensure(say: Callable[[str], None]) -> Path:
    """The learner's `docker`; found and tried where it is not there, or does not answer.

    Raises: CannotGoOn if this machine has none that runs a container.
    """
    if not _answers():
        with locked(paths.STATE / "engine.lock", lambda: say("Waiting: another command looks")):
            if not _answers():
                _choose(say)
    return link()


def _answers() -> bool:
    return link().exists() and commands.succeeds([str(link()), "version"], SECONDS)


def _choose(say: Callable[[str], None]) -> None:
    say("Looking for a program that runs containers (some seconds)")
    paths.make_folder(folder())
    files.write(settings_file(), settings())
    engine = find()
    files.write(link(), engine.script, 0o755)
    for path in (link(), settings_file()):
        paths.hand_to_user(path)
    say(f"`docker` in this checkout is {engine.name}")


def find() -> Engine:
    """The first that runs a container. Raises: CannotGoOn."""
    # Not in /tmp, which may forbid programs.
    with tempfile.TemporaryDirectory(dir=folder(), prefix=".try-") as scratch:
        archive = _probe(Path(scratch))
        for engine in candidates():
            script = Path(scratch) / "docker"
            script.write_text(engine.script)
            script.chmod(0o755)
            if _runs(str(script), engine, archive):
                return engine
    raise CannotGoOn(
        "no program here runs a container",
        fix="install podman (Debian, Ubuntu: `sudo apt install podman`), or start Docker's engine",
    )


def candidates() -> Iterator[Engine]:
    """What could run containers here: the learner's own settings come before ours."""
    docker, podman = on_path("docker"), on_path("podman")
    if docker and not machine.is_podman(docker):
        yield Engine("docker", shlex.quote(docker))
    if podman is None:
        return
    call = shlex.quote(podman)
    ours = f"CONTAINERS_CONF={shlex.quote(str(settings_file()))}"
    yield Engine("podman", call)
    yield Engine("podman", f"env {ours} {call}")
    if os.geteuid() != 0 and shutil.which("sudo"):
        yield Engine("sudo podman", f"{SUDO} {call}")
        yield Engine("sudo podman", f"{SUDO} {ours} {call}")


def on_path(name: str) -> str | None:
    """The program of that name, without what leads to it here."""
    ours = {str(folder()), str(folder().resolve())}
    kept = [part for part in privilege.search_path().split(os.pathsep) if part not in ours]
    return shutil.which(name, path=os.pathsep.join(kept))


def settings() -> str:
    """containers.conf for machines on which podman's own choices do not work.

    crun refuses cgroup version 1 beside version 2; systemd may not be there; a root without
    CAP_SYS_RESOURCE may not raise the limits that podman wants to raise; and a user without
    slirp4netns cannot give a container a way to the network, which no exercise needs.
    """
    lines = ["[containers]", f"default_ulimits = [{', '.join(_limits())}]"]
    if os.geteuid() != 0 and not any(map(on_path, ("slirp4netns", "pasta"))):
        lines.append('netns = "none"')
    lines.append("[engine]")
    if shutil.which("runc", path=privilege.search_path()):
        lines.append('runtime = "runc"')
    lines.append('events_logger = "file"')
    if not CGROUP_V2.exists() or not Path("/run/systemd/system").exists():
        lines.append('cgroup_manager = "cgroupfs"')
    return "\n".join(lines) + "\n"


def _limits() -> Iterator[str]:
    if linux.has_capability(linux.CAP_SYS_RESOURCE, Path("/proc/self/status").read_text()):
        return
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    processes = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    fewer = MOST_PROCESSES if processes < 0 else min(processes, MOST_PROCESSES)
    yield f'"nofile={files}:{files}"'
    yield f'"nproc={fewer}:{fewer}"'


def _probe(scratch: Path) -> Path | None:
    """A tiny image that prints something and ends; None before there are programs of ours."""
    program = binaries.folder() / "nvidia-smi"
    if not program.exists():
        return None
    archive = scratch / "probe.tar"
    scratch_archive(archive, PROBE, program, USER)
    return archive


def _runs(program: str, engine: Engine, archive: Path | None) -> bool:
    """Whether it runs the probe. docker's engine is known to run containers if it answers."""
    if not commands.succeeds([program, "info"], SECONDS):
        return False
    if engine.name == "docker" or archive is None:
        return True
    if not commands.succeeds([program, "load", "--input", str(archive)], SECONDS):
        return False
    ran = commands.succeeds([program, "run", "--rm", PROBE], SECONDS)
    commands.succeeds([program, "rmi", "--force", PROBE], SECONDS)
    return ran
