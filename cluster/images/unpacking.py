"""A containerd without containers, for as long as it imports archives. See `images.store`.

`python -m cluster.images.unpacking PROGRAMS ROOT ARCHIVE …`, as the first process of mount and
PID namespaces of its own. It ends with a message and 1 if an archive cannot be imported.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from cluster.node import linux

SOCKET = "/run/containerd/containerd.sock"
START_SECONDS = 30.0
# ctr's words. The layers themselves are of no use once they are unpacked, and half of the size.
IMPORT = ("images", "import", "--local", "--discard-unpacked-layers")
# They are for containers, for other snapshotters, or make folders outside of the root.
PLUGINS_NOT_NEEDED = (
    "io.containerd.cri.v1.images",
    "io.containerd.cri.v1.runtime",
    "io.containerd.grpc.v1.cri",
    "io.containerd.internal.v1.opt",
    "io.containerd.nri.v1.nri",
    "io.containerd.podsandbox.controller.v1.podsandbox",
    "io.containerd.snapshotter.v1.blockfile",
    "io.containerd.snapshotter.v1.erofs",
    "io.containerd.snapshotter.v1.native",
)


def config(root: str) -> str:
    """containerd's TOML."""
    without = ", ".join(f'"{name}"' for name in PLUGINS_NOT_NEEDED)
    return f"""\
version = 3
root = "{root}"
state = "/run/containerd"
disabled_plugins = [{without}]

[grpc]
  address = "{SOCKET}"
"""


def main(programs: str, root: str, *archives: str) -> None:
    linux.mount("tmpfs", "/run", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=0755")
    file = Path("/run/containerd.toml")
    file.write_text(config(root))
    with subprocess.Popen([f"{programs}/containerd", "--config", str(file)]) as containerd:
        try:
            await_socket(containerd)
            ctr = (f"{programs}/ctr", "--address", SOCKET, "--namespace", "k8s.io")
            for archive in archives:
                if subprocess.run([*ctr, *IMPORT, archive]).returncode:
                    sys.exit(f"{Path(archive).name} could not be imported")
        finally:
            containerd.terminate()  # it closes its databases


def await_socket(containerd: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not Path(SOCKET).is_socket():
        if containerd.poll() is not None or time.monotonic() > deadline:
            sys.exit("containerd did not start")
        time.sleep(0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
