from cluster import paths
from cluster.lifecycle import up
from cluster.lifecycle.record import Record
from cluster.node import addresses, certificates


def test_manifests_point_at_this_clusters_node_and_authority(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "STATE", tmp_path)
    cluster = paths.Cluster("x")
    certificates.ensure(cluster.certificates, "node", "10.213.7.2", "10.96.0.1")
    found = {m["kind"]: m for m in up.manifests(cluster, Record(1, 1, "10.213.7.0/30", ""))}
    assert found["EndpointSlice"]["endpoints"] == [{"addresses": ["10.213.7.2"]}]
    assert found["EndpointSlice"]["ports"][0]["port"] == addresses.METRICS_PORT
    assert len(found["APIService"]["spec"]["caBundle"]) > 100
