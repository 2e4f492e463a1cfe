import os
import subprocess
import sys

import pytest

from cluster import certificates, components, paths, processes, record, up
from cluster.components import Gpus
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


def recorded(folder, monkeypatch, started, **gpus):
    monkeypatch.setattr(paths, "STATE", folder)
    cluster = paths.Cluster("x")
    cluster.folder.mkdir(parents=True)
    record.write(cluster, Record(os.getpid(), started, "10.213.7.0/30", "", **gpus))
    return cluster


def test_a_node_that_is_started_again_has_the_gpus_that_it_had(tmp_path, monkeypatch):
    cluster = recorded(tmp_path, monkeypatch, started=1, gpus=0)
    assert up.choose_gpus(cluster, None) == Gpus(0)
    assert up.choose_gpus(cluster, Gpus(2)) == Gpus(2)


def test_a_node_that_runs_keeps_its_gpus_and_another_number_is_refused(tmp_path, monkeypatch):
    now = processes.start_time(os.getpid())
    cluster = recorded(tmp_path, monkeypatch, now, gpus=4, with_old_gpu_name=False)
    assert up.choose_gpus(cluster, Gpus(4, with_old_name=False)) == up.choose_gpus(cluster, None)
    with pytest.raises(
        SystemExit, match=r"4 simulated GPUs \(nvidia.com/gpu\), and not with no GP"
    ):
        up.choose_gpus(cluster, Gpus(0))


def test_a_cluster_that_was_never_started_has_the_workshops_gpus(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "STATE", tmp_path)
    assert up.choose_gpus(paths.Cluster("x"), None) == Gpus()
