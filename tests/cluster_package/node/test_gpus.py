from cluster import paths
from cluster.node import gpus
from cluster.node.drivers import Driver


def test_what_is_handed_in_is_what_the_node_reads(tmp_path):
    cluster = paths.cluster("x", tmp_path)
    cluster.folder.mkdir(parents=True)
    driver = Driver(over=("/usr/lib",), libraries=("/usr/lib/libcuda.so.1",))
    handed = gpus.Gpus(4, 100, "old.example/gpu", ("40Gi",), driver)
    gpus.write(cluster, handed)
    assert gpus.read(cluster) == handed
