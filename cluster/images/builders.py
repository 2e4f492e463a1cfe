"""Builds a Dockerfile with docker, podman or buildah, whichever is there and works.

Called by `images.archives`. The commands are pure functions of the builder's name; the
short part at the end runs them. buildah gets a store of its own in the user's cache, so
that nothing is left in the system's; docker and podman use the user's, as he expects.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.host import commands
from cluster.node.components import DEFAULT_REGISTRY

# Debian's, Arch's; Fedora's; SUSE's.
BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/ca-bundle.pem"),
)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
# Not where Debian keeps its own: a package could not be installed over a mount.
BUNDLE_IN_BUILD = "/run/host-certificates.crt"
STAND_IN = "workshop-stand-in"
MERGED_USR_HOOKS = "/usr/share/mmdebstrap/hooks/merged-usr"
# podman last: a learner's own podman must not move the workshop's builds to another store.
BUILDERS = ("docker", "buildah", "podman")
# What the slim images of Debian leave out. Source: debuerreotype's slim excludes.
SLIM_EXCLUDES = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/linda/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/groff/*",
)


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
    if name == "docker" and is_podman(name):
        return False
    return _says([name, "info"] if name != "buildah" else [name, "--version"]) is not None


def is_podman(name: str) -> bool:
    """Whether a program is podman, under whatever name."""
    return "podman" in (_says([name, "--version"]) or "").lower()


def _says(probe: list[str]) -> str | None:
    """The output of a command; None if it fails."""
    try:
        done = subprocess.run(probe, capture_output=True, timeout=20, text=True, errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


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


def base_images(dockerfile: str) -> list[str]:
    """Images that a Dockerfile starts from, without its own stages."""
    found: list[str] = []
    stages = {"scratch"}
    for match in re.finditer(r"(?im)^FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", dockerfile):
        base, stage = match.groups()
        if base not in stages and base not in found:
            found.append(base)
        stages.add(stage or "")
    return found


def import_commands(name: str, tree: Path, image: str) -> list[list[str]]:
    """Make an image of a root file system in a tar file."""
    if name in ("docker", "podman"):
        target = image if name == "docker" else full_reference(image)
        return [[name, "import", "--change", 'CMD ["bash"]', str(tree), target]]
    box = STAND_IN
    return [
        [*command(name), "from", "--name", box, "scratch"],
        [*command(name), "add", "--quiet", box, str(tree), "/"],
        [*command(name), "config", "--cmd", "bash", box],
        [*command(name), "commit", "--quiet", "--rm", box, full_reference(image)],
    ]


def stand_in_command(release: str, tree: Path) -> list[str]:
    """mmdebstrap makes what `debian:RELEASE-slim` holds, and no more."""
    excludes = [f"--dpkgopt={option}" for option in SLIM_EXCLUDES]
    # As in the real image /usr is merged from the start; the package that would merge it later
    # brings all of Perl, 50 MB.
    merged = [f"--hook-dir={MERGED_USR_HOOKS}", "--include=usr-is-merged"]
    variant = ["--quiet", "--variant=minbase"]
    return ["mmdebstrap", *variant, *merged, *excludes, release, str(tree)]


def ensure_base(name: str, image: str) -> None:
    """Have a base image: present, pulled, or for Debian's slim ones made from packages.

    Raises: CannotGoOn if none of it works.
    """
    reference = image if name == "docker" else full_reference(image)
    inspect = ["inspect", "--type=image", reference]
    if _succeeds([*command(name), *inspect]) or _succeeds([*command(name), "pull", reference]):
        return
    release = re.fullmatch(r"debian:([a-z]+)-slim", image)
    if not release or not shutil.which("mmdebstrap"):
        raise CannotGoOn(
            f"the base image {image} cannot be pulled, and nothing can stand in for it",
            fix="is a registry reachable? On Debian and Ubuntu `mmdebstrap` makes a stand-in",
        )
    what = f"making a stand-in for {image}"
    # Not in /tmp, which may be small, or forbid programs.
    with tempfile.TemporaryDirectory(dir=paths.CACHE, prefix=".stand-in-") as folder:
        tree = Path(folder) / "root.tar"
        run(stand_in_command(release[1], tree), what, folder)
        if name == "buildah":  # a build that was killed leaves the container
            _succeeds([*command(name), "rm", STAND_IN])
        for step in import_commands(name, tree, image):
            run(step, what)


def _succeeds(arguments: list[str]) -> bool:
    try:
        return subprocess.run(arguments, capture_output=True, timeout=300).returncode == 0
    except subprocess.TimeoutExpired:
        return False


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
