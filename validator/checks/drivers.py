"""Checks of the driver's folders: mounted by hand as in 2017, or left to the device plugin."""

from __future__ import annotations

from validator.engine import Check, Seen
from validator.snapshot import Object, Snapshot, listed, text
from validator.tfjobs import holds_driver, host_mounts, main_container
from validator.verdicts import Finding

VISIBLE = "NVIDIA_VISIBLE_DEVICES"
# Libraries and programs of the driver, as Azure's agents and GKE's nodes have them.
FOLDERS = (
    ("/usr/lib/nvidia-384", "/usr/lib/nvidia-384/bin"),
    ("/home/kubernetes/bin/nvidia/lib64", "/home/kubernetes/bin/nvidia/bin"),
)
_PRODUCT = ("metadata", "labels", "nvidia.com/gpu.product")


def mounts_drivers() -> Check:
    """It mounts both of the driver's folders of the node, by hand."""

    def judge(seen: Seen) -> Finding | None:
        pod = next((pod for _, pod in seen.templates), {})
        main = main_container(pod)
        return (
            _half_a_pair(seen, pod, main) or _too_few(seen, pod, main) or _folders(seen, pod, main)
        )

    title = "It mounts the driver's programs and libraries from the node."
    return Check("drivers", title, judge, frozenset({"nodes"}))


def _half_a_pair(seen: Seen, pod: Object, main: Object) -> Finding | None:
    mounted = {text(m, "name") for m in listed(main, "volumeMounts")}
    for volume in listed(pod, "volumes"):
        is_driver = holds_driver(text(volume, "hostPath", "path"))
        if is_driver and text(volume, "name") not in mounted:
            return seen.wrong(
                "not-mounted",
                f"the volume {text(volume, 'name')} has no volumeMount in the container "
                f"{text(main, 'name')}",
                "a volume and a volumeMount of the same name for each folder",
                f"Add `- {{name: {text(volume, 'name')}, mountPath: …}}` to volumeMounts.",
            )
    return None


def _folders(seen: Seen, pod: Object, main: Object) -> Finding | None:
    """On the simulated cluster, where the driver's folders are known."""
    if not _is_simulated(seen.cluster):
        return None
    there = [mount.host_path.rstrip("/") for mount in host_mounts(pod, main)]
    lacking = [[f for f in pair if not any(_holds(p, f) for p in there)] for pair in FOLDERS]
    missing = min(lacking, key=len)
    if not missing:
        return None
    known = [p for p in there if any(_holds(p, f) for pair in FOLDERS for f in pair)]
    odd = sorted(set(there) - set(known))
    return seen.wrong(
        "wrong-folder" if odd else "missing",
        f"{'mounts' if odd else 'mounts only'} {', '.join(odd or sorted(there))} of the node",
        f"the node's {' and '.join(missing)}",
        "Correct the path of the hostPath volume. Without a `type`, a hostPath makes an empty "
        "folder where there is none; `type: Directory` says so at once."
        if odd
        else "Add a hostPath volume and a volumeMount for it.",
    )


def _too_few(seen: Seen, pod: Object, main: Object) -> Finding | None:
    if host_mounts(pod, main):
        return None
    return seen.wrong(
        "none",
        "the container mounts no folder of the node",
        "the driver's two folders as hostPath volumes",
        f"Add hostPath volumes for {' and '.join(FOLDERS[0])}, and a volumeMount for each.",
    )


def _holds(path: str, folder: str) -> bool:
    return folder == path or folder.startswith(path + "/")


def _is_simulated(cluster: Snapshot) -> bool:
    products = [text(node, *_PRODUCT) for node in cluster.items_if_readable("nodes")]
    return any(product.startswith("Simulated") for product in products)


def no_driver_by_hand() -> Check:
    """Whoever asks for today's GPU is handed the driver, and mounts nothing."""

    def judge(seen: Seen) -> Finding | None:
        pod = next((pod for _, pod in seen.templates), {})
        paths = [text(v, "hostPath", "path") for v in listed(pod, "volumes")]
        there = sorted(filter(holds_driver, paths))
        if not there:
            return None
        return seen.wrong(
            "by-hand",
            f"hostPath volumes in the manifest: {', '.join(there)}",
            "no driver folders: the device plugin hands the driver over, with the GPU",
            "Delete the hostPath volumes and their volumeMounts.",
        )

    return Check("host-mounts", "It mounts no driver: the device plugin does.", judge)


def cards_not_by_hand() -> Check:
    """Which cards a container sees is the plugin's business."""

    def judge(seen: Seen) -> Finding | None:
        pod = next((pod for _, pod in seen.templates), {})
        given = [v for v in listed(main_container(pod), "env") if v.get("name") == VISIBLE]
        if not given:
            return None
        return seen.wrong(
            "by-hand",
            f"the manifest sets {VISIBLE}: on a real node it opens cards that other Pods hold",
            f"no {VISIBLE} in the manifest: the device plugin sets it to the card it gives out",
            f"Delete {VISIBLE} from `env`.",
        )

    return Check("visible", f"It leaves {VISIBLE} to the device plugin.", judge)
