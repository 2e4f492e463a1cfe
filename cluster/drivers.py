"""The simulated GPU driver: files as NVIDIA's 2017 packages laid them out, for hostPath mounts.

`cluster.up` writes them into the cluster's folder; `cluster.node` shows them in the
node's own mount namespace, so the host never has them. Everything says it is simulated.
"""

from __future__ import annotations

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
    """Lay the tree out in `folder`; does nothing where it is complete."""
    if all((folder / path).exists() for path in (*LIBRARIES, *TOOLS)):
        return
    for path in LIBRARIES:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(NOTE)
    for path in TOOLS:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(nvidia_smi, folder / path)
        (folder / path).chmod(0o755)
