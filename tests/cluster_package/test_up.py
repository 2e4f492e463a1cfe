import subprocess
import sys

from cluster import certificates, components, paths, up
from cluster.record import Record

# A tmpfs that something left mounted deep in a cluster's folder, then the removal of the folder.
ACT = """
mount -t tmpfs left "$1" && touch "$1/kept"
"$2" -c "import pathlib, sys; from cluster import up; up.remove(pathlib.Path(sys.argv[1]))" "$3"
test -e "$1/kept"
"""


def test_what_is_mounted_in_a_folder_is_not_removed_with_it(tmp_path):
    folder = tmp_path / "cluster"
    mounted = folder / "a/b/c/d/e/f/g"
    mounted.mkdir(parents=True)
    command = ["unshare", "--mount", "sh", "-c", ACT, "sh", str(mounted), sys.executable]
    done = subprocess.run(
        [*command, str(folder)], cwd=paths.CHECKOUT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_manifests_point_at_this_clusters_node_and_authority(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "STATE", tmp_path)
    cluster = paths.Cluster("x")
    certificates.ensure(cluster.certificates, "node", "10.213.7.2", "10.96.0.1")
    found = {m["kind"]: m for m in up.manifests(cluster, Record(1, 1, "10.213.7.0/30", ""))}
    assert found["EndpointSlice"]["endpoints"] == [{"addresses": ["10.213.7.2"]}]
    assert found["EndpointSlice"]["ports"][0]["port"] == components.METRICS_PORT
    assert len(found["APIService"]["spec"]["caBundle"]) > 100
