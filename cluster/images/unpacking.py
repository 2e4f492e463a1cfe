"""A containerd without containers, for as long as it imports archives. See `images.store`.

`python -m cluster.images.unpacking PROGRAMS ROOT ARCHIVE …`, as the first process of mount and
PID namespaces of its own. It ends with a message and 1 if an archive cannot be imported.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from cluster.host import commands
from cluster.node import linux

SOCKET = "/run/containerd/containerd.sock"
START_SECONDS = 30.0
# Arguments of ctr. Nothing reads a layer after it is unpacked, and it takes as much space again.
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
    file, log = Path("/run/containerd.toml"), Path("/run/containerd.log")
    file.write_text(config(root))
    command = [f"{programs}/containerd", "--config", str(file)]
    with (
        log.open("w") as words,
        subprocess.Popen(command, stdout=words, stderr=words) as containerd,
    ):
        try:
            if not is_ready(containerd):
                sys.exit(f"containerd did not start: {commands.last_line(log.read_text())}")
            for archive in archives:
                take(programs, Path(archive))
        finally:
            containerd.terminate()  # it closes its databases


def is_ready(containerd: subprocess.Popen[bytes]) -> bool:
    """Wait until it listens; whether it does."""
    deadline = time.monotonic() + START_SECONDS
    while not Path(SOCKET).is_socket():
        if containerd.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def take(programs: str, archive: Path) -> None:
    """Import one archive, or end with what `ctr` says."""
    ctr = [f"{programs}/ctr", "--address", SOCKET, "--namespace", "k8s.io"]
    done = subprocess.run([*ctr, *IMPORT, str(archive)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{archive.name}: {commands.last_line(done.stderr)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
