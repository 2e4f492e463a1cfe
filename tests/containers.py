"""A `docker` for tests, with a store of its own: nothing of the learner's is seen or removed.

That holds where `docker` is podman. Docker's engine has one store for all.
"""

from __future__ import annotations

import os

from cluster import engine, paths

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
