from ipaddress import IPv4Network
from pathlib import Path

import pytest

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.lifecycle import start
from cluster.lifecycle.record import Record

MOUNTS = """\
/dev/sda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb /home/some\\040body btrfs rw 0 0
overlay / overlay rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        pytest.param("/var/lib", "overlay", id="the mount on top of another at one place"),
        pytest.param("/home/x/.lab", "nfs4", id="the nearest mount above"),
        pytest.param("/home/some body/.lab", "btrfs", id="a space in the name"),
    ],
)
def test_filesystem(folder, kind):
    assert start.filesystem(Path(folder), MOUNTS) == kind


@pytest.mark.parametrize(
    "kind",
    [
        "nfs4",
        "overlay",
        "ecryptfs",
        "vboxsf",
        "virtiofs",
        "prl_fs",
        "exfat",
        "smb3",
        "ceph",
        "fuse.sshfs",
        "fuse.vmhgfs-fuse",
        "fuse.gocryptfs",
        "fuse.mergerfs",
    ],
)
def test_shared_folders_carry_no_containers(kind):
    table = f"/dev/sda1 / ext4 rw 0 0\nshare /vagrant {kind} rw 0 0\n"
    assert start.filesystem(Path("/vagrant/.lab"), table) in start.NO_OVERLAY


@pytest.mark.parametrize(
    ("taken", "same"),
    [
        pytest.param([], True, id="a network that is still free is kept"),
        pytest.param(["10.213.7.20/32"], False, id="one that somebody took is not"),
        pytest.param(["10.0.0.0/8"], True, id="a VPN that routes far more does not matter"),
    ],
)
def test_choose_network(monkeypatch, taken, same):
    monkeypatch.setattr(start.network, "taken", lambda: [IPv4Network(t) for t in taken])
    before = Record(1, 1, "10.213.7.0/27", "")
    chosen = start.choose_network(paths.Cluster("x"), before)
    assert (chosen == IPv4Network("10.213.7.0/27")) is same


def test_a_network_without_addresses_for_services_is_given_up(monkeypatch):
    monkeypatch.setattr(start.network, "taken", list)
    before = Record(1, 1, "10.213.7.4/30", "")
    assert start.choose_network(paths.Cluster("x"), before).prefixlen == 27


@pytest.mark.parametrize(
    ("used", "refused"),
    [
        pytest.param(20, False, id="enough is left"),
        pytest.param(10**9, True, id="nothing is left"),
    ],
)
def test_check_inotify(monkeypatch, used, refused):
    monkeypatch.setattr(start.processes, "inotify_instances", lambda uid: used)
    if refused:
        with pytest.raises(CannotGoOn, match=r"inotify instances.*sysctl"):
            start.check_inotify()
    else:
        start.check_inotify()


def test_the_user_may_read_what_pods_will_write(tmp_path, monkeypatch):
    monkeypatch.setattr(start.paths, "user", lambda: (1234, 4321))
    start.let_user_read(tmp_path)
    pod = tmp_path / "default_x_1" / "main"
    pod.mkdir(parents=True)
    (pod / "0.log").touch(0o640)
    assert (pod / "0.log").stat().st_gid == 4321
