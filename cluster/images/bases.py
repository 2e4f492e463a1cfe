"""The images that a Dockerfile starts from: pulled, or made of Debian's packages."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.host import commands
from cluster.images import builders

STAND_IN = "workshop-stand-in"
MERGED_USR_HOOKS = "/usr/share/mmdebstrap/hooks/merged-usr"
SECONDS = 300
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
        target = image if name == "docker" else builders.full_reference(image)
        return [[name, "import", "--change", 'CMD ["bash"]', str(tree), target]]
    box = STAND_IN
    return [
        [*builders.command(name), "from", "--name", box, "scratch"],
        [*builders.command(name), "add", "--quiet", box, str(tree), "/"],
        [*builders.command(name), "config", "--cmd", "bash", box],
        [*builders.command(name), "commit", "--quiet", "--rm", box, builders.full_reference(image)],
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
    reference = image if name == "docker" else builders.full_reference(image)
    inspect = ["inspect", "--type=image", reference]
    call = builders.command(name)
    if any(commands.succeeds([*call, *way], SECONDS) for way in (inspect, ["pull", reference])):
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
        builders.run(stand_in_command(release[1], tree), what, folder)
        if name == "buildah":  # a build that was killed leaves the container
            commands.succeeds([*call, "rm", STAND_IN], SECONDS)
        for step in import_commands(name, tree, image):
            builders.run(step, what)
