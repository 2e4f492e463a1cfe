import os
import subprocess
import sys

import pytest

from cluster import __main__ as command
from cluster import errors, paths
from cluster.lifecycle import record


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["up", "--name", "No Good"], "cannot name a cluster", id="a bad name"),
        pytest.param(["up", "--gpus", "-1"], "--gpus -1 is not between", id="fewer than no GPUs"),
        pytest.param(["up", "--gpus", "1000"], "--gpus 1000 is not", id="more than a node has"),
        pytest.param(["build", "debian:12"], "is not one of localhost/", id="a foreign image"),
        pytest.param(["logs", "--name", "nobody", "etcd"], "no log of etcd", id="no such log"),
        pytest.param(["logs", "--lines", "-3"], "--lines -3 is not", id="fewer than no lines"),
        pytest.param(["logs", "--lines", "9" * 30], "9 is not possible", id="too many lines"),
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
    with pytest.raises(SystemExit, match="is not running; start it with `python -m cluster up"):
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


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(
            errors.CannotGoOn("no disk", "it is full", "buy one"),
            "Cannot go on: no disk: it is full; buy one",
            id="what, why, fix",
        ),
        pytest.param(
            errors.CannotGoOn("no disk", "line\nline", "buy one"),
            "Cannot go on: no disk; buy one:\nline\nline",
            id="what a program said comes last",
        ),
        pytest.param(
            subprocess.CalledProcessError(2, ["ip", "link"], stderr="Not permitted\n"),
            "Cannot go on: `ip link` failed: Not permitted",
            id="a program's own words",
        ),
        pytest.param(
            OSError(28, "No space left on device", "/x"),
            "Cannot go on: no space left on device: /x; free some space",
            id="a full disk",
        ),
    ],
)
def test_every_error_that_a_user_meets_is_one_sentence(monkeypatch, error, said):
    def fail(*_):
        raise error

    monkeypatch.setattr(command, "run", fail)
    with pytest.raises(SystemExit) as ended:
        command.main(["status"])
    assert ended.value.code == said


def test_a_terminal_without_our_letters_shows_others():
    done = subprocess.run(
        [sys.executable, "-m", "cluster", "--help"],
        cwd=paths.CHECKOUT,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "load IMAGE|ARCHIVE ? " in done.stdout


def test_the_kubeconfigs_path_is_right_also_where_it_is_not_utf_8():
    done = subprocess.run(
        [sys.executable, "-m", "cluster", "kubeconfig", "--name", "lab"],
        cwd=paths.CHECKOUT,
        env={**os.environb, b"CLUSTER_STATE": b"/lab\xff"},
        capture_output=True,
    )
    assert done.stdout == b"/lab\xff/clusters/lab/kubeconfig\n"


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    """As with `python -m cluster status | head -1`."""
    code = f"""
import pathlib, sys
from cluster import paths
paths.STATE = pathlib.Path({str(tmp_path)!r})
logs = paths.cluster("x").logs
logs.mkdir(parents=True)
(logs / "etcd.log").write_text("line\\n" * 100_000)
from cluster import __main__ as command
command.main(["logs", "--name", "x", "--lines", "100000", "etcd"])
"""
    writer = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=paths.CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout.readline() == "line\n"
    writer.stdout.close()
    assert writer.stderr.read() == ""
    assert writer.wait() == 141
