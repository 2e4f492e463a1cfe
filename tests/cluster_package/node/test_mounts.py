from pathlib import Path

from cluster import paths
from cluster.node import addresses, attempts, linux, mounts
from cluster.node.drivers import Driver

CLUSTER = paths.Cluster("example")
DRIVER = Driver(over=("/usr/lib",), beside=("/opt/driver",))
PLAN = mounts.mounts(CLUSTER, "/programs", DRIVER)


def at(target):
    return [step for step in PLAN if step.target == target]


def test_the_root_is_mounted_first_and_lives_in_memory():
    assert (PLAN[0].target, PLAN[0].kind) == ("", "tmpfs")


def test_what_containerd_and_the_kubelet_write_by_default_stays_in_the_cluster():
    for default in ("/run/containerd", "/run/netns", "/var/lib/kubelet", "/var/log/pods"):
        first = "/" + default.split("/")[1]
        [step] = at(first)
        assert step.kind == "tmpfs" or step.source == str(CLUSTER.var)


def test_the_hosts_programs_cannot_be_written():
    assert all(step.read_only for step in PLAN if step.source in ("/usr", "/bin", "/lib"))
    assert at("/usr")[0].read_only


def test_the_simulated_driver_lies_over_the_hosts_libraries():
    [overlay] = at("/usr/lib")
    assert overlay.data == f"lowerdir={CLUSTER.drivers}/usr-lib:/usr/lib"
    assert overlay.flags & linux.MS_RDONLY
    [beside] = at("/opt/driver")
    assert beside.source == f"{CLUSTER.drivers}/opt-driver"
    assert beside.read_only


def test_the_clusters_programs_are_found_in_the_node():
    [step] = at(addresses.BIN)
    assert step.source == "/programs"


def test_links_of_the_hosts_root_are_kept():
    expected = {p for p in mounts.PROGRAM_FOLDERS if Path(p).is_symlink()}
    assert expected <= mounts.root_links().keys()


def test_a_cluster_that_cannot_carry_an_overlay_keeps_its_containers_elsewhere(monkeypatch):
    monkeypatch.setattr(mounts, "containers_folder", lambda _: Path("/elsewhere"))
    targets = {step.target: step.source for step in mounts.mounts(CLUSTER, "/programs")}
    assert targets["/var/lib/containerd"] == "/elsewhere"


def test_what_is_mounted_below_a_read_only_folder_is_read_only_too(tmp_path):
    def attempt():
        linux.unshare(linux.CLONE_NEWNS)
        linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
        outer = tmp_path / "outer"
        (outer).mkdir()
        linux.mount("tmpfs", str(outer), "tmpfs")
        (outer / "inner").mkdir()
        linux.mount("tmpfs", str(outer / "inner"), "tmpfs")
        linux.make_read_only(str(outer))
        (outer / "inner" / "file").touch()

    assert "read-only file system" in attempts.in_child(attempt)
