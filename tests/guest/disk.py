"""The disk of a virtual machine: Debian with systemd, made of Debian's packages.

It has an ordinary user, `learner`, who may become root without a password, and the little that
the README asks for: Python, make, git. What else `make lab` needs it installs itself.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import CannotGoOn

USER = "learner"
BYTES = 30 << 30  # sparse
PROGRAMS = {"qemu-system-x86_64": "qemu-system-x86", "qemu-img": "qemu-utils"}
PROGRAMS |= {"mmdebstrap": "mmdebstrap", "mkfs.ext4": "e2fsprogs", "ssh-keygen": "openssh-client"}
PACKAGES = (
    *("systemd-sysv", "dbus", "libpam-systemd", "systemd-timesyncd", "linux-image-cloud-amd64"),
    *("apparmor", "ca-certificates", "openssh-server", "sudo", "procps"),
    *("git", "make", "python3"),
)
# A host behind a firm's proxy: the guest meets the same certificates.
OF_THE_HOST = ("/usr/local/share/ca-certificates", "/etc/pip.conf")
FILES = {
    "etc/hostname": "guest\n",
    "etc/hosts": "127.0.0.1 localhost\n127.0.1.1 guest\n",
    "etc/fstab": "/dev/vda / ext4 defaults,discard 0 1\n",
    "etc/resolv.conf": "nameserver 10.0.2.3\n",  # qemu's own
    "etc/systemd/network/10-qemu.network": "[Match]\nName=e*\n[Network]\nDHCP=yes\n",
    f"etc/sudoers.d/{USER}": f"{USER} ALL=(ALL) NOPASSWD: ALL\n",
}


@dataclass(frozen=True)
class Disk:
    """What qemu starts from; nothing is written to it."""

    folder: Path

    @property
    def image(self) -> Path:
        return self.folder / "disk.raw"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd.img"

    @property
    def key(self) -> Path:
        return self.folder / "key"


def ensure(release: str, folder: Path) -> Disk:
    """The disk of a release, made unless it is there. Raises: CannotGoOn without the programs."""
    check_programs()
    disk = Disk(folder / release)
    if not disk.image.exists():
        shutil.rmtree(disk.folder, ignore_errors=True)
        disk.folder.mkdir(parents=True)
        make_key(disk.key)
        root = disk.folder / "root"
        install(release, root)
        add_files(root, disk.key.with_suffix(".pub").read_text())
        store(root, disk)
    return disk


def check_programs() -> None:
    lacking = sorted({PROGRAMS[name] for name in PROGRAMS if not shutil.which(name)})
    if lacking:
        fix = f"run `sudo apt install {' '.join(lacking)}`"
        raise CannotGoOn(f"this needs {', '.join(lacking)}", fix=fix)
    if not Path("/dev/kvm").exists():
        raise CannotGoOn("there is no /dev/kvm", fix="use a machine that has virtual machines")


def make_key(key: Path) -> None:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))


def install(release: str, root: Path) -> None:
    """Debian's important packages and ours, in a folder."""
    options = ("--quiet", "--variant=important", f"--include={','.join(PACKAGES)}")
    run("mmdebstrap", *options, release, str(root))


def add_files(root: Path, public_key: str) -> None:
    """The user, the network, and what the host knows of its own network."""
    inside(root, "useradd", "--create-home", "--shell", "/bin/bash", USER)
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    for name, text in FILES.items():
        (root / name).write_text(text)
    keys = root / "home" / USER / ".ssh" / "authorized_keys"
    keys.parent.mkdir()
    keys.write_text(public_key)
    for path in filter(Path.exists, map(Path, OF_THE_HOST)):
        target = root / path.relative_to("/")
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        else:
            shutil.copy(path, target)
    inside(root, "chown", "--recursive", f"{USER}:", f"/home/{USER}")
    inside(root, "update-ca-certificates")
    inside(root, "systemctl", "enable", "systemd-networkd")


def store(root: Path, disk: Disk) -> None:
    """Kernel and disk image out of the folder, which is removed. The image comes last: see it
    and all is there."""
    shutil.copy(root / "vmlinuz", disk.kernel)
    shutil.copy(root / "initrd.img", disk.initrd)
    unfinished = disk.image.with_suffix(".new")
    with unfinished.open("wb") as file:
        file.truncate(BYTES)
    run("mkfs.ext4", "-q", "-d", str(root), str(unfinished))
    shutil.rmtree(root)
    unfinished.rename(disk.image)


def inside(root: Path, *command: str) -> None:
    run("chroot", str(root), *command)


def run(*command: str) -> None:
    """Raises: CannotGoOn with what the program wrote, if it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise CannotGoOn(f"`{' '.join(command)}` failed", done.stderr[-1000:])
