"""A virtual machine that runs for the time of a `with` block, reached by ssh on loopback."""

from __future__ import annotations

import shlex
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from cluster.errors import CannotGoOn
from tests.guest.disk import USER, Disk, run

BOOT_SECONDS = 120
END_SECONDS = 60
PROCESSORS, MEMORY = 2, "8G"
OPTIONS = ("-q", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
OPTIONS += ("-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", "ServerAliveInterval=15")


class Machine:
    """Starts from a copy-on-write copy of the disk: each one is as new."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.copy = disk.folder / "running.qcow2"
        self.console = disk.folder / "console.log"
        self.port = free_port()

    def __enter__(self) -> Self:
        base = ("-b", str(self.disk.image), "-F", "raw")
        run("qemu-img", "create", "-q", "-f", "qcow2", *base, str(self.copy))
        self.qemu = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL)
        try:
            self.wait()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ask it to switch off, and end qemu if it does not."""
        self.ssh("sudo systemctl poweroff", seconds=20)
        try:
            self.qemu.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.qemu.kill()
            self.qemu.wait()
        self.copy.unlink(missing_ok=True)

    def command(self) -> list[str]:
        """qemu with a network of its own, from which the way out leads through the host's."""
        network = f"user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-:22"
        drive = f"file={self.copy},if=virtio,cache=unsafe,discard=unmap"
        return [
            *("nice", "-n", "5", "qemu-system-x86_64", "-machine", "q35,accel=kvm"),
            *(
                "-cpu",
                "host,arch-capabilities=off",
                "-smp",
                str(PROCESSORS),
                "-m",
                MEMORY,
                "-display",
                "none",
            ),
            *("-serial", f"file:{self.console}", "-drive", drive),
            *("-netdev", network, "-device", "virtio-net-pci,netdev=net"),
            *("-device", "virtio-rng-pci"),
            *("-kernel", str(self.disk.kernel), "-initrd", str(self.disk.initrd)),
            *("-append", "root=/dev/vda rw console=ttyS0"),
        ]

    def ssh_command(self) -> list[str]:
        return [
            "ssh",
            *OPTIONS,
            "-i",
            str(self.disk.key),
            "-p",
            str(self.port),
            f"{USER}@localhost",
        ]

    def ssh(self, line: str, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        """What a line of shell does as the user, in a login shell; both outputs are one."""
        full = [*self.ssh_command(), f"bash --login -c {shlex.quote(line)}"]
        try:
            return subprocess.run(
                full,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as late:
            said = bytes(late.stdout or b"").decode(errors="replace")
            said += f"\nnot done after {seconds:.0f} s"
            return subprocess.CompletedProcess(full, 1, said)

    def wait(self, not_boot: str = "") -> str:
        """Wait until it answers, after a boot other than `not_boot`; returns the boot's name."""
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline and self.qemu.poll() is None:
            answer = self.ssh("cat /proc/sys/kernel/random/boot_id", seconds=10)
            if answer.returncode == 0 and answer.stdout.strip() != not_boot:
                return answer.stdout.strip()
            time.sleep(1)
        said = self.console.read_text(errors="replace")[-1000:] if self.console.exists() else ""
        raise CannotGoOn("the virtual machine does not answer", said)

    def reboot(self) -> None:
        before = self.wait()
        self.ssh("sudo systemctl reboot", seconds=20)
        self.wait(not_boot=before)

    def give(self, folder: Path, names: list[str], target: str) -> None:
        """Copy files, named relative to a folder of the host, into a folder of the user's."""
        pack = ["tar", "--create", f"--directory={folder}", "--null", "--files-from=-"]
        unpack = f"mkdir -p {target} && tar --extract --no-same-owner --directory={target}"
        with subprocess.Popen([*self.ssh_command(), unpack], stdin=subprocess.PIPE) as far:
            packed = subprocess.run(pack, input="\0".join(names).encode(), stdout=far.stdin)
        if packed.returncode or far.returncode:
            raise CannotGoOn(f"{folder} could not be copied into the virtual machine")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
