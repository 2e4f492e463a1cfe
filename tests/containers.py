"""A `docker` for tests, with a store of its own: nothing of the learner's is seen or removed.

That holds where `docker` is podman. Docker's engine has one store for all.
"""

from __future__ import annotations

import os
import subprocess

from cluster import paths
from cluster.workshop import engine

STORE = """\
[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{folder}/run"
"""


def environment() -> dict[str, str]:
    """The variables that lead to it: PATH with `docker` first, and the store."""
    engine.ensure(print)
    folder = paths.STATE / "test-containers"
    paths.make_folder(folder)
    settings = folder / "storage.conf"
    settings.write_text(STORE.format(folder=folder))
    path = os.pathsep.join((str(engine.folder()), os.environ["PATH"]))
    return {"PATH": path, engine.STORE: str(settings)}


def empty(variables: dict[str, str]) -> None:
    """Remove what earlier tests have left in that store; the sample image stays.

    Docker's store may hold the learner's work, so nothing is removed there.
    """
    if not engine.link().read_text().count("podman"):
        return

    def lines(*words: str) -> list[str]:
        command = [str(engine.link()), *words]
        given = {**os.environ, **variables}
        done = subprocess.run(command, env=given, check=True, capture_output=True, text=True)
        return done.stdout.splitlines()

    if ids := lines("ps", "--all", "--quiet"):
        lines("rm", "--force", *ids)
    names = lines("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    if mine := [name for name in names if "ex1" in name]:
        lines("rmi", "--force", *mine)
