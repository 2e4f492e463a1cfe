"""The workshop's own command line: its verbs, and what `make notebook` starts."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cluster.workshop import __main__ as workshop
from cluster.workshop import classes, lab


@pytest.fixture
def state(tmp_path, monkeypatch):
    """An empty .lab"""
    monkeypatch.setattr(lab, "STATE", tmp_path)
    return tmp_path


def test_notebook_asks_for_make_lab_where_nothing_is_set_up(state):
    with pytest.raises(SystemExit) as ended:
        workshop.main(["notebook"])
    assert str(ended.value) == "Cannot go on: the workshop is not set up yet; type `make lab` first"


def test_notebook_opens_jupyterlab_on_the_modules_with_what_activate_sets(state, monkeypatch):
    (state / "activate").write_text("export KUBECONFIG=/lab\n")
    started = []
    monkeypatch.setattr(lab.subprocess, "run", lambda *_, **__: None)
    monkeypatch.setattr(os, "execvp", lambda _, words: started.extend(words))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    workshop.main(["notebook"])
    assert f"source {state}/activate" in started[2]
    assert started[5:] == [
        "-m",
        "jupyterlab",
        "--allow-root",
        str(lab.paths.CHECKOUT),
    ]


def test_labs_that_end_at_once_write_one_whole_activation(state):
    kubeconfig = state / "clusters/lab/kubeconfig"
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: lab.write_activation(kubeconfig, "x", None), range(200)))
    assert (state / "kubeconfig").readlink() == kubeconfig
    assert "speak to %s" in (state / "activate").read_text()


def test_a_class_needs_a_list_that_can_be_read(tmp_path):
    with pytest.raises(SystemExit, match=r"Cannot go on: no such file or directory: .*names\.txt"):
        workshop.main(["class", str(tmp_path / "names.txt")])


@pytest.mark.parametrize(
    ("said", "given"),
    [
        pytest.param([], ("4", "8Gi", "6"), id="what is usual"),
        pytest.param(["--cpus=2", "--gpus=0"], ("2", "8Gi", "0"), id="less"),
    ],
)
def test_each_learner_gets_the_share_that_is_named(monkeypatch, said, given):
    asked = []
    monkeypatch.setattr(classes, "prepare", lambda *words: asked.append(words))
    monkeypatch.setattr(workshop.foreign, "remembered", lambda _: None)
    workshop.main(["class", "names.txt", *said])
    file, share, days, registry = asked[0]
    assert (file, days, registry) == (Path("names.txt"), 14, "")
    assert (share.cpus, share.memory, share.gpus) == given
