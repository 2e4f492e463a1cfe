"""Which archive stands behind a name: the workshop's images, the learner's, or a file.

Called by `python -m cluster load`, and by `up` for the workshop's own.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.images import archives
from cluster.lifecycle import load
from cluster.workshop import learner, table


def load_all(
    cluster: paths.Cluster, wanted: Iterable[str], say: Callable[[str], None]
) -> list[str]:
    """Load archives and images; an image of the workshop is built if need be.

    Returns: the images' names. Raises: CannotGoOn if one cannot be had or the cluster does not run.
    """
    wanted, loaded = list(wanted), []
    used = [Path(name) for name in wanted]  # some of these the user's own part exported
    try:
        load.running(cluster)
        for name in wanted:
            used.append(archive := archive_for(name))
            loaded += load.load(cluster, archive, say, name)
    finally:
        learner.remove_exported(used)
    return loaded


def workshop_images(cluster: paths.Cluster, say: Callable[[str], None]) -> None:
    """Load the workshop's images as far as they are built, and name those that are not."""
    load_all(cluster, [image for image in table.WORKSHOP if table.IMAGES.is_built(image)], say)
    for image in table.WORKSHOP:
        if not table.IMAGES.is_built(image):
            say(f"{image} is not built as its files are now: `python -m cluster build`, then `up`")


def archive_for(name: str) -> Path:
    """The archive of an image or a path: built, exported from a builder, or as it is."""
    path = Path(name)
    if path.is_file():
        with archives.reading(path):
            is_archive = tarfile.is_tarfile(path)
        if not is_archive:
            raise CannotGoOn(f"{name} is not an archive", fix="make one with `docker save -o`")
        return path.resolve()
    if name in table.IMAGES:
        return table.IMAGES.build(name)
    return learner.export(name)
