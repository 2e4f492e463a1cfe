"""`with Cluster(...)`: what a program gets inside of the block, and what is left after it."""

from pathlib import Path

from cluster import paths
from cluster.library import Cluster
from cluster.lifecycle import record
from cluster.node import cgroups
from cluster.workshop import table
from tests.cluster.waits import wait_until

IMAGE = table.WORKSHOP[1]  # the smaller one
NODE = ("get", "node", "lab-node")


def test_a_cluster_lives_as_long_as_its_block(cluster, tmp_path):
    with Cluster("library", state=tmp_path, images=[IMAGE], options=["--gpus", "1"]) as own:
        assert own.kubeconfig.is_relative_to(tmp_path)
        assert record.running(own.paths)
        wait_until(lambda: IMAGE in own.kubectl(*NODE, "-o=jsonpath={.status.images}").stdout)
        gpus = r"-o=jsonpath={.status.capacity.nvidia\.com/gpu}"
        assert own.kubectl(*NODE, gpus).stdout == "1"
        assert cluster.kubectl(*NODE, gpus).stdout == "4"
    assert not own.paths.folder.exists()
    assert cgroups.members(own.paths.cgroup) == set()
    assert not Path("/sys/class/net", own.paths.link).exists()
    assert "library" not in paths.clusters()
