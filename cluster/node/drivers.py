"""The simulated GPU driver: files as NVIDIA's 2017 packages laid them out, for hostPath mounts.

`lifecycle.up` writes them into the cluster's folder; `cluster.node` shows them in the
node's own mount namespace, so the host never has them. Everything says it is simulated.
"""

from __future__ import annotations

import filecmp
import shutil
from pathlib import Path

NOTE = "Simulated by the workshop's cluster: there is no GPU and no driver behind this file.\n"
# Paths under /usr/lib (Azure's agents of 2017) and under /home/kubernetes/bin/nvidia (GKE).
USR_LIB = "usr-lib"
GKE = "gke"
LIBRARIES = (
    f"{USR_LIB}/nvidia-384/libnvidia-ml.so.1",
    f"{USR_LIB}/nvidia-384/libcuda.so.1",
    f"{USR_LIB}/x86_64-linux-gnu/libcuda.so.1",
    f"{GKE}/lib/libcuda.so.1",
    f"{GKE}/lib64/libcuda.so.1",
)
TOOLS = (f"{USR_LIB}/nvidia-384/bin/nvidia-smi", f"{GKE}/bin/nvidia-smi")


def write(folder: Path, nvidia_smi: Path) -> None:
    """Lay the tree out in `folder`; a cluster that was there before gets the newer tool.

    Containers of any user read it, whatever the umask says.
    """
    for path in LIBRARIES:
        _make_parents(folder, path)
        (folder / path).write_text(NOTE)
        (folder / path).chmod(0o644)
    for path in TOOLS:
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
