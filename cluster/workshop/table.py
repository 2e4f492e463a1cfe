"""What the workshop wants of its cluster: images, GPUs, a driver's files, manifests.

Only `workshop` and the command line read this table. They hand its entries to the rest.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cluster.images.archives import Images, Source
from cluster.lifecycle.wants import Wants
from cluster.node.drivers import Driver
from cluster.node.gpus import Gpus
from cluster.node.options import Options

IMAGES = Images(
    {
        "localhost/fashion-mnist:1.2.0": Source("sample-image", "2 minutes"),
        "localhost/tf-job-operator:1.1.0": Source("operator", "a minute"),
        "localhost/notebook:1.0.0": Source("modules/8-jupyter/image", "80 seconds"),
    }
)
# One module alone needs them: `python -m cluster load` builds them there.
ON_DEMAND = ("localhost/notebook:1.0.0",)
WORKSHOP = tuple(image for image in IMAGES if image not in ON_DEMAND)
SAMPLE = WORKSHOP[0]

# Where Azure's agents of 2017 had NVIDIA's files, and where GKE had them.
AZURE = "/usr/lib/nvidia-384"
GKE = "/home/kubernetes/bin/nvidia"
DRIVER = Driver(
    over=("/usr/lib",),
    beside=(GKE,),
    libraries=(
        f"{AZURE}/libnvidia-ml.so.1",
        f"{AZURE}/libcuda.so.1",
        "/usr/lib/x86_64-linux-gnu/libcuda.so.1",
        f"{GKE}/lib/libcuda.so.1",
        f"{GKE}/lib64/libcuda.so.1",
    ),
    tools=(f"{AZURE}/bin/nvidia-smi", f"{GKE}/bin/nvidia-smi"),
    home=AZURE,
)
GPU_NAME = "nvidia.com/gpu"
GPU_NAME_2017 = "alpha.kubernetes.io/nvidia-gpu"
# Four that are asked for by number, under today's name and that of 2017, and two more that a
# ResourceClaim selects by what they are.
GPUS = Gpus(
    count=4,
    memory_mib=16384,
    old_name=GPU_NAME_2017,
    claimable=("40Gi", "80Gi"),
    driver=DRIVER,
)
OPTIONS = Options(gpus=GPUS.count)

MANIFESTS = tuple(sorted((Path(__file__).resolve().parent / "manifests").glob("*.yaml")))
# For who looks for a fault: what `export logs` takes along beside Kubernetes' own objects.
KINDS = ("tfjobs",)
# Packages of Debian that only tests need, and what they bring.
FOR_TESTS = {
    "dataset-fashion-mnist": Path("/usr/share/datasets/fashion-mnist"),
    "sudo": Path("/usr/bin/sudo"),
}


def wants(chosen: Options, with_images: bool = False) -> Wants:
    """What `up` gets: the workshop's GPUs, manifests and images, with the options of the user."""
    old_name = "" if chosen.today else GPUS.old_name
    gpus = replace(GPUS, count=chosen.gpus, old_name=old_name)
    return Wants(gpus, MANIFESTS, archives() if with_images else ())


def archives() -> tuple[Path, ...]:
    """Those of the workshop's images that are built."""
    return tuple(IMAGES.archive_of(image) for image in WORKSHOP if IMAGES.is_built(image))
