"""Brings tools and images to a cluster of the user's own; `foreign` decides how.

Called by `make lab KUBECONFIG=FILE`, and by `python -m cluster load` from then on.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.host import privilege
from cluster.images import builders
from cluster.library import run_verb
from cluster.programs import binaries
from cluster.workshop import foreign, learner, loading, table


def chosen() -> foreign.OwnCluster | None:
    """The cluster that the user named now or earlier; None for the local one."""
    wanted = os.environ.get("OWN_KUBECONFIG")
    if wanted is None:
        return foreign.remembered(paths.STATE)
    if not wanted:
        foreign.forget(paths.STATE)
        return None
    return foreign.adopt(
        paths.STATE,
        Path(wanted).expanduser(),
        os.environ.get("REGISTRY", ""),
        assume_yes=os.environ.get("YES") == "1",
    )


def load_into(own: foreign.OwnCluster, wanted: list[str]) -> None:
    """Bring images of the learner's to a cluster of the user's own."""
    for name in wanted:
        if name in table.IMAGES:  # as root, where the builder needs it
            run_verb("build", name)
        archive = loading.archive_for(name)
        try:
            for command in learner.commands_for(own, name, archive):
                hand_over(command)
        finally:
            learner.remove_exported([archive])
        print(f"In this cluster the image is called {foreign.image_name(own, name)}")


def ensure_tools() -> None:
    """kubectl and helm for a cluster of the user's own: theirs, or built here."""
    if not all(shutil.which(tool) for tool in ("kubectl", "helm")):
        binaries.ensure(["kubernetes", "helm"])


def hand_over_images(own: foreign.OwnCluster) -> None:
    """Build the workshop's images and bring them to the user's own cluster."""
    if own.provider == foreign.CLASS:
        print("The images are on this cluster: it was prepared for a class.")
        return
    run_verb("build", *table.WORKSHOP)
    builder = builders.find()
    call = builders.command(builder)
    push = privilege.as_root(call) if builders.needs_root(builder) else call
    for image in table.WORKSHOP:
        archive = table.IMAGES.archive_of(image)
        for command in foreign.load_commands(own, image, archive, builder, push):
            hand_over(command)
        print(f"In this cluster the image is called {foreign.image_name(own, image)}")


def hand_over(command: list[str]) -> None:
    """Run one command that brings an image to the cluster, in the open."""
    print(shlex.join(command), flush=True)
    if shutil.which(command[0]) is None:
        raise CannotGoOn(f"`{command[0]}` is not on PATH", fix="install it: this cluster needs it")
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
        raise CannotGoOn(f"`{shlex.join(command)}` failed", fix="its message is above")
