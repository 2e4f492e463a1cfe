import math

import pytest

from cluster import paths
from cluster.errors import CannotGoOn
from cluster.node import cgroups, options


@pytest.mark.parametrize(
    ("text", "size"),
    [
        pytest.param("6Gi", 6 << 30, id="as Kubernetes writes it"),
        pytest.param("6000Mi", 6000 << 20, id="in MiB"),
        pytest.param("3000000000", 3_000_000_000, id="in bytes"),
    ],
)
def test_memory(text, size):
    assert options.memory_bytes(text) == size


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param({"memory": "1Gi"}, "from 2Gi", id="too little memory"),
        pytest.param({"memory": "99999999999999Gi"}, "to 65536Gi", id="too much memory"),
        pytest.param({"memory": "9" * 400}, "to 65536Gi", id="more than any number"),
        pytest.param({"memory": "much"}, "such as 6Gi", id="no size"),
        pytest.param({"cpus": 0.5}, "between 1 and 4096", id="half a processor"),
        pytest.param({"cpus": 1e300}, "between 1 and 4096", id="too many processors"),
        pytest.param({"cpus": math.inf}, "between 1 and 4096", id="processors without end"),
        pytest.param({"cpus": math.nan}, "between 1 and 4096", id="processors without a number"),
        pytest.param({"gpus": 65}, "between 0 and 64", id="too many GPUs"),
        pytest.param({"network": "10.0.0.1/8"}, r"such as 10\.9\.8\.0/24", id="host bits"),
        pytest.param({"network": "10.0.0.0/28"}, "a /27 or larger", id="too small a network"),
    ],
)
def test_a_bad_value_is_a_sentence_with_a_good_one(change, sentence):
    with pytest.raises(CannotGoOn, match=sentence):
        options.changed(options.Options(), **change)


def test_what_is_not_given_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "STATE", tmp_path)
    cluster = paths.cluster("x")
    cluster.folder.mkdir(parents=True)
    options.write(cluster, options.changed(options.read(cluster), gpus=2))
    after = options.changed(options.read(cluster), memory="4Gi")
    assert (after.gpus, after.memory_bytes) == (2, 4 << 30)


def test_limits_are_written_for_both_versions_of_control_groups(tmp_path, monkeypatch):
    for version, files in (("v1", ["memory.limit_in_bytes"]), ("v2", ["memory.max", "cpu.max"])):
        (tmp_path / version / "group").mkdir(parents=True)
        for name in files:
            (tmp_path / version / "group" / name).touch()
    here = [(tmp_path / "v1", False), (tmp_path / "v2", True)]
    monkeypatch.setattr(cgroups, "here", lambda: here)
    cgroups.limit("group", 4 << 30, 1.5)
    assert (tmp_path / "v1/group/memory.limit_in_bytes").read_text() == str(4 << 30)
    assert (tmp_path / "v2/group/cpu.max").read_text() == "150000 100000"
    cgroups.limit("group", 0, 0)
    assert (tmp_path / "v2/group/memory.max").read_text() == "max"
