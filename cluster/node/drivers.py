"""A simulated GPU driver: files where a real one has them, for hostPath mounts.

`lifecycle.start` writes them into the cluster's folder; `cluster.node` shows them in the
node's own mount namespace, so the host never has them. Everything says it is simulated.
"""

from __future__ import annotations

import filecmp
import shutil
from dataclasses import dataclass
from pathlib import Path

NOTE = "Simulated by the workshop's cluster: there is no GPU and no driver behind this file.\n"


@dataclass(frozen=True)
class Driver:
    """Where the files of a driver lie; all paths are those inside the node."""

    over: tuple[str, ...] = ()  # folders of the host's, over which files are laid
    beside: tuple[str, ...] = ()  # folders that the host does not have
    libraries: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()  # each is nvidia-smi
    home: str = ""  # where containers that get a GPU have their files from


NO_DRIVER = Driver()


def part_of(folder: str) -> str:
    """The name, in the cluster's folder, of what is shown in a folder of the node."""
    return folder.strip("/").replace("/", "-")


def source_of(driver: Driver, path: str) -> str:
    """Where in the cluster's folder a file of the driver is."""
    folder = next(f for f in driver.over + driver.beside if path.startswith(f"{f}/"))
    return part_of(folder) + path.removeprefix(folder)


def write(folder: Path, driver: Driver, nvidia_smi: Path) -> None:
    """Lay the tree out in `folder`; a cluster that was there before gets the newer tool.

    Containers of any user read it, whatever the umask says.
    """
    for path in (source_of(driver, library) for library in driver.libraries):
        _make_parents(folder, path)
        (folder / path).write_text(NOTE)
        (folder / path).chmod(0o644)
    for path in (source_of(driver, tool) for tool in driver.tools):
        if (folder / path).exists() and filecmp.cmp(nvidia_smi, folder / path, shallow=False):
            continue
        _make_parents(folder, path)
        unfinished = folder / f"{path}.new"
        shutil.copyfile(nvidia_smi, unfinished)
        unfinished.chmod(0o755)
        unfinished.replace(folder / path)


def _make_parents(folder: Path, path: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    for part in reversed(Path(path).parents[:-1]):
        (folder / part).mkdir(exist_ok=True)
        (folder / part).chmod(0o755)
