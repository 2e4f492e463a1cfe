import pytest

from cluster import __main__ as command
from cluster import paths, record


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["up", "--name", "No Good"], "cannot name a cluster", id="a bad name"),
        pytest.param(["up", "--gpus", "-1"], "--gpus -1 is not between", id="fewer than no GPUs"),
        pytest.param(["up", "--gpus", "1000"], "--gpus 1000 is not", id="more than a node has"),
        pytest.param(["build", "debian:12"], "is not one of localhost/", id="a foreign image"),
        pytest.param(["logs", "--name", "nobody", "etcd"], "no log of etcd", id="no such log"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, sentence):
    with pytest.raises(SystemExit, match=rf"Cannot go on: .*{sentence}"):
        command.main(arguments)


def test_status_of_a_cluster_that_does_not_run_says_how_to_start_it(capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["status", "--name", "nobody"])
    assert ended.value.code == 1
    assert "`python -m cluster up --name nobody`" in capsys.readouterr().out


def test_loading_into_a_cluster_that_does_not_run_says_how_to_start_it(monkeypatch):
    monkeypatch.setattr(command.privilege, "become_root", lambda _: None)
    with pytest.raises(SystemExit, match="is not running: `python -m cluster up"):
        command.main(["load", "x.tar", "--name", "nobody"])


def test_a_record_survives_being_written_and_read(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "STATE", tmp_path)
    cluster = paths.cluster("x")
    cluster.folder.mkdir(parents=True)
    written = record.Record(1, 2, "10.213.0.4/30", "/programs")
    record.write(cluster, written)
    assert record.read(cluster) == written
    assert written.address == "10.213.0.6"


def test_a_record_cut_short_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "STATE", tmp_path)
    cluster = paths.cluster("x")
    cluster.folder.mkdir(parents=True)
    cluster.record.write_text('{"pid": 1')
    assert record.read(cluster) is None
