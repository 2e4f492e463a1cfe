"""Builds a Dockerfile with docker, podman or buildah, whichever is there and works.

Called by `images.archives`. The commands are pure functions of the builder's name; the
short part at the end runs them. buildah gets a store of its own in the user's cache, so
that nothing is left in the system's; docker and podman use the user's, as he expects.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.host import commands, machine

# Composed: no text of the repository names a registry's host.
DEFAULT_REGISTRY = "docker" + ".io"
# Debian's, Arch's; Fedora's; SUSE's.
BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/ca-bundle.pem"),
)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
# Not where Debian keeps its own: a package could not be installed over a mount.
BUNDLE_IN_BUILD = "/run/host-certificates.crt"
# podman last: a learner's own podman must not move the workshop's builds to another store.
BUILDERS = ("docker", "buildah", "podman")


@cache
def find() -> str:
    """The first builder that works.

    Raises: CannotGoOn if there is none.
    """
    found = working()
    if not found:
        raise CannotGoOn("no image builder works", fix="install buildah, podman or docker")
    return found[0]


def working() -> list[str]:
    """The builders that work. `docker` may be podman under another name: then it is podman."""
    return [name for name in BUILDERS if shutil.which(name) and _works(name)]


def _works(name: str) -> bool:
    """A client without its engine does not build; a `docker` that is podman is the learner's."""
    if name == "docker":
        return machine.docker_works()
    probe = "info" if name == "podman" else "--version"
    return commands.succeeds([name, probe], machine.ANSWER_SECONDS)


def needs_root(name: str) -> bool:
    """buildah's chroot isolation is for root; the others take care of themselves."""
    return name == "buildah"


def full_reference(image: str) -> str:
    """The name under which a cluster finds an image that was named without a registry."""
    first, _, rest = image.partition("/")
    if not rest:
        return f"{DEFAULT_REGISTRY}/library/{image}"
    if "." in first or ":" in first or first == "localhost":
        return image
    return f"{DEFAULT_REGISTRY}/{image}"


def command(name: str) -> list[str]:
    """The builder itself with the options that go before its verb."""
    if name != "buildah":
        return [name]
    store = paths.CACHE / "buildah"
    return [name, "--root", str(store / "root"), "--runroot", str(store / "run")]


def build_command(name: str, image: str, context: Path, has_bundle: bool) -> list[str]:
    """Build a context's Dockerfile as `image`.

    The host's certificates are mounted into the build, where that can be done: behind a
    proxy with an authority of its own pip has to trust that one (ARG PIP_CERT). The proxy is
    given by name: its value, which may hold a password, stays out of the list of processes.
    """
    tag = ["--tag", full_reference(image)]
    proxies = [f"--build-arg={name}" for name in PROXIES if os.environ.get(name)]
    if name == "docker":
        return ["docker", "build", *proxies, *tag, str(context)]
    options = list(proxies)
    if has_bundle:
        options += [
            f"--volume={bundle()}:{BUNDLE_IN_BUILD}:ro",
            f"--build-arg=PIP_CERT={BUNDLE_IN_BUILD}",
        ]
    verb = ["build"] if name == "podman" else ["bud", "--isolation=chroot"]
    return [*command(name), *verb, *options, *tag, str(context)]


def bundle() -> Path:
    """The host's certificates, where its distribution keeps them."""
    return next((path for path in BUNDLES if path.exists()), BUNDLES[0])


def export_command(name: str, image: str, archive: Path) -> list[str]:
    """Write `image` as a docker-archive under its full reference.

    docker writes to standard output: as a snap it may not write into hidden folders.
    """
    reference = full_reference(image)
    if name == "docker":
        return ["docker", "save", reference]
    if name == "podman":
        save = ["podman", "save", "--quiet", "--format=docker-archive"]
        return [*save, f"--output={archive}", reference]
    return [*command(name), "push", "--quiet", reference, f"docker-archive:{archive}:{reference}"]


def take_command(name: str, image: str, archive: Path) -> list[str]:
    """Take an image into the builder's store from its archive, under its full reference."""
    if name == "buildah":
        return [*command(name), "pull", "--quiet", f"docker-archive:{archive}"]
    return [*command(name), "load", "--quiet", "--input", str(archive)]


def export(name: str, image: str, archive: Path) -> None:
    """Write the archive of an image that was built here. Raises: CannotGoOn."""
    export_to(export_command(name, image, archive), archive, f"exporting {image}")


def export_to(words: list[str], archive: Path, what: str) -> None:
    """Run a command that exports; docker's archive comes out of its standard output."""
    if words[0] != "docker":
        run(words, what)
        return
    with archive.open("wb") as output:
        done = subprocess.run(words, stdout=output, stderr=subprocess.PIPE)
    if done.returncode:
        archive.unlink()
        raise CannotGoOn(f"{what} failed", done.stderr.decode(errors="replace"))


def run(arguments: list[str], what: str, scratch: str | None = None) -> None:
    """Run a builder or what helps it; `scratch` is its folder for temporary files.

    Raises: CannotGoOn with the end of the output if the command fails.
    """
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if scratch:
        environment["TMPDIR"] = scratch
    try:
        for _ in commands.lines(arguments, environment):
            pass
    except commands.FailedError as error:
        raise CannotGoOn(f"{what} failed", str(error)) from None
